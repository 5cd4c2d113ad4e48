/** Bounds on what a worker, its clients and its code may take: `turf.limits`. docs/aworker.md says what each means. */

/** As timers take them. */
const MAX_MS = 2 ** 31 - 1;
const MAX_BYTES = Number.MAX_SAFE_INTEGER;

/** Name → the largest value; 0 is no limit. */
const WORKER_LIMITS = {
  requestMs: MAX_MS,
  cpuMs: MAX_MS,
  bodyBytes: MAX_BYTES,
  headerBytes: MAX_BYTES,
  headersMs: MAX_MS,
  receiveMs: MAX_MS,
  keepAliveMs: MAX_MS,
  messageBytes: MAX_BYTES,
  backlogBytes: MAX_BYTES,
  pingMs: MAX_MS,
  startMs: MAX_MS,
  graceMs: MAX_MS,
  turnMs: MAX_MS,
  heapBytes: MAX_BYTES,
} as const;

export type WorkerLimitName = keyof typeof WORKER_LIMITS;
export type WorkerLimits = Readonly<Partial<Record<WorkerLimitName, number>>>;

export const WORKER_LIMIT_NAMES = Object.keys(WORKER_LIMITS) as readonly WorkerLimitName[];

/** What is wrong with a limit: `must be a whole number …`; undefined: nothing. */
export function workerLimitProblem(name: string, value: unknown): string | undefined {
  if (!Object.hasOwn(WORKER_LIMITS, name)) return `is no limit: must be ${WORKER_LIMIT_NAMES.join(', ')}`;
  const max = WORKER_LIMITS[name as WorkerLimitName];
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max) return undefined;
  return `must be a whole number from 0 to ${max}`;
}

/** Every error that turf reports: code, HTTP status and CLI exit code. Codes are stable and never reused. */
export const ERROR_CODES = {
  TURF_ERR_USAGE: { status: 400, exit: 1 },
  TURF_ERR_CONFIG: { status: 422, exit: 1 },
  TURF_ERR_UNSUPPORTED: { status: 422, exit: 1 },
  TURF_ERR_INVALID_ID: { status: 400, exit: 1 },
  TURF_ERR_BUNDLE: { status: 422, exit: 1 },
  TURF_ERR_EXISTS: { status: 409, exit: 1 },
  TURF_ERR_NOT_FOUND: { status: 404, exit: 1 },
  TURF_ERR_STATE: { status: 409, exit: 1 },
  TURF_ERR_LAUNCH: { status: 500, exit: 1 },
  TURF_ERR_HOOK: { status: 500, exit: 1 },
  TURF_ERR_CGROUP: { status: 500, exit: 1 },
  TURF_ERR_SEED: { status: 409, exit: 1 },
  TURF_ERR_CHECKPOINT: { status: 500, exit: 1 },
  TURF_ERR_TIMEOUT: { status: 504, exit: 1 },
  TURF_ERR_UNAVAILABLE: { status: 503, exit: 1 },
  TURF_ERR_SYSTEM: { status: 500, exit: 1 },
} as const;

export type TurfErrorCode = keyof typeof ERROR_CODES;

export interface TurfErrorDetails {
  /** The operation that failed, e.g. `create c1`. */
  readonly operation?: string;
  /** The field (`linux.namespaces[2].path`), file or object at fault. */
  readonly path?: string;
  readonly cause?: unknown;
}

/** An error with a stable code. The message says what was done and with what, lower case, no full stop. */
export class TurfError extends Error {
  override readonly name = 'TurfError';
  readonly code: TurfErrorCode;
  readonly operation: string | undefined;
  readonly path: string | undefined;

  constructor(code: TurfErrorCode, message: string, details: TurfErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.operation = details.operation;
    this.path = details.path;
  }
}

/** TURF_ERR_SYSTEM for a file or directory that could not be written. */
export function cannotWrite(path: string, cause: unknown): TurfError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new TurfError('TURF_ERR_SYSTEM', `cannot write ${path}: ${why}`, { path, cause });
}

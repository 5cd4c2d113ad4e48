import type { ExecOutput } from '../../../cli/exec.js';
import type { LifecycleEvent } from '../../../cli/lifecycle-event.js';
import type { ContainerState, ForkResult, LogChunk, Operations, SeedInfo } from '../../../cli/operations.js';
import type { SeedDetails, TreeNode } from '../../../cli/seed-operations.js';
import { TurfError } from '../../../cli/turf-error.js';

export interface Call {
  readonly name: string;
  readonly arguments: readonly unknown[];
}

export interface FakeOperations {
  readonly operations: Operations;
  readonly calls: Call[];
}

export const runningState: ContainerState = {
  ociVersion: '1.2.0',
  id: 'c1',
  pid: 4242,
  status: 'running',
  bundle: '/srv/c1',
  rootfs: '/srv/c1/rootfs',
  created: '2026-01-02T03:04:05.678901234Z',
  annotations: { a: 'b' },
  owner: 'root',
  turf: { kind: 'container', state: 'running' },
};

export const workerState: ContainerState = {
  ociVersion: '1.2.0',
  id: 'a-worker-with-a-long-name',
  pid: 0,
  status: 'stopped',
  bundle: '/srv/w1',
  rootfs: '',
  created: '2026-01-02T03:04:06Z',
  owner: 'root',
  turf: { kind: 'worker', state: 'stopped', seed: 's1', listen: 'unix:/run/turf/w1/http.sock', exitCode: 3 },
};

export const seed: SeedInfo = {
  id: 's1',
  name: 's1',
  role: 'current',
  mode: 'runtime',
  pid: 77,
  state: 'forkwait',
  bundle: '/srv/s1',
  created: '2026-01-02T03:04:05Z',
  forks: 12,
  workers: 3,
  pool: { size: 1, ready: 1 },
};

const memory = {
  rss: 60 << 20,
  pss: 20 << 20,
  shared: 58 << 20,
  private: 2 << 20,
  swap: 0,
  pageTables: 1 << 19,
};

export const seedDetails: SeedDetails = {
  ...seed,
  policy: { restart: 'always', maxForks: 100 },
  network: 'none',
  code: '/srv/s1/code',
  idBase: 2_000_000_000,
  memory,
  workerIds: ['w1', 'w2', 'w3'],
  seedIds: [],
};

export const treeNodes: readonly TreeNode[] = [
  { id: 's1', kind: 'seed', state: 'forkwait', pid: 77, memory, orphan: false, depth: 0 },
  { id: 'f1', kind: 'seed', state: 'forkwait', pid: 78, memory, parent: 's1', orphan: false, depth: 1 },
  { id: 'w1', kind: 'worker', state: 'running', pid: 88, memory, parent: 'f1', orphan: false, depth: 2 },
  { id: 'w2', kind: 'worker', state: 'stopped', pid: 0, parent: 's1', orphan: false, depth: 1 },
  { id: 'w3', kind: 'worker', state: 'running', pid: 99, memory, parent: 'old', orphan: true, depth: 0 },
];

export const forkResult: ForkResult = {
  id: 'w1',
  pid: 88,
  listen: 'unix:/run/turf/w1/http.sock',
  forkMs: 1.234,
};

export const lifecycleEvents: readonly LifecycleEvent[] = [
  { type: 'create', id: 'c1', time: '2026-01-02T03:04:05.000Z', pid: 4242 },
  { type: 'exit', id: 'c1', time: '2026-01-02T03:04:06.000Z', pid: 4242, exitCode: 7 },
];

export const logChunks: readonly LogChunk[] = [
  { stream: 'stdout', data: Buffer.from('out 1\n') },
  { stream: 'stderr', data: Uint8Array.of(0xff, 0x00, 0x0a) },
];

export const execOutputs: readonly ExecOutput[] = [
  { type: 'started', pid: 4250 },
  { type: 'output', stream: 'stdout', data: Buffer.from('out\n') },
  { type: 'output', stream: 'stderr', data: Buffer.from('err\n') },
  { type: 'ended', exitCode: 3 },
];

async function* from<T>(items: readonly T[]): AsyncGenerator<T> {
  for (const item of items) yield await Promise.resolve(item);
}

/** Operations that answer from memory and record what they were asked; `overrides` replaces single ones. */
export function fakeOperations(overrides: Partial<Operations> = {}): FakeOperations {
  const calls: Call[] = [];
  const answers: Operations = {
    create: (options) => Promise.resolve({ id: options.id, pid: 4242 }),
    start: () => Promise.resolve(),
    state: (id) =>
      id === 'missing'
        ? Promise.reject(
            new TurfError('TURF_ERR_NOT_FOUND', 'container does not exist', { operation: `state ${id}` }),
          )
        : Promise.resolve({ ...runningState, id }),
    kill: () => Promise.resolve(),
    pause: () => Promise.resolve(),
    resume: () => Promise.resolve(),
    processes: () => Promise.resolve([4242, 4250]),
    exec: () => Promise.resolve({ pid: 4250 }),
    execOutput: () => from(execOutputs),
    stats: () => Promise.resolve({ pids: { current: 1 }, memory: { usage: { limit: 2n ** 63n } } }),
    update: () => Promise.resolve(),
    checkpoint: () => Promise.resolve(),
    restore: ({ create }) => Promise.resolve({ id: create.id, pid: 4242 }),
    delete: () => Promise.resolve(),
    list: () => Promise.resolve([runningState, workerState]),
    logs: () => from(logChunks),
    wait: (id) => Promise.resolve({ ...workerState, id, turf: { ...workerState.turf, exitCode: 3 } }),
    seedCreate: (options) => Promise.resolve({ ...seed, id: options.id, bundle: options.bundle }),
    seedList: () => Promise.resolve([seed]),
    seedInspect: (id) => Promise.resolve({ ...seedDetails, id }),
    seedRoll: ({ id }) => Promise.resolve({ ...seed, id: `${id}+2`, name: id }),
    seedRemove: () => Promise.resolve(),
    tree: () => Promise.resolve(treeNodes),
    fork: (options) => Promise.resolve({ ...forkResult, id: options.id }),
    forkMany: (options, count) =>
      Promise.resolve(
        Array.from({ length: count }, (_, n) => ({ ...forkResult, id: `${options.id}-${n + 1}` })),
      ),
    invoke: () =>
      Promise.resolve({
        status: 200,
        statusText: 'OK',
        headers: [['content-type', 'text/plain']],
        body: Buffer.from('hello'),
      }),
    events: () => from(lifecycleEvents),
    features: () => Promise.resolve({ ociVersionMin: '1.0.0', ociVersionMax: '1.2.1' }),
    check: () =>
      Promise.resolve({
        ok: true,
        items: [{ name: 'cgroup.mode', ok: true, found: 'hybrid', without: '' }],
      }),
    version: () =>
      Promise.resolve({
        version: '0.1.0',
        specVersion: '1.2.1',
        node: 'v20.20.2',
        kernel: '6.18',
        seccomp: '2.5.4',
      }),
    health: () =>
      Promise.resolve({
        status: 'ok',
        version: '0.1.0',
        uptimeSeconds: 1.5,
        containers: 1,
        seeds: 1,
        workers: 3,
      }),
    ...overrides,
  };
  const operations = new Proxy(answers, {
    get(target, name) {
      const answer: unknown = Reflect.get(target, name);
      if (typeof answer !== 'function') return answer;
      return (...given: unknown[]): unknown => {
        calls.push({ name: String(name), arguments: given });
        return Reflect.apply(answer, target, given);
      };
    },
  });
  return { operations, calls };
}

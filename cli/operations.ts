import type { OciResources } from '../oci-spec/config.js';
import type { JsonObject } from '../oci-spec/json.js';

/**
 * The operations that turf offers. The daemon implements them in process (for the thin client and for REST); the typed REST
 * client implements them remotely. Every method rejects with a TurfError.
 */
import type { CheckReport } from './check-report.js';
import type { CheckpointOptions, RestoreOptions } from './checkpoint.js';
import type { ExecOperations } from './exec.js';
import type { LifecycleEvent } from './lifecycle-event.js';
import type { SeedOperations, SeedPolicy } from './seed-operations.js';

/** `asleep` is turf's own: no process runs, and the next connection forks one (runtime-spec, runtime.md "State", allows more). */
export type OciStatus = 'creating' | 'created' | 'running' | 'paused' | 'stopped' | 'asleep';

/** Original Turf's states, finer than the OCI status, and `asleep`. */
export type TurfState =
  'init' | 'starting' | 'running' | 'forkwait' | 'cloning' | 'stopping' | 'stopped' | 'asleep';

export type ContainerKind = 'container' | 'seed' | 'worker';

export interface ContainerState {
  readonly ociVersion: string;
  readonly id: string;
  /** 0 once stopped, as runc prints it. */
  readonly pid: number;
  readonly status: OciStatus;
  /** Absolute path. */
  readonly bundle: string;
  /** Absolute path of the root file system; empty for workers and seeds, which have no rootfs. */
  readonly rootfs: string;
  /** RFC 3339 with nanoseconds or milliseconds. */
  readonly created: string;
  readonly annotations?: Readonly<Record<string, string>>;
  /** User name of the owner of the state directory, as runc prints it. */
  readonly owner: string;
  readonly turf: {
    readonly kind: ContainerKind;
    readonly state: TurfState;
    /** Id of the seed that a worker was cloned from. */
    readonly seed?: string;
    /** How a worker that is no clone was started. */
    readonly start?: 'cold' | 'snapshot';
    /** Where a worker listens. */
    readonly listen?: string;
    /** Wait status decoded; absent while the process lives or where nobody could learn it. */
    readonly exitCode?: number;
    readonly exitSignal?: string;
    readonly stoppedAt?: string;
    /** How many of its processes the kernel's OOM killer took; absent: none. */
    readonly oomKills?: number;
    /** What `update` has set since the container was made. */
    readonly resources?: Readonly<Record<string, unknown>>;
  };
}

/** The process that called: what `create` needs so that the container descends from it. Absent for REST callers. */
export interface Launcher {
  /** Sends the launch request with its descriptors; resolves to the pid of the container's first process. */
  launch(request: LaunchRequest): Promise<number>;
  /** The process launched last has ended and left the rest to `pid`, a child of the launcher, too (docs/protocol.md, `C`). */
  succeed(pid: number): Promise<void>;
}

/** docs/protocol.md, "Launch request". */
export interface LaunchRequest {
  readonly cloneFlags: number;
  readonly flags: number;
  readonly preserveFds: number;
  /** Indexes into `fds`, -1 for none. */
  readonly cgroupFd: number;
  readonly userNsFd: number;
  readonly pidNsFd: number;
  readonly stdinFd: number;
  readonly stdoutFd: number;
  readonly stderrFd: number;
  readonly fds: readonly number[];
}

export interface CreateOptions {
  readonly id: string;
  /** Absolute path of the bundle directory. */
  readonly bundle: string;
  /** Absolute path; the pid is written here before create returns. */
  readonly pidFile?: string;
  /** Absolute path of an AF_UNIX socket that receives a pidfd of the container's first process. */
  readonly pidfdSocket?: string;
  /** Absolute path of an AF_UNIX socket that receives the console master. */
  readonly consoleSocket?: string;
  readonly noPivot?: boolean;
  readonly noNewKeyring?: boolean;
  /** Descriptors of the launcher from 3 on that reach the program. */
  readonly preserveFds?: number;
  /** The first N of `preserveFds` are sockets of socket activation: the program gets LISTEN_FDS=N and LISTEN_PID=1. */
  readonly listenFds?: number;
  readonly systemdCgroup?: boolean;
  /** Id of a seed: the container becomes a worker cloned from it. */
  readonly seed?: string;
  /** Absent: the daemon clones, and keeps the output in the container's log files. */
  readonly launcher?: Launcher;
  /** A connected AF_UNIX socket that receives the console master (foreground terminal); owned by the callee. */
  readonly consoleFd?: number;
}

export interface CreateResult {
  readonly id: string;
  readonly pid: number;
}

export interface DeleteOptions {
  readonly force?: boolean;
}

export interface UpdateOptions {
  /** What is to change; what is absent stays as it is. */
  readonly resources: OciResources;
  /** Intel RDT: a line of the `schemata` file for the L3 cache. */
  readonly l3CacheSchema?: string;
  /** The same for memory bandwidth. */
  readonly memBwSchema?: string;
}

export interface LogsOptions {
  readonly follow?: boolean;
  /** Number of last lines; absent: all. */
  readonly tail?: number;
  readonly signal?: AbortSignal;
}

export interface LogChunk {
  readonly stream: 'stdout' | 'stderr';
  readonly data: Uint8Array;
}

export interface SeedCreateOptions {
  readonly id: string;
  readonly bundle: string;
  /** Milliseconds to reach `forkwait`; default 30,000. */
  readonly timeoutMs?: number;
  /** How many clones to make ahead of their use; absent: as the bundle says, or 1. */
  readonly pool?: number;
  /** Name of a runtime seed to clone instead of starting a process: the new seed shares its memory. Absent: as the bundle says. */
  readonly from?: string;
  readonly policy?: SeedPolicy;
}

export interface SeedInfo {
  /** Of the version: the name for the first, NAME+NUMBER for later ones. */
  readonly id: string;
  /** What forks ask for. */
  readonly name: string;
  /** Forks are made from the current version; the others are being prepared, or end when nothing needs them. */
  readonly role: 'current' | 'draining' | 'preparing';
  readonly mode: 'runtime' | 'userland';
  /** Id of the seed that it was cloned from; absent: it was started. */
  readonly from?: string;
  readonly pid: number;
  readonly state: TurfState;
  readonly bundle: string;
  readonly created: string;
  /** Forks since this daemon started. */
  readonly forks: number;
  readonly workers: number;
  /** Clones made ahead: how many there are to be, and how many wait. */
  readonly pool: { readonly size: number; readonly ready: number };
}

export interface ForkOptions {
  readonly seed: string;
  readonly id: string;
  /** Absolute path; its config.json may set `turf.code`, process.env, resources. Absent: the seed's bundle. */
  readonly bundle?: string;
  /** Absolute path of the code directory, over the bundle's. */
  readonly code?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** `unix:PATH` (absolute) or `tcp:HOST:PORT`; absent: `unix:<root>/<id>/http.sock`. Port 0: any, reported. */
  readonly listen?: string;
  /** Bytes. */
  readonly memory?: number;
  /** Whole or fractional number of CPUs. */
  readonly cpus?: number;
  /** Network of the worker: its own empty namespace (default), or the host's where the seed allows it. */
  readonly network?: 'none' | 'host';
  /** What becomes of a worker that has ended; default `keep`. `restart` forks another one in its place, with its id. */
  readonly onExit?: 'delete' | 'keep' | 'restart';
  /** Milliseconds that it may live: then it gets SIGTERM, ten seconds later SIGKILL. */
  readonly ttlMs?: number;
  /** It ends when it has answered so many requests. */
  readonly maxRequests?: number;
  /**
   * No process runs while nobody asks: the first connection forks one, and it ends when nothing was asked of it for so many
   * milliseconds. Connections wait meanwhile.
   */
  readonly idleMs?: number;
  /** What to do while the seed has no version that has parked; default `fail`. */
  readonly whenUnready?: 'wait' | 'fail' | 'cold';
  /** Leave the clone parked: state `created` until `start`. */
  readonly hold?: boolean;
  /** Start a fresh process with the seed's code instead of a clone: the seed need not be ready. */
  readonly cold?: boolean;
}

export interface ForkResult {
  readonly id: string;
  /** 0: none runs until somebody asks. */
  readonly pid: number;
  readonly listen: string;
  /** Milliseconds from request to parked clone, measured in the daemon. */
  readonly forkMs: number;
}

export interface InvokeOptions {
  readonly id: string;
  readonly method: string;
  /** Path with query, starting with `/`. */
  readonly path: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body?: Uint8Array;
  readonly timeoutMs?: number;
}

export interface InvokeResult {
  readonly status: number;
  readonly statusText: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Uint8Array;
}

export interface VersionInfo {
  readonly version: string;
  readonly specVersion: string;
  readonly node: string;
  readonly kernel: string;
  readonly seccomp?: string;
}

export interface HealthInfo {
  readonly status: 'ok';
  readonly version: string;
  readonly uptimeSeconds: number;
  readonly containers: number;
  readonly seeds: number;
  readonly workers: number;
}

export interface Operations extends SeedOperations, ExecOperations {
  create(options: CreateOptions): Promise<CreateResult>;
  start(id: string): Promise<void>;
  state(id: string): Promise<ContainerState>;
  /** `signal` by name (`TERM`, `SIGTERM`, `RTMIN+1`) or number; `all` reaches every process of the container. */
  kill(id: string, signal: string, all?: boolean): Promise<void>;
  /** Freezes every process of a created or running container: status `paused`. */
  pause(id: string): Promise<void>;
  resume(id: string): Promise<void>;
  /** Host pids of every process of the container, in ascending order; none once it has stopped. */
  processes(id: string): Promise<readonly number[]>;
  /** What a container uses now, in the schema of `runc events --stats`. */
  stats(id: string): Promise<JsonObject>;
  /** Changes limits: all, or none where one is refused. */
  update(id: string, options: UpdateOptions): Promise<void>;
  /** Saves a running container's processes; where that fails it goes on. */
  checkpoint(options: CheckpointOptions): Promise<void>;
  /** Makes a container that goes on where a checkpoint was made. */
  restore(options: RestoreOptions): Promise<CreateResult>;
  delete(id: string, options?: DeleteOptions): Promise<void>;
  list(): Promise<readonly ContainerState[]>;
  logs(id: string, options?: LogsOptions): AsyncIterable<LogChunk>;
  /** Resolves when the container's process has ended. */
  wait(id: string, signal?: AbortSignal): Promise<ContainerState>;
  seedCreate(options: SeedCreateOptions): Promise<SeedInfo>;
  seedList(): Promise<readonly SeedInfo[]>;
  fork(options: ForkOptions): Promise<ForkResult>;
  /** Forks `count` workers, named `id`-1, `id`-2 and so on: all of them, or none. */
  forkMany(options: ForkOptions, count: number): Promise<readonly ForkResult[]>;
  invoke(options: InvokeOptions): Promise<InvokeResult>;
  events(signal?: AbortSignal): AsyncIterable<LifecycleEvent>;
  features(): Promise<unknown>;
  check(): Promise<CheckReport>;
  version(): Promise<VersionInfo>;
  health(): Promise<HealthInfo>;
}

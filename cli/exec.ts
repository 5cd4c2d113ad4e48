import type { Launcher, LogChunk } from './operations.js';

/**
 * A program to run in a container. It gets what the container's own process has by config.json, or, where `process` is given,
 * by that; the other members change it.
 */
export interface ExecOptions {
  readonly id: string;
  /** JSON of a `process` object (runtime-spec, config.md "Process"); what it leaves out is that of the container. */
  readonly process?: string;
  readonly args?: readonly string[];
  /** Absolute, in the container. */
  readonly cwd?: string;
  /** NAME=VALUE each; added to the others, or in place of those of the same name. */
  readonly env?: readonly string[];
  readonly user?: { readonly uid: number; readonly gid?: number };
  /** Added to the others. */
  readonly additionalGids?: readonly number[];
  /** Names, added to the bounding, effective and permitted set. */
  readonly capabilities?: readonly string[];
  readonly noNewPrivileges?: boolean;
  readonly terminal?: boolean;
  readonly apparmorProfile?: string;
  readonly selinuxLabel?: string;
  /** Existing cgroups below the container's: `PATH` or, on v1, `CONTROLLER[,CONTROLLER]:PATH`. */
  readonly cgroup?: readonly string[];
  readonly ignorePaused?: boolean;
  /** Descriptors of the launcher from 3 on that reach the program. */
  readonly preserveFds?: number;
  /** Absolute path; the pid is written here before exec returns. */
  readonly pidFile?: string;
  /** Absolute path of an AF_UNIX socket that receives a pidfd of the program. */
  readonly pidfdSocket?: string;
  /** Absolute path of an AF_UNIX socket that receives the console master. */
  readonly consoleSocket?: string;
  /** A connected AF_UNIX socket that receives the console master; owned by the callee. */
  readonly consoleFd?: number;
  /** Absent: the daemon clones. */
  readonly launcher?: Launcher;
}

export interface ExecResult {
  readonly pid: number;
}

/** A program whose output the daemon reads. */
export interface ExecOutputOptions extends Omit<
  ExecOptions,
  'terminal' | 'preserveFds' | 'pidfdSocket' | 'consoleSocket' | 'consoleFd' | 'launcher'
> {
  /** Its standard input, whole; absent: empty. */
  readonly stdin?: Uint8Array;
}

export type ExecOutput =
  | { readonly type: 'started'; readonly pid: number }
  | ({ readonly type: 'output' } & LogChunk)
  /** Neither member where nobody could learn how it ended. */
  | { readonly type: 'ended'; readonly exitCode?: number; readonly exitSignal?: string };

export interface ExecOperations {
  /** Starts a program in a container that is there; resolves once it runs. */
  exec(options: ExecOptions): Promise<ExecResult>;
  /** Runs a program in a container to its end: `started`, its output as it comes, `ended`. Aborting kills it. */
  execOutput(options: ExecOutputOptions, signal?: AbortSignal): AsyncIterable<ExecOutput>;
}

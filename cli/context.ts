import type { Launcher, Operations } from './operations.js';

/** Both ends of a connected AF_UNIX stream pair; whoever receives an end owns it. */
export interface ConsolePair {
  /** For `CreateOptions.consoleFd`. */
  readonly daemonEnd: number;
  /** For `Foreground.wait`. */
  readonly clientEnd: number;
}

export interface ForegroundWait {
  /** The container has a terminal: the client relays it in raw mode. */
  readonly terminal: boolean;
  /** The client's end of a console pair, taken over by the callee; given where `terminal` is true. */
  readonly terminalFd?: number;
}

/** The client as the parent of the container that it launched (docs/protocol.md, frames F and W). */
export interface Foreground {
  /**
   * Makes the client wait for the child of its last launch.
   *
   * @returns the wait status as waitpid(2) gives it, -1 where it is unknown
   * @throws {TurfError} TURF_ERR_UNAVAILABLE when the client has gone
   */
  wait(options: ForegroundWait): Promise<number>;
}

/** What a verb knows of the process that called it. The daemon makes one per connection of the thin client. */
export interface CliContext {
  /** Absolute; relative paths of the command line start here. */
  readonly cwd: string;
  /** The variables that the client passes on, see docs/protocol.md. */
  readonly env: Readonly<Record<string, string>>;
  readonly tty: { readonly stdin: boolean; readonly stdout: boolean; readonly stderr: boolean };
  readonly rows: number;
  readonly columns: number;
  readonly umask: number;
  /** Resolves when the client can take more. */
  stdout(data: string | Uint8Array): Promise<void> | void;
  stderr(data: string | Uint8Array): Promise<void> | void;
  /** All of the client's standard input. */
  readStdin(): Promise<Uint8Array>;
  /** Aborts when the client has gone or was interrupted. */
  readonly signal: AbortSignal;
  readonly operations: Operations;
  /** State root that this daemon serves, absolute. */
  readonly root: string;
  readonly launcher: Launcher;
  readonly foreground: Foreground;
  consolePair(): ConsolePair;
}

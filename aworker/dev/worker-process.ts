import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { loneNodeFlags } from '../../native-shim/node-flags.js';
import { parseReport, type Report, type Start } from './messages.js';

const PROGRAM = fileURLToPath(new URL('worker.js', import.meta.url));

export type WorkerEvent = Report | { readonly type: 'ended'; readonly how: string };

/**
 * A process with the runtime in it that becomes a worker once it is told which. Started ahead, it has done by then what takes a process so long:
 * starting Node.js and making the global scope.
 */
export class WorkerProcess {
  readonly #child: ChildProcess;
  /** Resolves when the process has gone. */
  readonly ended: Promise<void>;
  #listener: ((event: WorkerEvent) => void) | undefined;

  /**
   * @param listenFd the listening socket, which the process inherits
   * @param heapBytes bound of JavaScript's heap; 0: the engine's own
   */
  constructor(listenFd: number, heapBytes: number) {
    this.#child = spawn(process.execPath, [...loneNodeFlags(heapBytes), PROGRAM], {
      stdio: ['ignore', 'inherit', 'inherit', listenFd, 'ipc'],
      // A group of its own: Ctrl-C reaches `aworker dev`, which ends its workers in order.
      detached: true,
    });
    this.#child.on('message', (message) => this.#listener?.(parseReport(message)));
    this.#child.on('error', (error) => this.#listener?.({ type: 'failed', text: error.message }));
    this.#child.on('exit', (code, signal) =>
      this.#listener?.({ type: 'ended', how: signal ?? `status ${code ?? 0}` }),
    );
    this.ended = once(this.#child, 'exit').then(() => undefined);
  }

  /** @param listener is told what happens, until `retire` */
  listen(listener: (event: WorkerEvent) => void): void {
    this.#listener = listener;
  }

  /** Makes it a worker; once. */
  start(start: Start): void {
    this.#child.send(start);
  }

  /** Ends it, and listens to it no more. @param graceMs after which it is killed */
  retire(graceMs: number): void {
    this.#listener = undefined;
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), graceMs);
    this.#child.once('exit', () => clearTimeout(timer));
  }
}

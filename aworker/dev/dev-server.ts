import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type WorkerConfig } from '../config/config.js';
import { type DevOptions } from './options.js';
import { FileWatcher } from './watch.js';
import { type WorkerEvent, WorkerProcess } from './worker-process.js';

const FAILURE_PAGE = fileURLToPath(new URL('failure-page.js', import.meta.url));
/** Over the worker's own grace period. */
const KILL_MS = 1000;
/** A process with a debugger waits for it to leave, which it does not. */
const KILL_DEBUGGED_MS = 100;

type State =
  | { readonly at: 'loading' | 'serving'; readonly worker: WorkerProcess }
  /** The page that tells why is `worker`. */
  | { readonly at: 'failed'; readonly worker: WorkerProcess }
  /** Before the first worker, and after the last. */
  | { readonly at: 'idle' };

/** Keeps one worker serving the newest code, and one process ready for the next. */
export class DevServer {
  readonly #options: DevOptions;
  readonly #listenFd: number;
  readonly #watcher: FileWatcher;
  /** Runtime without a script: what a save needs. */
  #spare: WorkerProcess | undefined;
  #state: State = { at: 'idle' };

  /** @param listenFd listening socket: connections wait in it while no worker accepts */
  constructor(options: DevOptions, listenFd: number) {
    this.#options = options;
    this.#listenFd = listenFd;
    this.#watcher = new FileWatcher((path) => void this.#replace(`${basename(path)} changed, ready`));
    this.#watcher.add(options.main);
  }

  /** Starts the first worker. */
  async start(): Promise<void> {
    await this.#replace('ready');
  }

  /** Ends every process. Resolves when they have gone. */
  async stop(): Promise<void> {
    const { limits } = this.#options;
    this.#watcher.close();
    const processes = this.#spare === undefined ? [] : [this.#spare];
    if (this.#state.at !== 'idle') processes.push(this.#state.worker);
    this.#state = { at: 'idle' };
    for (const one of processes) one.retire(limits.graceMs + KILL_MS);
    await Promise.all(processes.map((one) => one.ended));
  }

  /** The old worker accepts nothing more; the new one loads the script and accepts. @param what is said once it does */
  async #replace(what: string): Promise<void> {
    const began = performance.now();
    const { inspectPort, limits, main, env, nodeModules } = this.#options;
    const old = this.#state.at === 'idle' ? undefined : this.#state.worker;
    old?.retire(inspectPort === undefined ? limits.graceMs + KILL_MS : KILL_DEBUGGED_MS);
    const worker = this.#take((event) => this.#happened(worker, event, what, began));
    this.#state = { at: 'loading', worker };
    // The port of the inspector is the old one's as long as it lives.
    if (inspectPort !== undefined) await old?.ended;
    worker.start({
      worker: workerText({ main, env: { ...env }, limits, nodeModules }),
      ...(inspectPort === undefined ? {} : { inspectPort }),
    });
  }

  #happened(worker: WorkerProcess, event: WorkerEvent, what: string, began: number): void {
    const { at } = this.#state;
    if (at === 'idle' || this.#state.worker !== worker) return;
    switch (event.type) {
      case 'file':
        this.#watcher.add(event.path);
        break;
      case 'serving':
        this.#state = { at: 'serving', worker };
        say(`${what} in ${Math.round(performance.now() - began)} ms`);
        this.#prepare();
        break;
      case 'failed':
        this.#fail(event.text);
        break;
      case 'ended':
        this.#fail(`The worker ended with ${event.how}`);
    }
  }

  /** Says why there is no worker, to the terminal and to whoever asks. */
  #fail(text: string): void {
    process.stderr.write(`${text}\n`);
    say('waiting for a change');
    const page = this.#take((event) => {
      if (event.type === 'serving') this.#prepare();
      else if (event.type === 'failed') process.stderr.write(`${event.text}\n`);
    });
    page.start({
      worker: workerText({
        main: FAILURE_PAGE,
        env: { REPORT: text },
        limits: this.#options.limits,
        nodeModules: [],
      }),
    });
    this.#state = { at: 'failed', worker: page };
  }

  #take(listener: (event: WorkerEvent) => void): WorkerProcess {
    const spare = this.#spare ?? new WorkerProcess(this.#listenFd, this.#options.limits.heapBytes);
    this.#spare = undefined;
    spare.listen(listener);
    return spare;
  }

  /** Only now: starting a process would have taken the processor from the worker that starts. */
  #prepare(): void {
    this.#spare ??= new WorkerProcess(this.#listenFd, this.#options.limits.heapBytes);
  }
}

function workerText(worker: Pick<WorkerConfig, 'main' | 'env' | 'limits' | 'nodeModules'>): string {
  return JSON.stringify({ id: 'aworker', ...worker });
}

function say(text: string): void {
  process.stdout.write(`aworker: ${text}\n`);
}

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { exchange, type Answer } from './http.js';
import { stateDirectory } from './state-directory.js';

/** Project root, seen from dist/bench/. */
export const PROJECT = new URL('../../', import.meta.url).pathname;
export const TURF = join(PROJECT, 'bin/turf');

export interface CommandResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Milliseconds from before the spawn to the end of the process. */
  readonly ms: number;
}

/** Runs a program to its end. A created container inherits stdout and stderr, so these are files: a pipe would not end. */
export async function command(
  file: string,
  args: readonly string[],
  scratch: string,
): Promise<CommandResult> {
  const names = ['stdout', 'stderr'].map((name) => join(scratch, name));
  const files = names.map((name) => openSync(name, 'w'));
  const began = performance.now();
  const child = spawn(file, args, { stdio: ['ignore', ...files] });
  try {
    const [status] = (await once(child, 'exit')) as [number | null];
    const ms = performance.now() - began;
    const [stdout = '', stderr = ''] = names.map((name) => readFileSync(name, 'utf8'));
    return { status, stdout, stderr, ms };
  } finally {
    for (const fd of files) closeSync(fd);
  }
}

/** A daemon on a temporary root. */
export class TemporaryDaemon {
  readonly directory = stateDirectory('turf-');
  readonly root = join(this.directory, 'root');
  #front: ChildProcess | undefined;

  /** Starts bin/turfd and waits until it accepts. @throws Error with the end of its log when it does not */
  async start(): Promise<void> {
    chmodSync(this.directory, 0o755);
    const log = openSync(this.logFile, 'a');
    const front = spawn(join(PROJECT, 'bin/turfd'), ['--root', this.root], {
      stdio: ['ignore', log, log],
      detached: true,
    });
    closeSync(log);
    this.#front = front;
    const deadline = performance.now() + 20_000;
    while (!(await accepts(join(this.root, 'cli.sock')))) {
      if (front.exitCode !== null || performance.now() > deadline)
        throw new Error(`turfd did not start:\n${this.log().slice(-3000)}`);
      await delay(5);
    }
  }

  /** Of bin/turfd; 0 before it was started. */
  get pid(): number {
    return this.#front?.pid ?? 0;
  }

  get logFile(): string {
    return join(this.directory, 'turfd.log');
  }

  log(): string {
    return readFileSync(this.logFile, 'utf8');
  }

  /** Runs `turf --root ROOT ARGS`. @throws Error when its status is not 0 */
  async turf(...args: string[]): Promise<CommandResult> {
    const result = await command(TURF, ['--root', this.root, ...args], this.directory);
    if (result.status !== 0)
      throw new Error(`turf ${args.join(' ')} -> ${String(result.status)}: ${result.stderr}`);
    return result;
  }

  /** A REST request, path below /v1. @throws Error when the status is 400 or above */
  async rest(method: string, path: string, body?: unknown): Promise<Answer> {
    const answer = await this.#ask(method, path, body);
    if (answer.status >= 400) throw new Error(`${method} ${path} -> ${answer.status}: ${answer.body}`);
    return answer;
  }

  /** Deletes everything that the daemon has, workers before their seeds, and stops it. */
  async stop(): Promise<void> {
    if (this.#front?.exitCode === null) {
      const { stdout } = await this.turf('list', '--format', 'json');
      const all = JSON.parse(stdout) as { id: string; turf?: { kind: string } }[];
      const seedsLast = [...all].sort(
        (a, b) => Number(a.turf?.kind === 'seed') - Number(b.turf?.kind === 'seed'),
      );
      for (const { id } of seedsLast) {
        const path = `/containers/${id}?force=true`;
        const { status, body } = await this.#ask('DELETE', path);
        // One whose fork failed may have gone by itself.
        if (status >= 400 && status !== 404) throw new Error(`DELETE ${path} -> ${status}: ${body}`);
      }
      const ended = once(this.#front, 'exit');
      this.#front.kill('SIGTERM');
      await ended;
    }
    rmSync(this.directory, { recursive: true, force: true });
  }

  #ask(method: string, path: string, body?: unknown): Promise<Answer> {
    return exchange(`unix:${join(this.root, 'turf.sock')}`, method, `/v1${path}`, body);
  }

  /** Lets the daemon live on when this process ends. */
  abandon(): void {
    this.#front?.unref();
  }
}

function accepts(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

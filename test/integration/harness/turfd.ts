import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Test } from 'tap';
import { EventFeed, http, type HttpAnswer, type HttpOptions } from './http.js';
import { cgroupsAbout, daemonPid, isAlive, mountsAbout, processesAbout } from './processes.js';
import { patience } from './patience.js';
import { PROJECT } from './requires.js';
import { run, type Outcome, type RunOptions } from './run.js';

export const TURF = join(PROJECT, 'bin/turf');
const TURFD = join(PROJECT, 'bin/turfd');

/** What `turf state` and the REST API print, as far as the tests look at it. */
export interface State {
  readonly ociVersion: string;
  readonly id: string;
  readonly pid: number;
  readonly status: string;
  readonly bundle: string;
  readonly rootfs: string;
  readonly created: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly turf: {
    readonly kind: string;
    readonly state: string;
    readonly seed?: string;
    readonly start?: string;
    readonly listen?: string;
    readonly exitCode?: number;
    readonly exitSignal?: string;
    readonly oomKills?: number;
  };
}

let count = 0;

/** A daemon on a root of its own; everything on it is deleted with the test, and what is left behind fails the test. */
export class Turfd {
  readonly root = mkdtempSync(join(tmpdir(), 'tf-'));
  /** Part of every container id of this daemon, so that cgroups and processes can be told from those of other tests. */
  readonly prefix = `tf${process.pid}x${++count}`;
  readonly #t: Test;
  readonly #args: readonly string[];
  readonly #under: readonly string[];
  #front: ChildProcess | undefined;
  #feed: EventFeed | undefined;

  private constructor(t: Test, args: readonly string[], under: readonly string[]) {
    this.#t = t;
    this.#args = args;
    this.#under = under;
  }

  /**
   * Starts bin/turfd on a new temporary root and waits until it accepts.
   *
   * @param args more flags of turfd
   * @param under a command that executes what follows it
   */
  static async start(t: Test, args: readonly string[] = [], under: readonly string[] = []): Promise<Turfd> {
    const turfd = new Turfd(t, args, under);
    t.teardown(() => turfd.#teardown());
    await turfd.up();
    return turfd;
  }

  get logFile(): string {
    return join(this.root, 'test-turfd.log');
  }

  /** Starts the daemon (again) on this root. */
  async up(): Promise<void> {
    const log = openSync(this.logFile, 'a');
    const before = this.log().length;
    const [program = TURFD, ...args] = [...this.#under, TURFD, '--root', this.root, ...this.#args];
    const front = spawn(program, args, { stdio: ['ignore', log, log] });
    closeSync(log);
    this.#front = front;
    const ended = new AbortController();
    front.once('exit', () => ended.abort());
    await eventually(
      `turfd on ${this.root} to accept; its log:\n${this.log().slice(-2000)}`,
      // The supervisor gives up on a daemon that ends before it said that it is ready.
      async () =>
        this.log().slice(before).includes('"ready"') && (await accepts(join(this.root, 'cli.sock'))),
      20_000,
      ended.signal,
    );
  }

  log(): string {
    return readFileSync(this.logFile, 'utf8');
  }

  /** A container id that only this test uses. */
  id(name: string): string {
    return `${this.prefix}-${name}`;
  }

  get nodePid(): number {
    const pid = daemonPid(this.root);
    if (pid === undefined) throw new Error(`no daemon process for ${this.root}`);
    return pid;
  }

  /** Runs `turf --root ROOT ARGS`. */
  turf(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
    const env = { TURF_NO_AUTOSTART: '1', ...options.env };
    return run(this.#t, TURF, ['--root', this.root, ...args], { ...options, env });
  }

  /** Like turf(), and fails the test when the status is not 0. */
  async ok(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
    const outcome = await this.turf(args, options);
    if (outcome.status !== 0)
      throw new Error(`turf ${args.join(' ')} -> ${String(outcome.status)}: ${outcome.stderr}`);
    return outcome;
  }

  async state(id: string): Promise<State> {
    return JSON.parse((await this.ok(['state', id])).stdout) as State;
  }

  async list(): Promise<State[]> {
    return (JSON.parse((await this.ok(['list', '--format', 'json'])).stdout) as State[] | null) ?? [];
  }

  /** A REST request, path below /v1. */
  rest(path: string, options: HttpOptions = {}): Promise<HttpAnswer> {
    const headers = options.body === undefined ? {} : { 'content-type': 'application/json' };
    return http(this.restAddress, `/v1${path}`, { headers, ...options });
  }

  get restAddress(): string {
    return `unix:${join(this.root, 'turf.sock')}`;
  }

  /** The daemon's event stream, opened once. */
  async feed(): Promise<EventFeed> {
    this.#feed ??= new EventFeed(this.restAddress, '/v1/events');
    await this.#feed.opened;
    return this.#feed;
  }

  /** Waits, event by event, until a container has this status (`stopped`) or turf state (`forkwait`). */
  async until(id: string, wanted: string): Promise<State> {
    const feed = await this.feed();
    return feed.until(`${id} to be ${wanted}`, async () => {
      const { body, status } = await this.rest(`/containers/${id}`);
      if (status !== 200) throw new Error(`state of ${id}: ${status} ${body}`);
      const state = JSON.parse(body) as State;
      return state.status === wanted || state.turf.state === wanted ? state : undefined;
    });
  }

  /** kill -9 of the Node process; resolves when it has gone. */
  async killNode(): Promise<void> {
    const pid = this.nodePid;
    this.dropFeed();
    process.kill(pid, 'SIGKILL');
    await eventually(`daemon ${pid} to end`, () => !isAlive(pid));
  }

  /** Waits until a daemon other than `before` serves this root. */
  async untilRestarted(before: number): Promise<void> {
    await eventually('the daemon to be started again', async () => {
      const pid = daemonPid(this.root);
      if (pid === undefined || pid === before) return false;
      return (await accepts(join(this.root, 'cli.sock'))) && (await accepts(join(this.root, 'turf.sock')));
    });
  }

  /** SIGTERM at the front; resolves with its exit status. */
  async stop(): Promise<number | null> {
    const front = this.#front;
    this.dropFeed();
    if (front === undefined || front.exitCode !== null) return front?.exitCode ?? null;
    const ended = once(front, 'exit', { signal: AbortSignal.timeout(patience(20_000)) });
    front.kill('SIGTERM');
    await ended;
    this.#front = undefined;
    return front.exitCode;
  }

  dropFeed(): void {
    this.#feed?.close();
    this.#feed = undefined;
  }

  /** What this daemon's containers left in the kernel and on disk. */
  remains(): string[] {
    const known = ['cli.sock', 'turf.sock', 'turfd.lock', 'turfd.log', 'test-turfd.log', 'exits'];
    return [
      ...processesAbout(this.prefix).map((pid) => `process ${pid}`),
      ...cgroupsAbout(this.prefix).map((path) => `cgroup ${path}`),
      ...mountsAbout(this.root).map((line) => `mount ${line}`),
      ...readdirSync(this.root)
        .filter((name) => name.includes(this.prefix) && !known.includes(name))
        .map((name) => `state ${name}`),
    ];
  }

  async #teardown(): Promise<void> {
    const problems: string[] = [];
    try {
      for (const { id } of await this.list()) await this.turf(['delete', '--force', id]);
      await this.stop();
      await eventually('the supervisor to end', () => processesAbout(this.root).length === 0);
    } catch (error) {
      problems.push(String(error), `log of turfd: ${this.log().slice(-4000)}`);
    }
    const remains = this.remains();
    if (remains.length > 0) problems.push('left behind:', ...remains);
    for (const pid of [...processesAbout(this.root), ...processesAbout(this.prefix)]) killQuietly(pid);
    for (const path of cgroupsAbout(this.prefix)) removeQuietly(path);
    rmSync(this.root, { recursive: true, force: true });
    if (problems.length > 0) throw new Error(problems.join('\n'));
  }
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Already gone.
  }
}

function removeQuietly(cgroup: string): void {
  try {
    rmdirSync(cgroup);
  } catch {
    // A dying process still sits in it; the failure was reported above.
  }
}

/** Whether something accepts connections on a Unix socket. */
export function accepts(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** Checks a condition that no event announces (the kernel's view) until it holds. @throws at the deadline, or when aborted */
export async function eventually(
  what: string,
  holds: () => boolean | Promise<boolean>,
  milliseconds = 20_000,
  aborted?: AbortSignal,
): Promise<void> {
  const deadline = AbortSignal.timeout(patience(milliseconds));
  const began = performance.now();
  while (!(await holds())) {
    if (deadline.aborted || aborted?.aborted === true) throw new Error(`waited in vain for ${what}`);
    // A tenth of the time waited so far: looking often would take the processor from what is waited for.
    await delay(Math.min(5 + (performance.now() - began) / 10, 50));
  }
}

import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { TURF } from './daemon.js';
import { cgroupLayout } from './machine.js';
import type { RunnerAnswer, RunnerRequest } from './runner.js';

const RUNNER = new URL('./runner.js', import.meta.url).pathname;

/** A runtime under measurement: its command with global flags, and the process that runs it. */
export class Peer {
  readonly name: string;
  readonly version: string;
  readonly note: string | undefined;
  readonly #prefix: readonly string[];
  readonly #process: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(name: string, program: string, root: string, privateMounts: boolean) {
    this.name = name;
    this.version = execFileSync(program, ['--version'], { env: { ...process.env, TURF_ROOT: root } })
      .toString()
      .split('\n', 1)
      .join('');
    this.#prefix = [program, '--root', root];
    this.note = privateMounts
      ? 'in a mount namespace without /sys/fs/cgroup/unified: it refuses the hybrid cgroup layout'
      : undefined;
    const runner = [process.execPath, RUNNER];
    const [file = '', ...args] = privateMounts
      ? ['unshare', '-m', 'sh', '-c', 'umount /sys/fs/cgroup/unified; exec "$@"', 'sh', ...runner]
      : runner;
    const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    const lines: Interface = createInterface({ input: child.stdout });
    this.#process = child;
    this.#lines = lines[Symbol.asyncIterator]();
  }

  /** Milliseconds that the commands took together. @throws Error with the peer's stderr when one fails */
  async time(...commands: readonly (readonly string[])[]): Promise<number> {
    const { ms, failed } = await this.#ask(commands, false);
    if (failed.length > 0) throw new Error(failed[0]);
    return ms;
  }

  /** Runs the commands all at once. */
  together(...commands: readonly (readonly string[])[]): Promise<RunnerAnswer> {
    return this.#ask(commands, true);
  }

  async #ask(commands: readonly (readonly string[])[], together: boolean): Promise<RunnerAnswer> {
    const request: RunnerRequest = {
      commands: commands.map((args) => [...this.#prefix, ...args]),
      together,
    };
    this.#process.stdin?.write(`${JSON.stringify(request)}\n`);
    const answer = await this.#lines.next();
    if (answer.done === true) throw new Error(`the runner of ${this.name} ended`);
    return JSON.parse(answer.value) as RunnerAnswer;
  }

  async close(): Promise<void> {
    const ended = once(this.#process, 'exit');
    this.#process.stdin?.end();
    await ended;
  }
}

/** Where a program lies on PATH. */
export function findProgram(name: string): string | undefined {
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((directory) => join(directory, name))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** turf, and those of crun and runc that are installed. @param directory for the peers' state */
export function findPeers(turfRoot: string, directory: string): { peers: Peer[]; absent: string[] } {
  const others = ['crun', 'runc'].map((name) => ({ name, program: findProgram(name) }));
  const peers = [new Peer('turf', TURF, turfRoot, false)];
  for (const { name, program } of others)
    if (program !== undefined)
      peers.push(
        new Peer(name, program, join(directory, name), name === 'crun' && cgroupLayout() === 'hybrid'),
      );
  return {
    peers,
    absent: others
      .filter(({ program }) => program === undefined)
      .map(({ name }) => `${name} is not installed`),
  };
}

import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { PROJECT, TURF } from './daemon.js';
import { cgroupLayout } from './machine.js';

/** Spawns and times commands: native-shim/stopwatch/main.c. A peer that needs another mount namespace has its own there. */
const STOPWATCH = join(PROJECT, 'dist/native/turf-stopwatch');
const RECORD = '\x1e';
const UNIT = '\x1f';

export interface Measured {
  /** Milliseconds: of whole processes, added up; of those that run together, from the first spawn to the last end. */
  readonly ms: number;
  /** Each command that did not end with status 0, with its stderr. */
  readonly failed: readonly string[];
}

/** A runtime under measurement: its command with global flags, and the process that runs it. */
export class Peer {
  readonly name: string;
  readonly version: string;
  readonly note: string | undefined;
  readonly #prefix: readonly string[];
  readonly #process: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #errors = mkdtempSync(join(tmpdir(), 'turf-stopwatch-'));

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
    const stopwatch = [STOPWATCH, this.#errors];
    const [file = '', ...args] = privateMounts
      ? ['unshare', '-m', 'sh', '-c', 'umount /sys/fs/cgroup/unified; exec "$@"', 'sh', ...stopwatch]
      : stopwatch;
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
  together(...commands: readonly (readonly string[])[]): Promise<Measured> {
    return this.#ask(commands, true);
  }

  /** All at once, and to the end of each; otherwise one after the other, up to the first that fails. */
  async #ask(commands: readonly (readonly string[])[], together: boolean): Promise<Measured> {
    const texts = commands.map((args) => [...this.#prefix, ...args].join(UNIT));
    this.#process.stdin?.write(`${[together ? 't' : 's', ...texts].join(RECORD)}\n`);
    const answer = await this.#lines.next();
    if (answer.done === true) throw new Error(`the stopwatch of ${this.name} ended`);
    const [ms, , ...failed] = answer.value.split(' ').map(Number);
    return {
      ms: ms ?? NaN,
      failed: failed.map((number) => {
        const command = texts[number]?.replaceAll(UNIT, ' ') ?? '';
        return `${command}: ${readFileSync(join(this.#errors, String(number)), 'utf8')}`;
      }),
    };
  }

  async close(): Promise<void> {
    const ended = once(this.#process, 'exit');
    this.#process.stdin?.end();
    await ended;
    rmSync(this.#errors, { recursive: true, force: true });
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

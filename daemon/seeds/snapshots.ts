import { type ChildProcess, execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type Logger } from 'pino';
import { z } from 'zod';
import { AWORKER_NODE_FLAGS } from '../../native-shim/node-flags.js';
import { errnoCode } from '../cgroups/control-file.js';

const BUILD_PATIENCE_MS = 120_000;
const SUFFIX = '.blob';

const recordSchema = z.strictObject({ version: z.literal(1), sha256: z.string() });

/** What a snapshot is built from. */
export interface SnapshotSource {
  /** The node binary. */
  readonly node: string;
  /** The script, and what it reads while it is built: all that the snapshot depends on. */
  readonly files: readonly [script: string, ...read: string[]];
}

type State =
  | { readonly state: 'unknown' }
  | { readonly state: 'building'; readonly child: ChildProcess }
  | { readonly state: 'ready'; readonly path: string; readonly size: number; readonly changed: number }
  /** The reason is in the log; workers start without. */
  | { readonly state: 'failed' };

/**
 * The startup snapshot of the worker runtime, `<root>/.snapshots/KEY.blob`: built when the first worker starts cold, for the next ones. KEY is made of the
 * engine and the runtime's files; a file that is not what its record says is built anew.
 */
export class Snapshots {
  readonly #directory: string;
  readonly #source: SnapshotSource;
  readonly #log: Logger;
  #state: State = { state: 'unknown' };

  /** @param root the state root; no id starts with a dot */
  constructor(root: string, source: SnapshotSource, log: Logger) {
    this.#directory = join(root, '.snapshots');
    this.#source = source;
    this.#log = log;
  }

  /** Path of a snapshot that a worker can start from now; undefined: there is none yet, or none can be built. */
  current(): string | undefined {
    if (this.#state.state === 'ready' && !isUnchanged(this.#state)) this.#state = { state: 'unknown' };
    if (this.#state.state === 'unknown') this.#state = this.#obtain();
    return this.#state.state === 'ready' ? this.#state.path : undefined;
  }

  /** Gives up building: the daemon ends. */
  stop(): void {
    if (this.#state.state === 'building') this.#state.child.kill('SIGKILL');
  }

  #key(): string {
    const { node, files } = this.#source;
    const { size, mtimeMs } = statSync(node);
    const hash = createHash('sha256');
    hash.update(JSON.stringify([process.versions, process.arch, node, size, mtimeMs, AWORKER_NODE_FLAGS]));
    for (const file of files) hash.update(file).update(readFileSync(file));
    return hash.digest('hex').slice(0, 32);
  }

  #obtain(): State {
    try {
      const key = this.#key();
      return this.#find(key) ?? this.#build(key);
    } catch (err) {
      return this.#fail(err);
    }
  }

  #fail(err: unknown): State {
    this.#log.warn({ err }, 'no startup snapshot can be built: workers start without');
    return { state: 'failed' };
  }

  /** What an earlier daemon has built, if it is whole. */
  #find(key: string): State | undefined {
    const path = this.#path(key, SUFFIX);
    try {
      const record = recordSchema.parse(JSON.parse(readFileSync(this.#path(key, '.json'), 'utf8')));
      if (record.sha256 === digest(path)) return ready(path);
      this.#log.warn({ path }, 'a startup snapshot is not what was built: another is made');
    } catch (err) {
      if (errnoCode(err) !== 'ENOENT')
        this.#log.warn({ path, err }, 'a startup snapshot cannot be used: another is made');
    }
    return undefined;
  }

  #build(key: string): State {
    const unfinished = this.#path(key, '.new');
    mkdirSync(this.#directory, { recursive: true, mode: 0o755 });
    const began = performance.now();
    const [script] = this.#source.files;
    const child = execFile(
      this.#source.node,
      [...AWORKER_NODE_FLAGS, '--snapshot-blob', unfinished, '--build-snapshot', script],
      // Nothing of the daemon's environment: what the script sees may be part of the snapshot.
      { env: {}, cwd: '/', timeout: BUILD_PATIENCE_MS },
      (error, _stdout, stderr) => {
        try {
          if (error !== null) throw new Error(`${error.message}\n${stderr.slice(0, 2000)}`);
          this.#state = this.#finish(key, unfinished);
          this.#log.info({ key, ms: Math.round(performance.now() - began) }, 'startup snapshot built');
        } catch (err) {
          rmSync(unfinished, { force: true });
          this.#state = this.#fail(err);
        }
      },
    );
    return { state: 'building', child };
  }

  /** Workers read it as nobody's user, so that all may. It holds the runtime and nothing of anybody. */
  #finish(key: string, unfinished: string): State {
    for (const name of readdirSync(this.#directory))
      if (!name.startsWith(key)) rmSync(join(this.#directory, name), { force: true });
    chmodSync(unfinished, 0o644);
    const path = this.#path(key, SUFFIX);
    const record = { version: 1, sha256: digest(unfinished) } satisfies z.infer<typeof recordSchema>;
    renameSync(unfinished, path);
    writeFileSync(this.#path(key, '.json'), JSON.stringify(record), { mode: 0o600 });
    return ready(path);
  }

  #path(key: string, suffix: string): string {
    return join(this.#directory, `${key}${suffix}`);
  }
}

function digest(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

function ready(path: string): State {
  const { size, mtimeMs } = statSync(path);
  return { state: 'ready', path, size, changed: mtimeMs };
}

function isUnchanged({ path, size, changed }: Extract<State, { state: 'ready' }>): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  return found?.size === size && found.mtimeMs === changed;
}

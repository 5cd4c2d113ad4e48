import {
  appendFileSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  unlinkSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { TurfError } from '../../cli/turf-error.js';
import { containerIdProblem } from '../../oci-spec/container-id.js';
import {
  type Exit,
  exitRecordSchema,
  exitSchema,
  type ExitRecord,
  type Facts,
  factsSchema,
} from './facts.js';

const DIRECTORY_MODE = 0o700;
const FILE_MODE = 0o600;

/** Names that the daemon itself uses in its root; an id cannot start with a dot, and cannot be one of these. */
const RESERVED = new Set(['turf.sock', 'cli.sock', 'turfd.lock', 'turfd.log', 'exits']);

/** What a create that died early may have left in a container's directory. */
const EARLY_FILES = new Set(
  ['config.json', 'config.json.new', 'state.json.new', 'start.sock', 'control.sock', 'http.sock'].concat([
    'stdout.log',
    'stderr.log',
  ]),
);

/** What else a container's directory has. */
const LATE_FILES = new Set(['state.json', 'exit.json']);

export interface StateEntry {
  readonly id: string;
  /** Absent: a create that died before its first write, or `error`. */
  readonly facts?: Facts;
  /** Why state.json cannot be used: it is corrupt, or another version of turf wrote it. */
  readonly error?: Error;
}

/** Files of one container under `<root>/<id>/`. Paths of an id that validateContainerId has passed only. */
export class StateStore {
  constructor(readonly root: string) {
    mkdirSync(join(root, 'exits'), { recursive: true, mode: DIRECTORY_MODE });
  }

  path(id: string, file = ''): string {
    return join(this.root, id, file);
  }

  /**
   * Takes the id by making its directory.
   *
   * @throws TurfError TURF_ERR_EXISTS
   */
  reserve(id: string): void {
    if (RESERVED.has(id)) {
      throw new TurfError('TURF_ERR_INVALID_ID', `container id ${id} is reserved`, { path: 'id' });
    }
    try {
      mkdirSync(this.path(id), { mode: DIRECTORY_MODE });
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code === 'EEXIST' && this.#takeOver(id)) return;
      if (code === 'EEXIST')
        throw new TurfError('TURF_ERR_EXISTS', `container with id exists: ${id}`, { path: 'id' });
      // A file name holds 255 bytes, an id may have more characters.
      if (code === 'ENAMETOOLONG')
        throw new TurfError('TURF_ERR_INVALID_ID', 'id: is too long', { path: 'id' });
      throw error;
    }
  }

  /** Empties the directory of a create that died. */
  #takeOver(id: string): boolean {
    if (!statSync(this.path(id)).isDirectory() || !this.#isHalfMade(id)) return false;
    for (const name of readdirSync(this.path(id))) rmSync(this.path(id, name));
    return true;
  }

  /** Removes a container's directory, which holds files only; a missing one is no error. */
  remove(id: string): void {
    const directory = this.path(id);
    let names: string[];
    try {
      names = readdirSync(directory);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return;
      throw error;
    }
    try {
      for (const name of names) unlinkSync(join(directory, name));
      rmdirSync(directory);
    } catch {
      // Somebody put a directory there, or a file meanwhile.
      rmSync(directory, { recursive: true, force: true, maxRetries: 2 });
    }
  }

  writeFacts(facts: Facts): void {
    this.#replace(this.path(facts.id, 'state.json'), JSON.stringify(facts));
  }

  writeConfig(id: string, text: string): void {
    this.#replace(this.path(id, 'config.json'), text);
  }

  /** Gives a container the config.json of another, in place of one that it has. */
  linkConfig(from: string, id: string): void {
    const place = this.path(id, 'config.json');
    rmSync(place, { force: true });
    linkSync(this.path(from, 'config.json'), place);
  }

  readConfig(id: string): string {
    return readFileSync(this.path(id, 'config.json'), 'utf8');
  }

  writeExit(id: string, exit: Exit): void {
    this.#replace(this.path(id, 'exit.json'), JSON.stringify(exit));
  }

  /** Forgets how a container ended, which lives again. */
  removeExit(id: string): void {
    rmSync(this.path(id, 'exit.json'), { force: true });
  }

  readExit(id: string): Exit | undefined {
    const text = readIfPresent(this.path(id, 'exit.json'));
    return text === undefined ? undefined : exitSchema.parse(JSON.parse(text));
  }

  /**
   * Whether a directory of that name is one of a container of ours, whatever is left of it: the root may be shared with others.
   */
  isOurs(id: string): boolean {
    if (RESERVED.has(id) || containerIdProblem(id) !== undefined) return false;
    const status = lstatSync(this.path(id), { throwIfNoEntry: false });
    if (status?.isDirectory() !== true || status.uid !== process.getuid?.()) return false;
    if ((status.mode & 0o777) !== DIRECTORY_MODE) return false;
    const names = readdirSync(this.path(id));
    return names.length === 0 || names.some((name) => EARLY_FILES.has(name) || LATE_FILES.has(name));
  }

  /** Opens a log file for the container to write to: append only, so that two writers and a rotation do not overwrite. */
  openLog(id: string, stream: 'stdout' | 'stderr'): number {
    return openSync(this.logPath(id, stream), 'a', FILE_MODE);
  }

  logPath(id: string, stream: 'stdout' | 'stderr'): string {
    return this.path(id, `${stream}.log`);
  }

  appendLog(id: string, stream: 'stdout' | 'stderr', text: string): void {
    appendFileSync(this.logPath(id, stream), text, { mode: FILE_MODE });
  }

  /** Every container directory. Directories that are not ours are left out, whatever they are: the root may be shared. */
  entries(): StateEntry[] {
    return readdirSync(this.root, { withFileTypes: true })
      .filter(({ name }) => !RESERVED.has(name) && containerIdProblem(name) === undefined)
      .filter((entry) => entry.isDirectory())
      .flatMap(({ name }) => this.#entry(name));
  }

  /** The supervisor's record of how a process ended, if it has written one. */
  readExitRecord(pid: number, startTime: string): ExitRecord | undefined {
    const text = readIfPresent(join(this.root, 'exits', `${pid}-${startTime}`));
    return text === undefined ? undefined : exitRecordSchema.parse(JSON.parse(text));
  }

  /** Forgets exit records: of one process that has been dealt with, or of all. */
  removeExitRecords(pid?: number, startTime?: string): void {
    const directory = join(this.root, 'exits');
    if (pid !== undefined && startTime !== undefined) {
      rmSync(join(directory, `${pid}-${startTime}`), { force: true });
      return;
    }
    for (const name of readdirSync(directory)) rmSync(join(directory, name), { force: true });
  }

  #entry(id: string): StateEntry[] {
    const path = this.path(id, 'state.json');
    try {
      const text = readIfPresent(path);
      if (text !== undefined) return [{ id, facts: factsSchema.parse(JSON.parse(text)) }];
    } catch (cause) {
      return [{ id, error: new Error(`${path} cannot be used`, { cause }) }];
    }
    return this.#isHalfMade(id) ? [{ id }] : [];
  }

  /**
   * Whether the directory is what a create leaves that died before it wrote state.json: ours, private, with nothing in it or only
   * what such a create makes.
   */
  #isHalfMade(id: string): boolean {
    const { mode, uid } = statSync(this.path(id));
    const names = readdirSync(this.path(id));
    return (
      (mode & 0o777) === DIRECTORY_MODE &&
      uid === process.getuid?.() &&
      names.every((name) => EARLY_FILES.has(name))
    );
  }

  #replace(path: string, text: string): void {
    const temporary = `${path}.new`;
    writeFileSync(temporary, text, { mode: FILE_MODE });
    renameSync(temporary, path);
  }
}

function readIfPresent(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

import { closeSync, constants, openSync } from 'node:fs';
import { join } from 'node:path';
import { TurfError } from '../../cli/turf-error.js';
import type { OciResources } from '../../oci-spec/config.js';
import type { CgroupEntry, CgroupHandle, UndoUpdate } from './cgroup.js';
import {
  cgroupError,
  errnoCode,
  hasGone,
  openForWriting,
  tryReadControl,
  writeControl,
} from './control-file.js';
import { processesBelow, removeTree } from './directory.js';
import type { CgroupFacts } from './facts.js';
import { type Freezer, v1Freezer, v2Freezer } from './freezer.js';
import { type CgroupStats, flatKeyed, v1Stats, v2Stats } from './stats.js';
import { prepareUpdate } from './update.js';

const SIGKILL = 9;
/** v1 hierarchies by how surely every process of the container is in them. */
const PROCESS_LISTS = ['freezer', 'devices', 'pids', 'memory', 'name=systemd'] as const;

function signalAll(pids: readonly number[], signal: number): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      if (errnoCode(error) !== 'ESRCH') throw cgroupError('cgroup', `signal ${signal} to ${pid}`, error);
    }
  }
}

/** A cgroup known by its directories. Holds no descriptor and no state but the facts. */
export class DirectoriesCgroup implements CgroupHandle {
  readonly needsPid = false;
  readonly #facts: CgroupFacts;

  constructor(facts: CgroupFacts) {
    this.#facts = facts;
  }

  get paths(): ReadonlyMap<string, string> {
    const { hierarchies, unified } = this.#facts;
    return new Map([
      ...hierarchies.flatMap(({ controllers, directory }) =>
        controllers.map((controller) => [controller, directory] as const),
      ),
      ...(unified ? [['', unified.directory] as const] : []),
    ]);
  }

  start(): Promise<void> {
    return Promise.resolve();
  }

  describe(): CgroupFacts {
    return this.#facts;
  }

  enter(): CgroupEntry {
    const tasksFds: number[] = [];
    const { hierarchies, unified } = this.#facts;
    try {
      for (const { directory } of hierarchies) tasksFds.push(openForWriting(join(directory, 'tasks')));
      if (!unified) return { tasksFds };
      return { tasksFds, cgroupFd: openSync(unified.directory, constants.O_RDONLY | constants.O_DIRECTORY) };
    } catch (error) {
      for (const fd of tasksFds) closeSync(fd);
      throw cgroupError('cgroup', `open ${this.#facts.path} to enter it`, error);
    }
  }

  attach(pid: number): void {
    const { hierarchies, unified } = this.#facts;
    for (const { directory } of [...hierarchies, ...(unified ? [unified] : [])]) {
      writeControl('cgroup', join(directory, 'cgroup.procs'), String(pid));
    }
  }

  procs(): number[] {
    try {
      return processesBelow(this.#listDirectory());
    } catch (error) {
      throw cgroupError('cgroup', `list the processes of ${this.#facts.path}`, error);
    }
  }

  async kill(signal: number): Promise<void> {
    if (signal !== SIGKILL) {
      signalAll(this.procs(), signal);
      return;
    }
    if (this.#facts.mode === 'v2' && this.#killWhole()) return;
    const freezer = this.#freezer();
    try {
      /* frozen processes cannot fork away from the list; one process alone may be killed at once */
      if (freezer && this.procs().length > 1) await freezer.freeze();
    } catch (error) {
      if (!(error instanceof TurfError)) throw error;
    }
    try {
      signalAll(this.procs(), SIGKILL);
    } finally {
      this.#thawIfThere(freezer);
    }
    signalAll(this.procs(), SIGKILL);
  }

  async freeze(): Promise<void> {
    const freezer = this.#freezer();
    if (!freezer) throw cgroupError('cgroup', 'the freezer controller is not available on this machine');
    try {
      await freezer.freeze();
    } catch (error) {
      this.#thawIfThere(freezer);
      throw error;
    }
  }

  frozen(): boolean {
    return this.#freezer()?.frozen() ?? false;
  }

  thaw(): Promise<void> {
    try {
      this.#freezer()?.thaw();
    } catch (error) {
      if (!hasGone(error)) return Promise.reject(error instanceof Error ? error : new Error(String(error)));
    }
    return Promise.resolve();
  }

  stats(): CgroupStats {
    const { mode, unified } = this.#facts;
    if (mode === 'v2' && unified) return v2Stats(unified.directory);
    return v1Stats((controller) => this.#directoryOf(controller));
  }

  update(resources: OciResources): Promise<UndoUpdate> {
    return new Promise((resolve) => {
      const { changes } = prepareUpdate(this.#facts, resources);
      changes.apply();
      resolve(() => changes.takeBack());
    });
  }

  oomCount(): number {
    const { mode, unified } = this.#facts;
    const memory = mode === 'v2' ? unified?.directory : this.#directoryOf('memory');
    if (memory === undefined) return 0;
    const file = mode === 'v2' ? 'memory.events' : 'memory.oom_control';
    return flatKeyed(tryReadControl(join(memory, file)), 'oom_kill') ?? 0;
  }

  async destroy(): Promise<void> {
    const { hierarchies, unified } = this.#facts;
    for (const { directory, made } of [...hierarchies, ...(unified ? [unified] : [])]) {
      if (made) await removeTree(directory);
    }
  }

  #directoryOf(controller: string): string | undefined {
    return this.#facts.hierarchies.find(({ controllers }) => controllers.includes(controller))?.directory;
  }

  #listDirectory(): string {
    const { mode, unified, hierarchies } = this.#facts;
    if (mode === 'v2' && unified) return unified.directory;
    const name = PROCESS_LISTS.find((controller) => this.#directoryOf(controller) !== undefined);
    const directory = name === undefined ? hierarchies[0]?.directory : this.#directoryOf(name);
    if (directory === undefined) throw cgroupError('cgroup', `${this.#facts.path} has no directory`);
    return directory;
  }

  #freezer(): Freezer | undefined {
    const { mode, unified } = this.#facts;
    if (mode === 'v2') return unified && v2Freezer(unified.directory);
    const directory = this.#directoryOf('freezer');
    return directory === undefined ? undefined : v1Freezer(directory);
  }

  /** cgroup.kill, Linux 5.14: also kills what forks meanwhile, and what is frozen. */
  #killWhole(): boolean {
    const { unified } = this.#facts;
    if (!unified) return false;
    try {
      writeControl('cgroup', join(unified.directory, 'cgroup.kill'), '1');
      return true;
    } catch {
      return processesBelow(unified.directory).length === 0;
    }
  }

  #thawIfThere(freezer: Freezer | undefined): void {
    try {
      freezer?.thaw();
    } catch {
      /* the cgroup has gone, and its processes with it */
    }
  }
}

/** The cgroup of a container of an earlier daemon. @param facts as `describe` gave them */
export function restoreDirectories(facts: CgroupFacts): CgroupHandle {
  return new DirectoriesCgroup(facts);
}

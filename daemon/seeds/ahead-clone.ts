import { closeSync, statSync } from 'node:fs';
import { constants } from 'node:os';
import { type CgroupHandle } from '../cgroups/cgroup.js';
import { isAlive } from '../containers/process-facts.js';
import { type CloneRequest } from './seed-control.js';

/** A directory, and which one it was: one that was replaced since is another. */
export interface CodeDirectory {
  readonly path: string;
  readonly device: number;
  readonly inode: number;
}

/** @throws the error of stat(2) */
export function identifyCode(path: string): CodeDirectory {
  const { dev, ino } = statSync(path);
  return { path, device: dev, inode: ino };
}

export interface AheadProcess {
  readonly pid: number;
  readonly startTime: bigint;
  /** Owned by the clone until `release`. */
  readonly pidfd: number;
}

/** A clone that was made before anybody asked for a worker: its cgroup and namespaces are there, its pages are warm. */
export class AheadClone {
  readonly request: CloneRequest;
  readonly cgroup: CgroupHandle;
  readonly cgroupPath: string;
  /** What its /code is; undefined: it has no root of its own yet. */
  readonly code: CodeDirectory | undefined;
  readonly #process: AheadProcess;
  #released = false;

  constructor(process: AheadProcess, parts: Pick<AheadClone, 'request' | 'cgroup' | 'cgroupPath' | 'code'>) {
    this.#process = process;
    this.request = parts.request;
    this.cgroup = parts.cgroup;
    this.cgroupPath = parts.cgroupPath;
    this.code = parts.code;
  }

  get pid(): number {
    return this.#process.pid;
  }

  get alive(): boolean {
    return !this.request.sync.ended && isAlive(this.#process.pid, this.#process.startTime);
  }

  /** Whether its root, if it has one, shows that directory. */
  shows(path: string): boolean {
    if (this.code === undefined) return true;
    const status = this.code.path === path ? statSync(path, { throwIfNoEntry: false }) : undefined;
    return status?.dev === this.code.device && status.ino === this.code.inode;
  }

  /** Its process, whose pidfd is the caller's from now on. */
  release(): AheadProcess {
    this.#released = true;
    return this.#process;
  }

  /** Ends a clone that is not to become a worker, and removes its cgroup. */
  async end(): Promise<void> {
    this.request.sync.close();
    if (!this.#released) closeSync(this.#process.pidfd);
    this.#released = true;
    await this.cgroup.kill(constants.signals.SIGKILL);
    await this.cgroup.destroy();
  }
}

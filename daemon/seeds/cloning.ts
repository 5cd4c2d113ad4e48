import { closeSync, existsSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { TurfError } from '../../cli/turf-error.js';
import { type OciResources } from '../../oci-spec/config.js';
import { NAMESPACES, type NamespaceType } from '../../oci-spec/namespaces.js';
import { type CgroupHandle } from '../cgroups/cgroup.js';
import { isMember } from '../cgroups/membership.js';
import { cgroupfsLocation, systemdLocation } from '../cgroups/path.js';
import { type Container } from '../containers/container.js';
import { type ExitWatch } from '../containers/exits.js';
import { endFirstProcess } from '../containers/kill.js';
import { type UndoStack } from '../containers/undo.js';
import { type Machine } from '../machine.js';
import { PlanBuilder } from '../plan/encode.js';
import { type EncodedPlan } from '../plan/plan-writer.js';
import { type CodeDirectory } from './code-directory.js';
import { codeTree, inertTree } from './inert-tree.js';
import { RESOLVER_FILES } from './runtime-files.js';
import { CloneRequest, openClone } from './seed-control.js';
import { makeWorkerCgroup } from './worker-cgroup.js';
import { enterRoot } from './worker-plan.js';

/** Descriptors that go with a plan: the daemon's copies are closed together. */
export class PlanDescriptors {
  readonly #open: number[] = [];

  own(fd: number): number {
    this.#open.push(fd);
    return fd;
  }

  close(): void {
    for (const fd of this.#open.splice(0)) closeSync(fd);
  }
}

/** Namespaces that a worker is born into; a network namespace comes on top, unless it has the host's. */
export const WORKER_NAMESPACES = ['pid', 'mount', 'ipc', 'uts'] as const;

/** Asks a seed for a clone in new namespaces. @throws TurfError TURF_ERR_SEED */
export function requestClone(
  machine: Machine,
  seed: Container,
  namespaces: readonly NamespaceType[],
  hostNetwork: boolean,
): CloneRequest {
  const types: readonly NamespaceType[] = hostNetwork ? namespaces : [...namespaces, 'network'];
  const flags = types.reduce((sum, type) => sum | NAMESPACES[type].flag, 0);
  return new CloneRequest(machine.kernel, machine.store.path(seed.id, 'control.sock'), flags);
}

export interface CloneCgroup {
  readonly id: string;
  readonly cgroupsPath: string | undefined;
  /** Whether the caller wants systemd to make it; absent: as the daemon was configured, for a clone that asks for a place. */
  readonly systemd: boolean | undefined;
  readonly resources: OciResources;
}

/** The cgroup of a clone that is being made. @throws TurfError TURF_ERR_CGROUP, TURF_ERR_CONFIG */
export function makeCloneCgroup(machine: Machine, wanted: CloneCgroup, undo: UndoStack): CgroupHandle {
  const { id, cgroupsPath = '', systemd, resources } = wanted;
  const useSystemd = systemd ?? (machine.systemdCgroup && cgroupsPath !== '');
  const location = useSystemd ? systemdLocation(id, cgroupsPath) : cgroupfsLocation(id, cgroupsPath);
  const cgroup = makeWorkerCgroup(machine, id, location, resources);
  undo.push('cgroup', async () => {
    await cgroup.kill(constants.signals.SIGKILL);
    await cgroup.destroy();
  });
  return cgroup;
}

/** Puts a clone that waits for it into its cgroup, from outside. @throws TurfError TURF_ERR_CGROUP */
export async function enterCloneCgroup(cgroup: CgroupHandle | undefined, pid: number): Promise<void> {
  if (cgroup?.needsPid === true) await cgroup.start(pid);
  else cgroup?.attach(pid);
}

/** A clone's process; whoever has it owns the pidfd. */
export interface CloneProcess {
  readonly pid: number;
  readonly startTime: bigint;
  readonly pidfd: number;
}

/**
 * The process that a seed names as the clone that it was asked for.
 *
 * @param labels of the plan that the clone was sent
 * @throws TurfError TURF_ERR_SEED, TURF_ERR_LAUNCH
 */
export async function askedClone(
  machine: Machine,
  exits: ExitWatch,
  request: CloneRequest,
  seed: Container,
  labels: readonly string[],
): Promise<CloneProcess> {
  const pid = await request.pid();
  const opened = openClone(machine.kernel, pid, seed.facts.process?.pid ?? 0, (...key) =>
    exits.watches(...key),
  );
  if (opened !== undefined) return { pid, ...opened };
  // It may have said why it ended.
  await request.sync.untilReady(labels, () => Promise.resolve(''));
  throw new TurfError('TURF_ERR_LAUNCH', 'the clone ended before it was set up');
}

/** Makes a clone's process the first process of its container, which owns the pidfd from now on. */
export function ownClone(
  machine: Machine,
  exits: ExitWatch,
  container: Container,
  { pid, startTime, pidfd }: CloneProcess,
  undo: UndoStack,
): void {
  container.ownProcess(pidfd);
  undo.push('process', async () => {
    endFirstProcess(machine, container);
    await exits.settle(container);
  });
  container.learn({ process: { pid, startTime: startTime.toString() } });
  exits.watch(container, pid, startTime, pidfd);
}

/**
 * Checks that a clone entered the cgroup of what it has become. It says itself that it did what its plan asked for; code of a hostile seed
 * could say so, too. One that has ended since is nowhere.
 *
 * @param role what the cgroup is of
 * @throws TurfError TURF_ERR_SEED
 */
export async function checkPlace(
  exits: Pick<ExitWatch, 'refresh'>,
  container: Container,
  role: 'seed' | 'worker',
): Promise<void> {
  const { cgroup } = container;
  const pid = container.facts.process?.pid ?? 0;
  if (cgroup === undefined || isMember(pid, cgroup.describe())) return;
  await exits.refresh(container);
  if (container.lifecycle.state !== 'stopped')
    throw new TurfError('TURF_ERR_SEED', `process ${pid} did not enter the cgroup of its ${role}`);
}

/** Adds the steps that give a clone its root. */
export function addRoot(
  machine: Machine,
  plan: PlanBuilder,
  descriptors: PlanDescriptors,
  code: CodeDirectory,
  hostNetwork: boolean,
): void {
  const tree = (path: string): number => descriptors.own(inertTree(machine.kernel, path));
  // Those that this host has; some are links, which the mount follows.
  const files = hostNetwork ? RESOLVER_FILES.filter((path) => existsSync(path)) : [];
  enterRoot(plan, {
    rootTree: tree(join(machine.store.root, '.worker-root')),
    codeTree: descriptors.own(codeTree(machine.kernel, code)),
    files: new Map(files.map((path) => [path, tree(path)])),
  });
}

/** A plan, and the descriptor that carries it. */
export function finishPlan(
  machine: Machine,
  plan: PlanBuilder,
  descriptors: PlanDescriptors,
): EncodedPlan & { planFd: number } {
  const encoded = plan.finish();
  return { ...encoded, planFd: descriptors.own(machine.kernel.sealedMemfd('turf-plan', encoded.bytes)) };
}

/** Runs `action`; closes the request's channel where it takes longer, which ends the clone and rejects whoever waits for it. */
export async function withPatience<T>(
  request: CloneRequest,
  milliseconds: number,
  action: () => Promise<T>,
  late: (cause: unknown) => Error,
): Promise<T> {
  const expired = new AbortController();
  const timer = setTimeout(() => {
    expired.abort();
    request.sync.close();
  }, milliseconds);
  try {
    return await action();
  } catch (cause) {
    throw expired.signal.aborted ? late(cause) : cause;
  } finally {
    clearTimeout(timer);
  }
}

import { closeSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { NAMESPACES } from '../../oci-spec/namespaces.js';
import { type Container } from '../containers/container.js';
import { type Machine } from '../machine.js';
import { PlanBuilder } from '../plan/encode.js';
import { type EncodedPlan } from '../plan/plan-writer.js';
import { type CodeDirectory } from './code-directory.js';
import { codeTree, inertTree } from './inert-tree.js';
import { RESOLVER_FILES } from './runtime-files.js';
import { CloneRequest } from './seed-control.js';
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

/** Asks a seed for a clone. @throws TurfError TURF_ERR_SEED */
export function requestClone(machine: Machine, seed: Container, hostNetwork: boolean): CloneRequest {
  const { pid, mount, ipc, uts, network } = NAMESPACES;
  const flags = pid.flag | mount.flag | ipc.flag | uts.flag | (hostNetwork ? 0 : network.flag);
  return new CloneRequest(machine.kernel, machine.store.path(seed.id, 'control.sock'), flags);
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

import { type ForkOptions } from '../../cli/operations.js';
import { type OciResources } from '../../oci-spec/config.js';
import { type CgroupHandle } from '../cgroups/cgroup.js';
import { createCgroup } from '../cgroups/create.js';
import { type CgroupLocation } from '../cgroups/path.js';
import { createSystemdCgroup, requireSystemd } from '../cgroups/systemd.js';
import { countsSwap, workerResources } from '../cgroups/worker.js';
import { type Machine } from '../machine.js';

/** The limits that a fork asks for: the caller's before those of the worker's bundle. */
export function askedLimits(
  machine: Machine,
  resources: OciResources | undefined,
  { memory, cpus }: Pick<ForkOptions, 'memory' | 'cpus'>,
): OciResources {
  const limits = workerResources(
    { ...(memory === undefined ? {} : { memory }), ...(cpus === undefined ? {} : { cpus }) },
    countsSwap(machine.cgroupLayout),
  );
  if (resources === undefined) return limits;
  return {
    ...resources,
    memory: { ...resources.memory, ...limits.memory },
    cpu: { ...resources.cpu, ...limits.cpu },
  };
}

/** @throws TurfError TURF_ERR_CGROUP */
export function makeWorkerCgroup(
  machine: Machine,
  id: string,
  location: CgroupLocation,
  resources: OciResources,
): CgroupHandle {
  const { cgroupLayout: layout, attachDeviceFilter } = machine;
  const common = { layout, attachDeviceFilter, resources, scope: 'lean' } as const;
  if (location.manager === 'cgroupfs') return createCgroup({ ...common, path: location.path });
  requireSystemd();
  const { slice, unit } = location;
  return createSystemdCgroup({ ...common, slice, unit, description: `turf worker ${id}` });
}

const LIMITED_LATER: ReadonlySet<string> = new Set(['memory', 'cpu', 'pids']);

/** Whether a clone can be given these limits after it has entered its cgroup: others need hierarchies that it is not in. */
export function canLimitLater(resources: OciResources): boolean {
  const { cpu } = resources;
  return (
    Object.keys(resources).every((name) => LIMITED_LATER.has(name)) &&
    cpu?.cpus === undefined &&
    cpu?.mems === undefined
  );
}

/** Sets limits on a cgroup that makeWorkerCgroup made. @throws TurfError TURF_ERR_CGROUP */
export function limitWorkerCgroup(machine: Machine, path: string, resources: OciResources): void {
  if (Object.keys(resources).length === 0) return;
  const { cgroupLayout: layout, attachDeviceFilter } = machine;
  createCgroup({ layout, attachDeviceFilter, path, resources, scope: 'lean', takePopulated: true });
}

import { existsSync } from 'node:fs';
import { type OciConfig } from '../../oci-spec/config.js';
import { type CgroupHandle } from '../cgroups/cgroup.js';
import { createCgroup } from '../cgroups/create.js';
import { restoreDirectories } from '../cgroups/directories-cgroup.js';
import { type CgroupFacts } from '../cgroups/facts.js';
import { type CgroupLayout } from '../cgroups/layout.js';
import { cgroupfsLocation, systemdLocation } from '../cgroups/path.js';
import { cgroupOwner } from '../cgroups/v2-delegate.js';
import { createSystemdCgroup, requireSystemd, restoreSystemdCgroup } from '../cgroups/systemd.js';
import { type Machine } from '../machine.js';
import { type CgroupView } from '../plan/plan-input.js';
import { effectiveResources } from './effective-resources.js';

/**
 * Makes the cgroup that a config asks for.
 *
 * @param systemd whether the caller wants systemd to make it; absent: what the daemon was configured with
 * @param scope see createCgroup
 * @throws TurfError TURF_ERR_CONFIG for a bad cgroupsPath, TURF_ERR_CGROUP where a limit cannot be set
 */
export function makeCgroup(
  machine: Machine,
  id: string,
  config: OciConfig,
  systemd: boolean | undefined,
  scope: 'full' | 'lean',
): CgroupHandle {
  const { cgroupsPath, resources } = config.linux ?? {};
  const useSystemd = systemd ?? machine.systemdCgroup;
  const location = useSystemd ? systemdLocation(id, cgroupsPath) : cgroupfsLocation(id, cgroupsPath);
  const owner = cgroupOwner(config);
  const common = {
    layout: machine.cgroupLayout,
    scope,
    ...(owner === undefined ? {} : { owner }),
    attachDeviceFilter: machine.attachDeviceFilter,
    ...(resources === undefined ? {} : { resources: effectiveResources(config.ociVersion, resources) }),
  };
  if (location.manager === 'cgroupfs') return createCgroup({ ...common, path: location.path });
  requireSystemd();
  return createSystemdCgroup({
    ...common,
    slice: location.slice,
    unit: location.unit,
    description: `turf container ${id}`,
  });
}

/** The cgroup of a container that an earlier daemon made. */
export function restoreCgroup(facts: CgroupFacts): CgroupHandle {
  return facts.manager === 'systemd' ? restoreSystemdCgroup(facts) : restoreDirectories(facts);
}

/** What an unfinished create may have left at a place in the hierarchies; undefined where there is nothing. */
export function leftoverCgroup(layout: CgroupLayout, path: string): CgroupFacts | undefined {
  const at = (mountPoint: string, controllers: readonly string[]) => ({
    controllers: [...controllers],
    directory: mountPoint + path,
    made: true,
  });
  const exists = ({ directory }: { directory: string }): boolean => existsSync(directory);
  const v1 = layout.mode === 'v2' ? [] : layout.hierarchies;
  const hierarchies = v1.map(({ mountPoint, controllers }) => at(mountPoint, controllers)).filter(exists);
  const root = layout.mode === 'v2' ? layout.root : layout.unified;
  const unified = root === undefined ? undefined : at(root, []);
  const hasUnified = unified !== undefined && exists(unified);
  if (hierarchies.length === 0 && !hasUnified) return undefined;
  return { manager: 'cgroupfs', mode: layout.mode, path, hierarchies, ...(hasUnified ? { unified } : {}) };
}

/** What the container may see of its cgroup at a mount of type `cgroup`. */
export function cgroupView(cgroup: CgroupHandle, machine: Machine): CgroupView {
  const layout = machine.cgroupLayout;
  const { hierarchies, unified } = cgroup.describe();
  const names = new Map(
    layout.mode === 'v2'
      ? []
      : layout.hierarchies.map(({ controllers, mountName }) => [controllers.join(), mountName]),
  );
  return {
    mode: layout.mode,
    hierarchies: hierarchies.map(({ controllers, directory }) => ({
      controllers,
      mountName: names.get(controllers.join()) ?? controllers.join(),
      hostPath: directory,
    })),
    ...(unified === undefined ? {} : { unifiedHostPath: unified.directory }),
  };
}

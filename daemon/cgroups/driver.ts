import type { AttachDeviceFilter } from '../../native-shim/device-filter.js';
import type { OpenAs } from '../../native-shim/open-as.js';
import type { OciResources } from '../../oci-spec/config.js';
import type { CgroupEntry, CgroupHandle } from './cgroup.js';
import { createCgroup } from './create.js';
import { restoreDirectories } from './directories-cgroup.js';
import type { CgroupFacts } from './facts.js';
import type { CgroupLayout } from './layout.js';
import { cgroupfsLocation, systemdLocation } from './path.js';
import { createSystemdCgroup, restoreSystemdCgroup } from './systemd.js';
import { createWorkerCgroup, enterAs, type WorkerLimits } from './worker.js';

export interface CgroupDriverOptions {
  readonly layout: CgroupLayout;
  /** Default for containers; `create` may ask for systemd. */
  readonly manager: 'cgroupfs' | 'systemd';
  readonly attachDeviceFilter: AttachDeviceFilter;
  readonly openAs: OpenAs;
}

export interface ContainerCgroupOptions {
  readonly id: string;
  /** linux.cgroupsPath */
  readonly cgroupsPath?: string | undefined;
  /** linux.resources */
  readonly resources?: OciResources | undefined;
  /** `--systemd-cgroup`; default: the driver's manager. */
  readonly systemd?: boolean | undefined;
  /** A seed does not join the unified hierarchy of a hybrid machine, which its clones could not leave quickly. */
  readonly seed?: boolean | undefined;
}

/** Makes and finds the cgroups of containers, seeds and workers. */
export class CgroupDriver {
  readonly layout: CgroupLayout;
  readonly #options: CgroupDriverOptions;

  constructor(options: CgroupDriverOptions) {
    this.layout = options.layout;
    this.#options = options;
  }

  /**
   * The cgroup of a container or seed, with its limits applied and no process in it. Where the handle `needsPid` it comes to be
   * at `start(pid)`.
   *
   * @throws TurfError TURF_ERR_CONFIG for a bad cgroupsPath or device rule, TURF_ERR_CGROUP; nothing is left behind
   */
  create({ id, cgroupsPath, resources, systemd, seed }: ContainerCgroupOptions): CgroupHandle {
    const { layout, manager, attachDeviceFilter } = this.#options;
    const common = {
      layout,
      attachDeviceFilter,
      joinUnified: seed !== true,
      ...(resources ? { resources } : {}),
    };
    const useSystemd = systemd ?? manager === 'systemd';
    const location = useSystemd ? systemdLocation(id, cgroupsPath) : cgroupfsLocation(id, cgroupsPath);
    if (location.manager === 'cgroupfs') return createCgroup({ ...common, path: location.path });
    const { slice, unit } = location;
    return createSystemdCgroup({ ...common, slice, unit, description: `turf container ${id}` });
  }

  /** The cgroup of a clone of a seed, always by cgroupfs below `/turf`. @throws TurfError TURF_ERR_CGROUP */
  createWorker(id: string, limits: WorkerLimits): CgroupHandle {
    const { layout, attachDeviceFilter } = this.#options;
    return createWorkerCgroup({ id, layout, limits, attachDeviceFilter });
  }

  /**
   * What a clone of an untrusted seed may hold to enter its cgroup. On v2 it is empty: `attach(pid)` instead.
   *
   * @param hostUid uid of the seed as the host sees it
   * @throws TurfError TURF_ERR_CGROUP
   */
  enterAs(cgroup: CgroupHandle, hostUid: number): CgroupEntry {
    return enterAs(cgroup, hostUid, this.#options.openAs);
  }

  /** @param facts as `describe` gave them, before a restart of the daemon */
  restore(facts: CgroupFacts): CgroupHandle {
    return facts.manager === 'systemd' ? restoreSystemdCgroup(facts) : restoreDirectories(facts);
  }
}

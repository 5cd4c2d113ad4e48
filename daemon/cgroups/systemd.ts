import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { OciResources } from '../../oci-spec/config.js';
import {
  type Busctl,
  knownProperties,
  resetFailedUnit,
  runBusctl,
  setUnitProperties,
  startTransientUnit,
  stopUnit,
} from './busctl.js';
import type { CgroupEntry, CgroupHandle, UndoUpdate } from './cgroup.js';
import { cgroupError, readControl, tryReadControl } from './control-file.js';
import { createCgroup, type CreateCgroupOptions } from './create.js';
import { restoreDirectories } from './directories-cgroup.js';
import type { CgroupDirectory, CgroupFacts } from './facts.js';
import { parseProcCgroup } from './layout.js';
import type { Limit } from './limit.js';
import { slicePath } from './path.js';
import type { CgroupStats } from './stats.js';
import { parseDeviceGroups } from './systemd-devices.js';
import { limitProperties, systemdProperties, type UnitProperty, v1Properties } from './systemd-properties.js';
import { prepareUpdate } from './update.js';

export interface SystemdCgroupOptions extends Omit<CreateCgroupOptions, 'path'> {
  readonly slice: string;
  readonly unit: string;
  readonly description: string;
  readonly busctl?: Busctl;
}

/** Milliseconds between looks at /proc/PID/cgroup: ten seconds in all. */
const LOOKS = [1, 2, 4, 8, 16, 32, 64, ...Array<number>(98).fill(100)] as const;

/** Milliseconds between tries to start a unit whose name is taken. */
const RETRIES = [0, 20, 80, 320] as const;

/** What systemd says then, before and since 248. */
const IS_THERE = /already exists|was already loaded/;

/** @param hierarchy the one that systemd keeps its units in, as /proc/PID/cgroup names it */
async function waitForUnit(pid: number, unit: string, hierarchy: string): Promise<void> {
  for (const delay of LOOKS) {
    const text = tryReadControl(`/proc/${pid}/cgroup`);
    if (text === undefined) throw cgroupError('cgroup', `process ${pid} ended before ${unit} was started`);
    if (parseProcCgroup(text).get(hierarchy)?.endsWith(`/${unit}`) === true) return;
    await setTimeout(delay);
  }
  throw cgroupError('cgroup', `systemd did not start ${unit} for process ${pid} in time`);
}

function notStarted(): never {
  throw cgroupError('cgroup', 'the systemd unit has not been started yet');
}

const unitPath = ({ slice, unit }: SystemdCgroupOptions): string => `${slicePath(slice)}/${unit}`;

/** Where the cgroup will be: known before systemd makes it, because the slice says so. */
function forecast(options: SystemdCgroupOptions): CgroupFacts {
  const { layout } = options;
  const path = unitPath(options);
  const below = (mountPoint: string, controllers: readonly string[]): CgroupDirectory => ({
    controllers: [...controllers],
    directory: join(mountPoint, path),
    made: false,
  });
  const unified = layout.mode === 'v2' ? layout.root : layout.unified;
  return {
    manager: 'systemd',
    mode: layout.mode,
    path,
    hierarchies:
      layout.mode === 'v2'
        ? []
        : layout.hierarchies.map(({ mountPoint, controllers }) => below(mountPoint, controllers)),
    ...(unified === undefined ? {} : { unified: below(unified, []) }),
  };
}

/** Without `cpu.idle` 0 where that is so already: systemd would write its own weight with it. */
function changing(limits: readonly Limit[], { unified }: CgroupFacts): readonly Limit[] {
  const isIdle = unified && tryReadControl(join(unified.directory, 'cpu.idle')) === '1';
  return isIdle === true
    ? limits
    : limits.filter(({ files, value }) => files[0] !== 'cpu.idle' || value !== '0');
}

/** A transient scope of systemd, with turf's limits written beside systemd's own. */
class SystemdCgroup implements CgroupHandle {
  readonly #busctl: Busctl;
  readonly #unit: string;
  readonly #options: SystemdCgroupOptions | undefined;
  #directories: CgroupHandle | undefined;
  /** Until then a unit of this name is somebody else's. */
  #isOurs: boolean;

  constructor(unit: string, busctl: Busctl, options?: SystemdCgroupOptions, directories?: CgroupHandle) {
    this.#unit = unit;
    this.#busctl = busctl;
    this.#options = options;
    this.#directories = directories;
    this.#isOurs = options === undefined;
  }

  get needsPid(): boolean {
    return this.#directories === undefined;
  }

  get paths(): ReadonlyMap<string, string> {
    return this.#directories?.paths ?? new Map();
  }

  async start(pid: number): Promise<void> {
    const options = this.#options;
    if (!options || this.#directories) return;
    const { slice, unit, description, layout } = options;
    const resources: OciResources = options.resources ?? {};
    const isV2 = layout.mode === 'v2';
    try {
      const deviceGroups = parseDeviceGroups(isV2 ? '' : readControl('/proc/devices'));
      const properties = await knownProperties(
        this.#busctl,
        systemdProperties({ pid, slice, unit, description, resources, isV2, deviceGroups }),
      );
      await this.#startUnit(startTransientUnit(unit, properties));
    } catch (error) {
      throw cgroupError('cgroup', `start the systemd unit ${unit}`, error);
    }
    this.#isOurs = true;
    try {
      if (!unit.endsWith('.slice')) await waitForUnit(pid, unit, isV2 ? '' : 'name=systemd');
      /* systemd made the unit's directories where it uses the controller; they hold the pid, and must be taken as they are */
      this.#directories = createCgroup({ ...options, path: unitPath(options), takePopulated: true });
      this.#directories.attach(pid);
    } catch (error) {
      await this.destroy().catch(() => undefined);
      throw error;
    }
  }

  /** A unit that failed is in the way of one of the same name until it is reset, one that ends until systemd has seen its end. */
  async #startUnit(call: readonly string[]): Promise<void> {
    for (const delay of RETRIES) {
      try {
        await this.#busctl(call);
        return;
      } catch (error) {
        if (!(error instanceof Error && IS_THERE.test(error.message))) throw error;
      }
      /* fails where the unit has gone meanwhile; one that lives is not touched by it */
      await this.#busctl(resetFailedUnit(this.#unit)).catch(() => undefined);
      await setTimeout(delay);
    }
    await this.#busctl(call);
  }

  describe(): CgroupFacts {
    const options = this.#options;
    const facts = this.#directories?.describe() ?? (options && forecast(options));
    if (facts) return { ...facts, manager: 'systemd', unit: this.#unit };
    return { manager: 'systemd', mode: 'v2', path: `/${this.#unit}`, hierarchies: [], unit: this.#unit };
  }

  /** Nothing to enter by: `start` moves the process. */
  enter(): CgroupEntry {
    return { tasksFds: [] };
  }

  attach(pid: number): void {
    (this.#directories ?? notStarted()).attach(pid);
  }

  procs(): number[] {
    return this.#directories?.procs() ?? [];
  }

  async kill(signal: number): Promise<void> {
    await this.#directories?.kill(signal);
  }

  freeze(): Promise<void> {
    return (this.#directories ?? notStarted()).freeze();
  }

  frozen(): boolean {
    return this.#directories?.frozen() ?? false;
  }

  thaw(): Promise<void> {
    return (this.#directories ?? notStarted()).thaw();
  }

  /** systemd first, because it rounds what it writes: turf's exact values come behind it. */
  async update(resources: OciResources): Promise<UndoUpdate> {
    const facts = (this.#directories ?? notStarted()).describe();
    const { changes, limits } = prepareUpdate(facts, resources);
    const isV2 = facts.mode === 'v2';
    const undo = async (): Promise<void> => {
      if (isV2) await this.#setProperties(limitProperties(changes.before));
      await changes.takeBack();
    };
    await this.#setProperties(isV2 ? limitProperties(changing(limits, facts)) : v1Properties(resources));
    try {
      changes.apply();
    } catch (error) {
      await undo();
      throw error;
    }
    return undo;
  }

  async #setProperties(properties: readonly UnitProperty[]): Promise<void> {
    if (properties.length === 0) return;
    try {
      await this.#busctl(setUnitProperties(this.#unit, await knownProperties(this.#busctl, properties)));
    } catch (error) {
      throw cgroupError('cgroup', `change the properties of ${this.#unit}`, error);
    }
  }

  stats(): CgroupStats {
    return this.#directories?.stats() ?? { memory: {}, cpu: {}, pids: {} };
  }

  oomCount(): number {
    return this.#directories?.oomCount() ?? 0;
  }

  async destroy(): Promise<void> {
    if (!this.#isOurs) return;
    /* both fail where the unit has ended by itself, which is what is wanted */
    await this.#busctl(stopUnit(this.#unit)).catch(() => undefined);
    await this.#busctl(resetFailedUnit(this.#unit)).catch(() => undefined);
    await this.#directories?.destroy();
  }
}

/** Prepares a scope; systemd makes it at `start(pid)`. */
export function createSystemdCgroup(options: SystemdCgroupOptions): CgroupHandle {
  return new SystemdCgroup(options.unit, options.busctl ?? runBusctl, options);
}

/** @param facts as `describe` gave them, with `unit` */
export function restoreSystemdCgroup(facts: CgroupFacts, busctl: Busctl = runBusctl): CgroupHandle {
  const hasDirectories = facts.hierarchies.length > 0 || facts.unified !== undefined;
  const directories = hasDirectories ? restoreDirectories(facts) : undefined;
  return new SystemdCgroup(facts.unit ?? facts.path.slice(1), busctl, undefined, directories);
}

/**
 * @param marker the directory by which sd_booted(3) decides
 * @throws TurfError TURF_ERR_CGROUP where systemd does not run
 */
export function requireSystemd(marker = '/run/systemd/system'): void {
  if (existsSync(marker)) return;
  throw cgroupError('cgroup', 'systemd is not running on this host, cannot use systemd cgroup manager');
}

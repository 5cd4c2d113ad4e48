import type { OciBlockIo, OciCpu, OciMemory, OciResources } from '../config.js';
import { type Report, show } from '../config-error.js';
import { isCpuList } from './cpu-list.js';
import { checkDeviceRules } from './devices.js';

/** Files of a cgroup that the runtime itself works with. */
const MANAGED_FILES = new Set([
  'cgroup.procs',
  'cgroup.threads',
  'cgroup.subtree_control',
  'cgroup.type',
  'cgroup.freeze',
  'cgroup.kill',
]);

/**
 * runtime-spec config-linux.md "Control groups": what no kernel takes, whichever controllers there are.
 *
 * @param as `changes`: to limits that are set already, so that one of a pair may come alone
 */
export function checkResources(
  resources: OciResources,
  report: Report,
  as: 'whole' | 'changes' = 'whole',
): void {
  checkDeviceRules(resources.devices ?? [], report);
  checkMemory(resources.memory ?? {}, report, as);
  checkCpu(resources.cpu ?? {}, report);
  checkBlockIo(resources.blockIO ?? {}, report);
  const pids = resources.pids?.limit;
  if (pids !== undefined && pids < -1)
    report('linux.resources.pids.limit', `must be -1 (no limit) or more, got ${pids.toString()}`);
  for (const [index, { pageSize }] of (resources.hugepageLimits ?? []).entries()) {
    if (!/^[1-9][0-9]*[KMG]B$/.test(pageSize))
      report(
        `linux.resources.hugepageLimits[${index}].pageSize`,
        `must be a size such as "2MB", got ${show(pageSize)}`,
      );
  }
  for (const [name, limits] of Object.entries(resources.rdma ?? {})) {
    if (limits.hcaHandles === undefined && limits.hcaObjects === undefined)
      report(`linux.resources.rdma.${name}`, 'must have hcaHandles or hcaObjects');
  }
  checkUnified(resources.unified ?? {}, report);
}

function checkMemory(memory: OciMemory, report: Report, as: 'whole' | 'changes'): void {
  const path = 'linux.resources.memory';
  for (const name of ['limit', 'reservation', 'swap', 'kernel', 'kernelTCP'] as const) {
    const value = memory[name];
    if (value !== undefined && value < -1)
      report(`${path}.${name}`, `must be -1 (no limit) or more, got ${value.toString()}`);
  }
  const { limit = 0, swap = 0 } = memory;
  if (swap <= 0) return;
  if (limit <= 0 && as === 'changes' && memory.limit === undefined) return;
  if (limit <= 0) report(`${path}.swap`, 'needs a memory limit: it limits memory and swap together');
  else if (swap < limit)
    report(
      `${path}.swap`,
      `limits memory and swap together: must be at least the memory limit ${limit.toString()}, got ${swap.toString()}`,
    );
}

function checkCpu(cpu: OciCpu, report: Report): void {
  const path = 'linux.resources.cpu';
  const { shares = 0, quota = 0, period = 0, burst = 0 } = cpu;
  // CFS bandwidth control: kernel/sched/core.c takes periods and quotas of 1 ms and more, periods up to 1 s.
  if (shares > 262_144) report(`${path}.shares`, `must be at most 262144, got ${shares.toString()}`);
  if (quota < -1 || (quota > 0 && quota < 1000))
    report(`${path}.quota`, `must be -1 (no limit) or at least 1000 microseconds, got ${quota.toString()}`);
  if (period !== 0 && (period < 1000 || period > 1_000_000))
    report(`${path}.period`, `must be 1000 to 1000000 microseconds, got ${period.toString()}`);
  if (quota > 0 && burst > quota)
    report(`${path}.burst`, `must not exceed the quota ${quota.toString()}, got ${burst.toString()}`);
  for (const name of ['cpus', 'mems'] as const) {
    const list = cpu[name] ?? '';
    if (list !== '' && !isCpuList(list))
      report(`${path}.${name}`, `must be a list such as "0-3,7", got ${show(list)}`);
  }
}

function checkBlockIo(blockIo: OciBlockIo, report: Report): void {
  const path = 'linux.resources.blockIO';
  checkWeights(blockIo, path, report);
  for (const [index, device] of (blockIo.weightDevice ?? []).entries()) {
    checkWeights(device, `${path}.weightDevice[${index}]`, report);
    if (device.weight === undefined && device.leafWeight === undefined)
      report(`${path}.weightDevice[${index}]`, 'must have weight or leafWeight');
  }
}

/** 0 means unset, as engines write it. */
function checkWeights(
  weights: { readonly weight?: number; readonly leafWeight?: number },
  path: string,
  report: Report,
): void {
  for (const name of ['weight', 'leafWeight'] as const) {
    const weight = weights[name] ?? 0;
    if (weight !== 0 && (weight < 10 || weight > 1000))
      report(`${path}.${name}`, `must be 10 to 1000, got ${weight}`);
  }
}

function checkUnified(unified: Readonly<Record<string, string>>, report: Report): void {
  for (const name of Object.keys(unified)) {
    const path = `linux.resources.unified[${JSON.stringify(name)}]`;
    if (!/^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+$/.test(name))
      report(path, 'must be a file name of the form controller.name');
    else if (MANAGED_FILES.has(name)) report(path, 'is managed by the runtime');
  }
}

/** A part `..` would leave the place that the path names. The systemd form `slice:prefix:name` is held to the same rule. */
export function checkCgroupsPath(cgroupsPath: string, report: Report): void {
  if (cgroupsPath.split(/[/:]/).includes('..'))
    report('linux.cgroupsPath', `must not contain "..", got ${show(cgroupsPath)}`);
}

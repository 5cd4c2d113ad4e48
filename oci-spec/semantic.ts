import type { OciConfig, OciProcess, OciResources } from './config.js';
import type { ConfigIssue, Report } from './config-error.js';
import type { NamespaceType } from './namespaces.js';
import { checkDevices } from './rules/devices.js';
import { checkHooks } from './rules/hooks.js';
import { checkIntelRdt, checkNetDevices } from './rules/linux-extras.js';
import { checkMounts, checkPathList, mountWarnings } from './rules/mounts.js';
import { checkNamespaces } from './rules/namespaces.js';
import { checkNul } from './rules/nul.js';
import { checkOciVersion } from './rules/oci-version.js';
import { ambientWarnings, capabilityWarnings, checkProcess } from './rules/process.js';
import { checkCgroupsPath, checkResources } from './rules/resources.js';
import { checkMemoryPolicy } from './rules/scheduling.js';
import { checkSeccomp } from './rules/seccomp.js';
import { checkSysctl } from './rules/sysctl.js';
import { turfMember } from './turf-member.js';

/** What makes a config of the right shape unusable: rules across fields, and what no kernel takes. */
export function configIssues(config: OciConfig): ConfigIssue[] {
  const issues: ConfigIssue[] = [];
  const report: Report = (path, message) => issues.push({ path, message });
  const isContainer = turfMember(config, report).kind === 'container';
  const declared = new Set((config.linux?.namespaces ?? []).map(({ type }) => type));
  // Seeds and workers get their namespaces from turf, whatever the config lists.
  const has = (type: NamespaceType): boolean => !isContainer || declared.has(type);

  checkOciVersion(config.ociVersion, report);
  if (config.process !== undefined) checkProcess(config.process, isContainer, report);
  else if (isContainer) report('process', 'is required');
  if (config.root === undefined && isContainer) report('root', 'is required');
  if (config.root?.path === '') report('root.path', 'must not be empty');
  for (const key of Object.keys(config.annotations ?? {})) {
    if (key === '') report('annotations', 'must not have an empty name');
  }
  checkMounts(config, has, report);
  checkNamespaces(config, has, report);
  checkHooks(config.hooks ?? {}, report);
  checkSysctl(config, has, report);
  const linux = config.linux ?? {};
  checkDevices(linux.devices ?? [], report);
  checkPathList('linux.maskedPaths', linux.maskedPaths ?? [], report);
  checkPathList('linux.readonlyPaths', linux.readonlyPaths ?? [], report);
  if (linux.resources !== undefined) checkResources(linux.resources, report);
  if (linux.cgroupsPath !== undefined) checkCgroupsPath(linux.cgroupsPath, report);
  if (linux.seccomp !== undefined) checkSeccomp(linux.seccomp, report);
  checkNetDevices(linux.netDevices ?? {}, has, report);
  if (linux.intelRdt !== undefined) checkIntelRdt(linux.intelRdt, report);
  if (linux.memoryPolicy !== undefined) checkMemoryPolicy(linux.memoryPolicy, report);
  if ((linux.personality?.flags ?? []).length > 0)
    report('linux.personality.flags', 'must be empty: the specification defines no flags');
  checkNul(config, '', report);
  return issues;
}

/** The rules for a process alone, as `exec` takes one. */
export function processIssues(process: OciProcess): ConfigIssue[] {
  const issues: ConfigIssue[] = [];
  const report: Report = (path, message) => issues.push({ path, message });
  checkProcess(process, true, report);
  checkNul(process, '/process', report);
  return issues;
}

/** The rules for resources alone, as `update` takes them: changes, of which each may rely on what is set already. */
export function resourcesIssues(resources: OciResources): ConfigIssue[] {
  const issues: ConfigIssue[] = [];
  const report: Report = (path, message) => issues.push({ path, message });
  checkResources(resources, report, 'changes');
  checkNul(resources, '/linux/resources', report);
  return issues;
}

/** What is to be logged and does not stop anything (runtime-spec runtime.md "Warnings"). */
export function configWarnings(config: OciConfig): ConfigIssue[] {
  const warnings: ConfigIssue[] = [];
  const report: Report = (path, message) => warnings.push({ path, message });
  if (config.process !== undefined) {
    capabilityWarnings(config.process, report);
    ambientWarnings(config.process, report);
  }
  mountWarnings(config.mounts ?? [], report);
  if (config.linux?.resources?.memory?.kernel !== undefined)
    report('linux.resources.memory.kernel', 'is ignored: kernels since 5.16 have no such limit');
  if ((config.hooks?.prestart ?? []).length > 0)
    report('hooks.prestart', 'is deprecated: use createRuntime, createContainer or startContainer');
  return warnings;
}

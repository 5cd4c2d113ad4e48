import type { OciConfig, OciMount } from './config.js';
import { ConfigError, type ConfigIssue } from './config-error.js';

/** What this machine and this build can do about fields that need support from outside the specification's core. */
export interface Capabilities {
  readonly apparmor: boolean;
  readonly selinux: boolean;
}

interface Refusal {
  readonly path: string;
  readonly value: (config: OciConfig) => unknown;
  /** Why; absent: not implemented yet. */
  readonly reason?: string;
  /** Where given, the field is refused only if it answers false. */
  readonly supported?: (capabilities: Capabilities) => boolean;
}

const NOT_YET = 'is not supported yet';

/** One line per field that turf does not implement. A field that is implemented loses its line, and nothing else changes. */
const REFUSALS: readonly Refusal[] = [
  { path: 'process.scheduler', value: (config) => config.process?.scheduler },
  { path: 'process.ioPriority', value: (config) => config.process?.ioPriority },
  { path: 'process.execCPUAffinity', value: (config) => config.process?.execCPUAffinity },
  {
    path: 'process.apparmorProfile',
    value: (config) =>
      config.process?.apparmorProfile === 'unconfined' ? '' : config.process?.apparmorProfile,
    reason: 'needs AppArmor, which is not enabled on this machine',
    supported: ({ apparmor }) => apparmor,
  },
  {
    path: 'process.selinuxLabel',
    value: (config) => config.process?.selinuxLabel,
    reason: 'needs SELinux, which is not enabled on this machine',
    supported: ({ selinux }) => selinux,
  },
  { path: 'linux.intelRdt', value: (config) => config.linux?.intelRdt },
  { path: 'linux.memoryPolicy', value: (config) => config.linux?.memoryPolicy },
  { path: 'linux.netDevices', value: (config) => config.linux?.netDevices },
  { path: 'linux.timeOffsets', value: (config) => config.linux?.timeOffsets },
  { path: 'linux.seccomp.listenerPath', value: (config) => config.linux?.seccomp?.listenerPath },
  { path: 'vm', value: (config) => config.vm, reason: 'is for virtual machines' },
  { path: 'windows', value: (config) => config.windows, reason: 'is for Windows' },
  { path: 'solaris', value: (config) => config.solaris, reason: 'is for Solaris' },
  { path: 'zos', value: (config) => config.zos, reason: 'is for z/OS' },
];

/** The same for list elements. */
const UNSUPPORTED_MOUNT_OPTIONS: ReadonlySet<string> = new Set(['idmap', 'ridmap']);
const UNSUPPORTED_ACTIONS: ReadonlySet<string> = new Set(['SCMP_ACT_NOTIFY']);

/**
 * Refuses a config that asks for what turf does not implement, naming every such field: nothing is ignored.
 *
 * @throws ConfigError with code TURF_ERR_UNSUPPORTED
 */
export function refuseUnsupported(config: OciConfig, capabilities: Capabilities): void {
  const issues = unsupportedIssues(config, capabilities);
  if (issues.length > 0) throw new ConfigError(issues, 'TURF_ERR_UNSUPPORTED');
}

export function unsupportedIssues(config: OciConfig, capabilities: Capabilities): ConfigIssue[] {
  const issues: ConfigIssue[] = [];
  for (const { path, value, reason, supported } of REFUSALS) {
    if (isSet(value(config)) && supported?.(capabilities) !== true)
      issues.push({ path, message: reason ?? NOT_YET });
  }
  for (const [index, mount] of (config.mounts ?? []).entries()) issues.push(...mountIssues(mount, index));
  for (const [index, { action }] of (config.linux?.seccomp?.syscalls ?? []).entries()) {
    if (UNSUPPORTED_ACTIONS.has(action))
      issues.push({ path: `linux.seccomp.syscalls[${index}].action`, message: `${action} ${NOT_YET}` });
  }
  return issues;
}

function mountIssues(mount: OciMount, index: number): ConfigIssue[] {
  const issues: ConfigIssue[] = [];
  for (const kind of ['uidMappings', 'gidMappings'] as const) {
    if (isSet(mount[kind])) issues.push({ path: `mounts[${index}].${kind}`, message: NOT_YET });
  }
  for (const [position, option] of (mount.options ?? []).entries()) {
    if (UNSUPPORTED_MOUNT_OPTIONS.has(option))
      issues.push({ path: `mounts[${index}].options[${position}]`, message: `"${option}" ${NOT_YET}` });
  }
  return issues;
}

/** Engines write empty values for what they do not use. */
function isSet(value: unknown): boolean {
  if (value === undefined || value === '') return false;
  if (Array.isArray(value)) return value.length > 0;
  return typeof value !== 'object' || value === null || Object.keys(value).length > 0;
}

import type { OciConfig } from './config.js';
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
  { path: 'vm', value: (config) => config.vm, reason: 'is for virtual machines' },
  { path: 'windows', value: (config) => config.windows, reason: 'is for Windows' },
  { path: 'solaris', value: (config) => config.solaris, reason: 'is for Solaris' },
  { path: 'zos', value: (config) => config.zos, reason: 'is for z/OS' },
];

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
  return issues;
}

/** Engines write empty values for what they do not use. */
function isSet(value: unknown): boolean {
  if (value === undefined || value === '') return false;
  if (Array.isArray(value)) return value.length > 0;
  return typeof value !== 'object' || value === null || Object.keys(value).length > 0;
}

import { TurfError } from '../../cli/turf-error.js';
import type { OciDeviceRule } from '../../oci-spec/config.js';

/** One step of a device policy; later steps override earlier ones. */
export interface DeviceRule {
  readonly allow: boolean;
  /** `a`: every device, and major and minor are undefined. */
  readonly type: 'a' | 'b' | 'c';
  /** undefined: every number. */
  readonly major: number | undefined;
  readonly minor: number | undefined;
  /** A non-empty subset of `rwm` in that order. */
  readonly access: string;
}

const allow = (type: 'b' | 'c', major?: number, minor?: number, access = 'rwm'): DeviceRule => ({
  allow: true,
  type,
  major,
  minor,
  access,
});

/**
 * Devices that every container may use: runtime-spec config-linux.md "Default Devices", and mknod of anything, which gives no
 * access by itself.
 */
export const DEFAULT_DEVICE_RULES: readonly DeviceRule[] = [
  allow('c', undefined, undefined, 'm'),
  allow('b', undefined, undefined, 'm'),
  allow('c', 1, 3), // null
  allow('c', 1, 5), // zero
  allow('c', 1, 7), // full
  allow('c', 1, 8), // random
  allow('c', 1, 9), // urandom
  allow('c', 5, 0), // tty
  allow('c', 5, 1), // console
  allow('c', 5, 2), // ptmx
  allow('c', 136), // pts/*
];

const ALL: Omit<DeviceRule, 'allow'> = { type: 'a', major: undefined, minor: undefined, access: 'rwm' };

function parse(rule: OciDeviceRule, index: number): DeviceRule {
  const path = `linux.resources.devices[${index}]`;
  const refuse = (member: string, why: string): never => {
    throw new TurfError('TURF_ERR_CONFIG', `${path}.${member}: ${why}`, { path: `${path}.${member}` });
  };
  const number = (value: number | undefined): number | undefined =>
    value === undefined || value < 0 ? undefined : value;
  const { type = 'a' } = rule;
  const major = number(rule.major);
  const minor = number(rule.minor);
  if (type === '' || type === 'a') {
    if (major !== undefined || minor !== undefined) {
      refuse('type', 'a rule for all types (a) cannot name a major or minor number');
    }
    return { allow: rule.allow, ...ALL };
  }
  if (type !== 'b' && type !== 'c' && type !== 'u') {
    return refuse('type', `${JSON.stringify(type)} is none of a, b, c, u`);
  }
  const given = rule.access === undefined || rule.access === '' ? 'rwm' : rule.access;
  if (!/^[rwm]+$/.test(given)) refuse('access', `${JSON.stringify(given)} is not made of r, w and m`);
  const access = ['r', 'w', 'm'].filter((letter) => given.includes(letter)).join('');
  return { allow: rule.allow, type: type === 'b' ? 'b' : 'c', major, minor, access };
}

/**
 * The whole policy: nothing is allowed but the default devices and what the rules allow, in their order.
 *
 * @param rules linux.resources.devices
 * @returns starts with an `a` rule; steps before the last `a` rule have no effect and are left out
 * @throws TurfError TURF_ERR_CONFIG
 */
export function devicePolicy(rules: readonly OciDeviceRule[] = []): readonly DeviceRule[] {
  const steps: DeviceRule[] = [{ allow: false, ...ALL }];
  for (const rule of rules.map(parse)) {
    if (rule.type === 'a') steps.length = 0;
    steps.push(rule);
  }
  const everything = steps.length === 1 && steps[0]?.allow === true;
  return everything ? steps : [...steps, ...DEFAULT_DEVICE_RULES];
}

/** A rule as devices.allow and devices.deny of cgroup v1 take it. */
export function v1DeviceLine({ type, major, minor, access }: DeviceRule): string {
  return type === 'a' ? 'a' : `${type} ${major ?? '*'}:${minor ?? '*'} ${access}`;
}

import type { DeviceRule } from './device-rules.js';
import type { UnitProperty } from './systemd-properties.js';

/** `c` or `b` and a major number, as `c136` → the name that /proc/devices has for it, as `pts`. */
export type DeviceGroups = ReadonlyMap<string, string>;

/** @param text of /proc/devices (proc(5)) */
export function parseDeviceGroups(text: string): DeviceGroups {
  const groups = new Map<string, string>();
  let type = 'c';
  for (const line of text.split('\n')) {
    if (line.startsWith('Block devices')) type = 'b';
    const [, major, name] = /^ *(\d+) (\S+)$/.exec(line) ?? [];
    if (major !== undefined && name !== undefined && !groups.has(type + major))
      groups.set(type + major, name);
  }
  return groups;
}

const overlaps = (a: DeviceRule, b: DeviceRule): boolean =>
  (a.type === b.type || b.type === 'a') &&
  (a.major === undefined || b.major === undefined || a.major === b.major) &&
  (a.minor === undefined || b.minor === undefined || a.minor === b.minor);

/** What is allowed in the end. Of a rule that a later one takes something from, nothing is left of that access. */
function allowed(policy: readonly DeviceRule[]): readonly DeviceRule[] {
  let rules: readonly DeviceRule[] = [];
  for (const rule of policy) {
    if (rule.allow) {
      rules = [...rules, rule];
      continue;
    }
    const taken = (one: DeviceRule): string => (overlaps(one, rule) ? rule.access : '');
    const left = (one: DeviceRule): string =>
      ['r', 'w', 'm']
        .filter((letter) => one.access.includes(letter) && !taken(one).includes(letter))
        .join('');
    rules = rules.map((one) => ({ ...one, access: left(one) })).filter(({ access }) => access !== '');
  }
  return rules;
}

/** As DeviceAllow= names devices (systemd.resource-control(5)); undefined where it has no name for them. */
function specifier({ type, major, minor }: DeviceRule, groups: DeviceGroups): string | undefined {
  const kind = type === 'b' ? 'block' : 'char';
  if (major === undefined) return minor === undefined ? `${kind}-*` : undefined;
  if (minor !== undefined) return `/dev/${kind}/${major}:${minor}`;
  const group = groups.get(`${type}${major}`);
  return group === undefined ? undefined : `${kind}-${group}`;
}

/**
 * A device policy for cgroup v1, where systemd writes devices.allow of its own accord, with each `daemon-reload` anew: a unit without a policy
 * gets every device. What systemd has no name for is left out, so that its list is never the wider one.
 *
 * @param policy of devicePolicy(): begins with a rule for all devices
 */
export function deviceProperties(
  policy: readonly DeviceRule[],
  groups: DeviceGroups,
): readonly UnitProperty[] {
  if (policy[0]?.allow === true) return [];
  const list = allowed(policy).flatMap((rule) => {
    const name = specifier(rule, groups);
    return name === undefined ? [] : [name, rule.access];
  });
  return [
    { name: 'DevicePolicy', signature: 's', value: ['strict'] },
    { name: 'DeviceAllow', signature: 'a(ss)', value: [String(list.length / 2), ...list] },
  ];
}

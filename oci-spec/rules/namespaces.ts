import type { OciConfig, OciIdMapping, OciLinux } from '../config.js';
import { type Report, show } from '../config-error.js';
import type { NamespaceType } from '../namespaces.js';

/** The kernel's limit on lines of uid_map since 4.15 (user_namespaces(7)). */
const MAX_MAPPINGS = 340;
/** __NEW_UTS_LEN of linux/utsname.h, bytes. */
const MAX_HOSTNAME = 64;
const ID_SPACE = 0x1_0000_0000;

/** Whether the container is to have a namespace of that type, new or given by path. */
export type HasNamespace = (type: NamespaceType) => boolean;

/** runtime-spec config-linux.md "Namespaces", "User namespace mappings", "Offset for Time Namespace"; config.md "Hostname". */
export function checkNamespaces(config: OciConfig, has: HasNamespace, report: Report): void {
  const linux = config.linux ?? {};
  const seen = new Set<string>();
  for (const [index, { type, path }] of (linux.namespaces ?? []).entries()) {
    if (seen.has(type)) report(`linux.namespaces[${index}].type`, `repeats ${show(type)}`);
    seen.add(type);
    if (path !== undefined && path !== '' && !path.startsWith('/'))
      report(`linux.namespaces[${index}].path`, `must be an absolute path, got ${show(path)}`);
  }
  checkMappings(config, linux, report);
  checkNames(config, has, report);
  checkTimeOffsets(linux, has, report);
}

function checkMappings(config: OciConfig, linux: OciLinux, report: Report): void {
  const userNamespace = linux.namespaces?.find(({ type }) => type === 'user');
  const isNew = userNamespace !== undefined && (userNamespace.path ?? '') === '';
  for (const kind of ['uid', 'gid'] as const) {
    const path = `linux.${kind}Mappings`;
    const mappings = linux[`${kind}Mappings`] ?? [];
    if (mappings.length > 0 && userNamespace === undefined)
      report(path, 'needs a user namespace in linux.namespaces');
    if (mappings.length === 0 && isNew) report(path, 'is required for a new user namespace');
    checkMappingList(mappings, path, report);
    if (mappings.length > 0 && isNew) checkMapped(config, kind, mappings, report);
  }
}

/** What the kernel takes as a map: user_namespaces(7), "Defining user and group ID mappings". */
export function checkMappingList(mappings: readonly OciIdMapping[], path: string, report: Report): void {
  if (mappings.length > MAX_MAPPINGS)
    report(path, `must have at most ${MAX_MAPPINGS} entries, got ${mappings.length}`);
  for (const [index, { containerID, hostID, size }] of mappings.entries()) {
    if (size === 0) report(`${path}[${index}].size`, 'must be greater than zero, got 0');
    if (containerID + size > ID_SPACE || hostID + size > ID_SPACE)
      report(`${path}[${index}].size`, `reaches beyond the last id 4294967295, got ${size}`);
  }
  checkOverlap(mappings, 'containerID', path, report);
  checkOverlap(mappings, 'hostID', path, report);
}

function checkOverlap(
  mappings: readonly OciIdMapping[],
  side: 'containerID' | 'hostID',
  path: string,
  report: Report,
): void {
  const sorted = mappings.map((mapping, index) => ({ mapping, index }));
  sorted.sort((a, b) => a.mapping[side] - b.mapping[side]);
  let end = 0;
  for (const { mapping, index } of sorted) {
    if (mapping[side] < end)
      report(`${path}[${index}].${side}`, `overlaps another entry, got ${mapping[side]}`);
    end = Math.max(end, mapping[side] + mapping.size);
  }
}

/** setresuid(2), setresgid(2) and setgroups(2) fail for ids without a mapping. */
function checkMapped(
  config: OciConfig,
  kind: 'uid' | 'gid',
  mappings: readonly OciIdMapping[],
  report: Report,
): void {
  const isMapped = (id: number): boolean =>
    mappings.some(({ containerID, size }) => id >= containerID && id < containerID + size);
  const user = config.process?.user ?? { uid: 0, gid: 0 };
  if (!isMapped(user[kind]))
    report(`process.user.${kind}`, `is not in linux.${kind}Mappings, got ${user[kind]}`);
  if (kind === 'uid') return;
  for (const [index, gid] of (user.additionalGids ?? []).entries()) {
    if (!isMapped(gid))
      report(`process.user.additionalGids[${index}]`, `is not in linux.gidMappings, got ${gid}`);
  }
}

function checkNames(config: OciConfig, has: HasNamespace, report: Report): void {
  for (const name of ['hostname', 'domainname'] as const) {
    const value = config[name] ?? '';
    if (value === '') continue;
    if (!has('uts')) report(name, 'needs a uts namespace in linux.namespaces');
    if (Buffer.byteLength(value) > MAX_HOSTNAME)
      report(name, `must be at most ${MAX_HOSTNAME} bytes, got ${Buffer.byteLength(value)}`);
  }
}

function checkTimeOffsets(linux: OciLinux, has: HasNamespace, report: Report): void {
  const offsets = Object.entries(linux.timeOffsets ?? {});
  const time = linux.namespaces?.find(({ type }) => type === 'time');
  if (offsets.length > 0 && !has('time'))
    report('linux.timeOffsets', 'needs a time namespace in linux.namespaces');
  else if (offsets.length > 0 && (time?.path ?? '') !== '')
    report('linux.timeOffsets', 'is for a new time namespace: one that is joined has its own');
  for (const [clock, { nanosecs }] of offsets) {
    const path = `linux.timeOffsets.${clock}`;
    if (clock !== 'monotonic' && clock !== 'boottime')
      report(path, `unknown clock ${show(clock)}: must be "monotonic" or "boottime"`);
    if (nanosecs !== undefined && nanosecs > 999_999_999)
      report(`${path}.nanosecs`, `must be at most 999999999, got ${nanosecs}`);
  }
}

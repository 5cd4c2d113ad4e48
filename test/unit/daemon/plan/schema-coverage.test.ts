import t from 'tap';
import { configSchema } from '../../../../oci-spec/config-schema.js';
import type { OciConfig } from '../../../../oci-spec/config.js';
import type { JsonSchema } from '../../../../oci-spec/schema-builder.js';
import { unsupportedIssues } from '../../../../oci-spec/unsupported.js';
import { compile, V1 } from './plan-fixture.js';

/** Who acts on a field, where it is not the compiler. */
const ELSEWHERE: readonly (readonly [RegExp, string])[] = [
  [/^ociVersion$|^annotations|^turf\.|^process\.user\.username$/, 'validation and the daemon'],
  [/^linux\.resources\.|^linux\.cgroupsPath$/, 'cgroups'],
  [/^hooks\.(prestart|createRuntime|poststart|poststop)\[/, 'the daemon runs these hooks'],
  [/^linux\.(uid|gid)Mappings\[/, 'the daemon writes the maps'],
  [/^root\.path$/, 'PlanInput.rootfs is this path, resolved'],
  [/^linux\.seccomp\./, 'PlanInput.seccomp is this profile, compiled'],
  [/^process\.execCPUAffinity\./, 'of exec, not of the first process'],
  [/^linux\.(intelRdt|netDevices)/, 'the daemon lends them while the first process waits'],
  [/^mounts\[\]\.(uid|gid)Mappings/, 'PlanInput.bindSourceFds is the source, mapped'],
  [/^linux\.personality\.flags/, 'the specification defines no flag'],
  [/^linux\.namespaces\[\]\.path$/, 'PlanInput.namespaceFds is this path, opened'],
];

/** Has every field that the compiler acts on. */
const FULL: OciConfig = {
  ociVersion: '1.2.0',
  root: { path: 'rootfs', readonly: false },
  hostname: 'h',
  domainname: 'd',
  process: {
    terminal: true,
    consoleSize: { height: 1, width: 1 },
    user: { uid: 1, gid: 1, umask: 1, additionalGids: [1] },
    args: ['a'],
    env: ['A=1'],
    cwd: '/',
    capabilities: {
      bounding: ['CAP_CHOWN'],
      effective: ['CAP_CHOWN'],
      inheritable: ['CAP_CHOWN', 'CAP_KILL'],
      permitted: ['CAP_CHOWN', 'CAP_KILL'],
      ambient: ['CAP_CHOWN'],
    },
    rlimits: [{ type: 'RLIMIT_CPU', soft: 1, hard: 1 }],
    noNewPrivileges: false,
    apparmorProfile: 'p',
    selinuxLabel: 'l',
    oomScoreAdj: 1,
    scheduler: {
      policy: 'SCHED_FIFO',
      nice: 1,
      priority: 1,
      flags: ['SCHED_FLAG_RECLAIM'],
      runtime: 1,
      deadline: 1,
      period: 1,
    },
    ioPriority: { class: 'IOPRIO_CLASS_BE', priority: 1 },
  },
  mounts: [{ destination: '/m', type: 'tmpfs', source: 's', options: ['ro'] }],
  hooks: {
    createContainer: [{ path: '/h', args: ['h'], env: ['A=1'], timeout: 1 }],
    startContainer: [{ path: '/h', args: ['h'], env: ['A=1'], timeout: 1 }],
  },
  linux: {
    namespaces: [{ type: 'cgroup' }, { type: 'mount' }, { type: 'uts' }, { type: 'time' }],
    timeOffsets: { monotonic: { secs: 1, nanosecs: 1 } },
    memoryPolicy: { mode: 'MPOL_BIND', nodes: '1', flags: ['MPOL_F_STATIC_NODES'] },
    devices: [{ type: 'c', path: '/dev/x', major: 1, minor: 1, fileMode: 0o600, uid: 1, gid: 1 }],
    rootfsPropagation: 'private',
    sysctl: { 'kernel.x': '1' },
    maskedPaths: ['/a'],
    readonlyPaths: ['/a'],
    mountLabel: 'l',
    personality: { domain: 'LINUX' },
  },
};

/** Other values, where the first that comes to mind is no valid one. */
const OTHER: Readonly<Record<string, unknown>> = {
  'process.rlimits[].type': 'RLIMIT_AS',
  'mounts[].options[]': 'nosuid',
  'linux.namespaces[].type': 'ipc',
  'linux.devices[].type': 'b',
  'process.scheduler.policy': 'SCHED_RR',
  'process.scheduler.flags[]': 'SCHED_FLAG_DL_OVERRUN',
  'process.ioPriority.class': 'IOPRIO_CLASS_IDLE',
  'linux.memoryPolicy.mode': 'MPOL_PREFERRED',
  'linux.memoryPolicy.flags[]': 'MPOL_F_RELATIVE_NODES',
  'linux.timeOffsets{}.secs': 2,
};

function leaves(schema: JsonSchema, path = ''): string[] {
  const { properties, items, additionalProperties } = schema;
  if (properties !== undefined && Object.keys(properties).length > 0) {
    return Object.entries(properties).flatMap(([key, member]) =>
      leaves(member, path === '' ? key : `${path}.${key}`),
    );
  }
  if (items !== undefined) return leaves(items, `${path}[]`);
  if (additionalProperties !== undefined) return leaves(additionalProperties, `${path}{}`);
  return [path];
}

/** `a[].b{}` as the keys to follow: first element, first member. */
function keysOf(path: string): string[] {
  return path.split(/\.|(?=\[\])|(?=\{\})/);
}

function change(value: unknown, path: string): unknown {
  if (path in OTHER) return OTHER[path];
  if (typeof value === 'number') return value + 1;
  if (typeof value === 'boolean') return !value;
  if (path.startsWith('process.capabilities')) return 'CAP_KILL';
  if (path === 'linux.rootfsPropagation') return 'slave';
  if (path === 'linux.personality.domain') return 'LINUX32';
  if (typeof value === 'string') return `${value}1`;
  throw new Error(`${path} is not in the test's config`);
}

/** A copy of `value` in which the field at `keys` is `to(old)`. */
function edited(value: unknown, keys: readonly string[], to: (old: unknown) => unknown): unknown {
  const [key, ...rest] = keys;
  if (key === undefined) return to(value);
  if (key === '[]') {
    const list: unknown[] = Array.isArray(value) ? value : [];
    return [edited(list[0], rest, to), ...list.slice(1)];
  }
  const members = new Map(Object.entries(typeof value === 'object' && value !== null ? value : {}));
  const name = key === '{}' ? ([...members.keys()][0] ?? 'key') : key;
  members.set(name, edited(members.get(name), rest, to));
  return Object.fromEntries(members);
}

function bytesOf(config: OciConfig): string {
  const { plan } = compile(config, { cgroup: { enterFds: [], mounts: V1 } });
  return `${plan.cloneFlags} ${plan.bytes.toString('hex')}`;
}

function isRefused(path: string): boolean {
  const config = edited({ ociVersion: '1.2.0' }, keysOf(path), () => 'x') as OciConfig;
  const root = path.replaceAll('[]', '[0]').replaceAll('{}', '');
  return unsupportedIssues(config, { apparmor: false, selinux: false }).some((issue) =>
    root.startsWith(issue.path),
  );
}

await t.test('every field of the schema is compiled, acted on elsewhere, or refused', (t) => {
  const baseline = bytesOf(FULL);
  for (const path of leaves(configSchema.json)) {
    const elsewhere = ELSEWHERE.find(([pattern]) => pattern.test(path));
    if (elsewhere !== undefined) t.pass(`${path}: ${elsewhere[1]}`);
    else if (isRefused(path) && !path.endsWith('Profile') && !path.endsWith('Label'))
      t.pass(`${path}: refused`);
    else {
      const config = edited(FULL, keysOf(path), (value) => change(value, path)) as OciConfig;
      t.not(bytesOf(config), baseline, `${path}: changes the plan`);
    }
  }
  t.end();
});

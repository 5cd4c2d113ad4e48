import { NAMESPACE_TYPES } from './namespaces.js';
import {
  array,
  boolean,
  int64,
  integer,
  object,
  oneOf,
  record,
  string,
  uint32,
  uint64,
} from './schema-builder.js';
import { MEMORY_POLICY_FLAGS, MEMORY_POLICY_MODES, namesOf } from './scheduling-names.js';
import { resourcesSchema } from './schema-resources.js';
import { SECCOMP_ACTIONS, SECCOMP_ARCHS, SECCOMP_FLAG_NAMES, SECCOMP_OPERATORS } from './seccomp-names.js';

/** runtime-spec config-linux.md. */

export const namespaceSchema = object({ type: oneOf(NAMESPACE_TYPES), path: string }, ['type']);

export const idMappingSchema = object({ containerID: uint32, hostID: uint32, size: uint32 }, [
  'containerID',
  'hostID',
  'size',
]);

export const idMappingsSchema = array(idMappingSchema);

export const deviceSchema = object(
  {
    type: oneOf(['c', 'b', 'u', 'p']),
    path: string,
    major: integer(0, 0xffff_ffff),
    minor: integer(0, 0xffff_ffff),
    /** May carry the S_IFMT bits of stat(2). */
    fileMode: uint32,
    uid: uint32,
    gid: uint32,
  },
  ['type', 'path'],
);

export const seccompArgSchema = object(
  { index: integer(0, 5), value: uint64, valueTwo: uint64, op: oneOf(SECCOMP_OPERATORS) },
  ['index', 'value', 'op'],
);

export const seccompSyscallSchema = object(
  {
    names: array(string, 1),
    action: oneOf(SECCOMP_ACTIONS),
    errnoRet: uint32,
    args: array(seccompArgSchema),
  },
  ['names', 'action'],
);

export const seccompSchema = object(
  {
    defaultAction: oneOf(SECCOMP_ACTIONS),
    defaultErrnoRet: uint32,
    architectures: array(oneOf(SECCOMP_ARCHS)),
    flags: array(oneOf(SECCOMP_FLAG_NAMES)),
    listenerPath: string,
    listenerMetadata: string,
    syscalls: array(seccompSyscallSchema),
  },
  ['defaultAction'],
);

export const intelRdtSchema = object({
  closID: string,
  l3CacheSchema: string,
  memBwSchema: string,
  schemata: array(string),
  enableMonitoring: boolean,
  enableCMT: boolean,
  enableMBM: boolean,
});

export const memoryPolicySchema = object(
  {
    mode: oneOf(namesOf(MEMORY_POLICY_MODES)),
    nodes: string,
    flags: array(oneOf(namesOf(MEMORY_POLICY_FLAGS))),
  },
  ['mode'],
);

export const personalitySchema = object({ domain: oneOf(['LINUX', 'LINUX32']), flags: array(string) }, [
  'domain',
]);

export const netDevicesSchema = record(object({ name: string }));

export const linuxSchema = object({
  namespaces: array(namespaceSchema),
  uidMappings: idMappingsSchema,
  gidMappings: idMappingsSchema,
  timeOffsets: record(object({ secs: int64, nanosecs: uint32 })),
  devices: array(deviceSchema),
  netDevices: netDevicesSchema,
  cgroupsPath: string,
  resources: resourcesSchema,
  /** The recursive names are what runc takes beside the four of the specification. */
  rootfsPropagation: oneOf([
    '',
    'shared',
    'slave',
    'private',
    'unbindable',
    'rshared',
    'rslave',
    'rprivate',
    'runbindable',
  ]),
  seccomp: seccompSchema,
  sysctl: record(string),
  maskedPaths: array(string),
  readonlyPaths: array(string),
  mountLabel: string,
  intelRdt: intelRdtSchema,
  memoryPolicy: memoryPolicySchema,
  personality: personalitySchema,
});

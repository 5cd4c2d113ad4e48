import {
  array,
  boolean,
  int64,
  integer,
  object,
  record,
  string,
  uint16,
  uint32,
  uint64,
} from './schema-builder.js';

/** runtime-spec config-linux.md "Control groups": everything below linux.resources. */

/** -1 and absent both mean every device number. */
const deviceNumber = integer(-1, 0xffff_ffff);

export const deviceRuleSchema = object(
  { allow: boolean, type: string, major: deviceNumber, minor: deviceNumber, access: string },
  ['allow'],
);

/** Bytes; -1: no limit. */
export const memorySchema = object({
  limit: int64,
  reservation: int64,
  swap: int64,
  kernel: int64,
  kernelTCP: int64,
  swappiness: integer(0, 100),
  disableOOMKiller: boolean,
  useHierarchy: boolean,
  checkBeforeUpdate: boolean,
});

/** Times in microseconds. */
export const cpuSchema = object({
  shares: uint64,
  quota: int64,
  burst: uint64,
  period: uint64,
  realtimeRuntime: int64,
  realtimePeriod: uint64,
  cpus: string,
  mems: string,
  idle: integer(0, 1),
});

const throttle = object({ major: deviceNumber, minor: deviceNumber, rate: uint64 }, [
  'major',
  'minor',
  'rate',
]);

const throttles = array(throttle);

export const blockIoSchema = object({
  weight: uint16,
  leafWeight: uint16,
  weightDevice: array(
    object({ major: deviceNumber, minor: deviceNumber, weight: uint16, leafWeight: uint16 }, [
      'major',
      'minor',
    ]),
  ),
  throttleReadBpsDevice: throttles,
  throttleWriteBpsDevice: throttles,
  throttleReadIOPSDevice: throttles,
  throttleWriteIOPSDevice: throttles,
});

export const hugepageLimitSchema = object({ pageSize: string, limit: uint64 }, ['pageSize', 'limit']);

export const resourcesSchema = object({
  devices: array(deviceRuleSchema),
  memory: memorySchema,
  cpu: cpuSchema,
  pids: object({ limit: int64 }),
  blockIO: blockIoSchema,
  hugepageLimits: array(hugepageLimitSchema),
  network: object({
    classID: uint32,
    priorities: array(object({ name: string, priority: uint32 }, ['name', 'priority'])),
  }),
  rdma: record(object({ hcaHandles: uint32, hcaObjects: uint32 })),
  /** cgroup v2 file name to its content. */
  unified: record(string),
});

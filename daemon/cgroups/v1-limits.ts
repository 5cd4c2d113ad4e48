import type { OciBlockIo, OciMemory, OciResources } from '../../oci-spec/config.js';
import { hugepageSize, type Limit, LimitList, pidsLimit, refuseField } from './limit.js';

/** Limit before limit+swap: a fresh cgroup has neither, and the kernel wants limit <= limit+swap at every moment. */
function memory(list: LimitList, m: OciMemory): void {
  if (m.useHierarchy === false) {
    refuseField('memory.useHierarchy', 'the kernel always accounts hierarchically (since 5.11)');
  }
  list.addUnlessZero('memory.limit', 'memory', 'memory.limit_in_bytes', m.limit);
  list.addUnlessZero('memory.swap', 'memory', 'memory.memsw.limit_in_bytes', m.swap);
  /* a removed memory limit takes the limit of memory and swap with it, where the kernel counts swap */
  if (m.swap === undefined && m.limit !== undefined && BigInt(m.limit) === -1n) {
    list.add('memory.limit', 'memory', 'memory.memsw.limit_in_bytes', -1, { optional: true });
  }
  list.addUnlessZero('memory.reservation', 'memory', 'memory.soft_limit_in_bytes', m.reservation);
  list.addUnlessZero('memory.kernelTCP', 'memory', 'memory.kmem.tcp.limit_in_bytes', m.kernelTCP);
  list.add('memory.swappiness', 'memory', 'memory.swappiness', m.swappiness);
  if (m.disableOOMKiller === true) list.add('memory.disableOOMKiller', 'memory', 'memory.oom_control', 1);
}

const THROTTLES = [
  ['throttleReadBpsDevice', 'blkio.throttle.read_bps_device'],
  ['throttleWriteBpsDevice', 'blkio.throttle.write_bps_device'],
  ['throttleReadIOPSDevice', 'blkio.throttle.read_iops_device'],
  ['throttleWriteIOPSDevice', 'blkio.throttle.write_iops_device'],
] as const;

function blockIo(list: LimitList, b: OciBlockIo): void {
  const add = (field: string, files: readonly [string, ...string[]], value: string | undefined): void =>
    list.add(`blockIO.${field}`, 'blkio', files, value);
  const set = (weight: number | undefined): string | undefined =>
    weight === undefined || weight === 0 ? undefined : String(weight);
  add('weight', ['blkio.weight', 'blkio.bfq.weight'], set(b.weight));
  add('leafWeight', ['blkio.leaf_weight'], set(b.leafWeight));
  b.weightDevice?.forEach(({ major, minor, weight, leafWeight }, i) => {
    const of = (value: string | undefined): string | undefined => value && `${major}:${minor} ${value}`;
    const files = ['blkio.weight_device', 'blkio.bfq.weight_device'] as const;
    add(`weightDevice[${i}].weight`, files, of(set(weight)));
    add(`weightDevice[${i}].leafWeight`, ['blkio.leaf_weight_device'], of(set(leafWeight)));
  });
  for (const [field, file] of THROTTLES) {
    b[field]?.forEach(({ major, minor, rate }, i) =>
      add(`${field}[${i}]`, [file], `${major}:${minor} ${rate}`),
    );
  }
}

/**
 * What `linux.resources` (without devices) asks for on v1, in the order in which it must be written.
 *
 * @throws TurfError TURF_ERR_CGROUP for what v1 cannot do, TURF_ERR_CONFIG for a bad page size
 */
export function v1Limits(resources: OciResources): readonly Limit[] {
  const list = new LimitList();
  const { memory: m, cpu: c, pids, blockIO, hugepageLimits, network, rdma, unified } = resources;
  if (unified !== undefined && Object.keys(unified).length > 0) {
    refuseField('unified', 'this machine has cgroup v1 controllers; unified needs cgroup v2');
  }
  if (m) memory(list, m);
  if (c) {
    const idle = (): void => list.add('cpu.idle', 'cpu', 'cpu.idle', c.idle, { optional: c.idle === 0 });
    /* an idle cgroup takes no shares */
    if (c.idle === 0) idle();
    list.addUnlessZero('cpu.shares', 'cpu', 'cpu.shares', c.shares);
    list.addUnlessZero('cpu.period', 'cpu', 'cpu.cfs_period_us', c.period);
    list.addUnlessZero('cpu.quota', 'cpu', 'cpu.cfs_quota_us', c.quota);
    list.add('cpu.burst', 'cpu', 'cpu.cfs_burst_us', c.burst, { optional: Number(c.burst) === 0 });
    list.addUnlessZero('cpu.realtimePeriod', 'cpu', 'cpu.rt_period_us', c.realtimePeriod);
    list.addUnlessZero('cpu.realtimeRuntime', 'cpu', 'cpu.rt_runtime_us', c.realtimeRuntime);
    if (c.idle === 1) idle();
    if (c.cpus) list.add('cpu.cpus', 'cpuset', 'cpuset.cpus', c.cpus);
    if (c.mems) list.add('cpu.mems', 'cpuset', 'cpuset.mems', c.mems);
  }
  if (pids?.limit !== undefined) list.add('pids.limit', 'pids', 'pids.max', pidsLimit(pids.limit));
  if (blockIO) blockIo(list, blockIO);
  hugepageLimits?.forEach(({ pageSize, limit }, i) => {
    const size = hugepageSize(pageSize, i);
    const field = `hugepageLimits[${i}]`;
    list.add(field, 'hugetlb', `hugetlb.${size}.limit_in_bytes`, limit);
    list.add(field, 'hugetlb', `hugetlb.${size}.rsvd.limit_in_bytes`, limit, { optional: true });
  });
  list.addUnlessZero('network.classID', 'net_cls', 'net_cls.classid', network?.classID);
  network?.priorities?.forEach(({ name, priority }, i) =>
    list.add(`network.priorities[${i}]`, 'net_prio', 'net_prio.ifpriomap', `${name} ${priority}`),
  );
  addRdma(list, rdma);
  return list.limits;
}

/** The same file and format on v1 and v2. */
export function addRdma(list: LimitList, rdma: OciResources['rdma']): void {
  for (const [device, { hcaHandles, hcaObjects }] of Object.entries(rdma ?? {})) {
    const parts = [
      ...(hcaHandles === undefined ? [] : [`hca_handle=${hcaHandles}`]),
      ...(hcaObjects === undefined ? [] : [`hca_object=${hcaObjects}`]),
    ];
    if (parts.length > 0) list.add(`rdma.${device}`, 'rdma', 'rdma.max', `${device} ${parts.join(' ')}`);
  }
}

import { existsSync } from 'node:fs';
import t from 'tap';
import {
  createSystemdCgroup,
  requireSystemd,
  resetFailedUnit,
  startTransientUnit,
  stopUnit,
} from '../../../../daemon/cgroups/systemd.js';
import { systemdProperties } from '../../../../daemon/cgroups/systemd-properties.js';
import type { OciResources } from '../../../../oci-spec/config.js';

const unit = { pid: 42, slice: 'system.slice', unit: 'turf-c1.scope', description: 'turf container c1' };
const named = (resources: OciResources, isV2: boolean): Record<string, string> =>
  Object.fromEntries(
    systemdProperties({ ...unit, resources, isV2 }).map(({ name, value }) => [name, value.join(' ')]),
  );

void t.test('the call that starts a scope', (test) => {
  const args = startTransientUnit('turf-c1.scope', systemdProperties({ ...unit, resources: {}, isV2: true }));
  test.same(args, [
    'call',
    'org.freedesktop.systemd1',
    '/org/freedesktop/systemd1',
    'org.freedesktop.systemd1.Manager',
    'StartTransientUnit',
    'ssa(sv)a(sa(sv))',
    'turf-c1.scope',
    'replace',
    '9',
    'Description',
    's',
    'turf container c1',
    'Slice',
    's',
    'system.slice',
    'DefaultDependencies',
    'b',
    'false',
    'Delegate',
    'b',
    'true',
    'PIDs',
    'au',
    '1',
    '42',
    'MemoryAccounting',
    'b',
    'true',
    'CPUAccounting',
    'b',
    'true',
    'TasksAccounting',
    'b',
    'true',
    'IOAccounting',
    'b',
    'true',
    '0',
  ]);
  test.same(stopUnit('u').slice(4), ['StopUnit', 'ss', 'u', 'replace']);
  test.same(resetFailedUnit('u').slice(4), ['ResetFailedUnit', 's', 'u']);
  test.end();
});

void t.test('limits become properties', (test) => {
  const resources: OciResources = {
    memory: { limit: 1000, reservation: 500, swap: 1500 },
    cpu: { shares: 1024, quota: 12_345, period: 100_000 },
    pids: { limit: -1 },
  };
  test.match(named(resources, true), {
    MemoryMax: '1000',
    MemoryLow: '500',
    MemorySwapMax: '500',
    CPUWeight: '100',
    CPUQuotaPerSecUSec: '130000',
    TasksMax: '18446744073709551615',
  });
  const v1 = named(resources, false);
  test.match(v1, { MemoryLimit: '1000', CPUShares: '1024' });
  test.notOk('MemoryMax' in v1 || 'MemorySwapMax' in v1);
  test.end();
});

void t.test('what the unified map and cpusets ask for is told to systemd as well', (test) => {
  const resources: OciResources = {
    cpu: { cpus: '0-2,9', mems: '0', quota: 5000, period: 50_000 },
    blockIO: { weight: 1000 },
    unified: { 'memory.high': '4096', 'memory.min': 'max', 'memory.max': '1G', 'misc.max': 'x 1' },
  };
  const properties = named(resources, true);
  test.match(properties, {
    AllowedCPUs: '2 7 2',
    AllowedMemoryNodes: '1 1',
    CPUQuotaPerSecUSec: '100000',
    CPUQuotaPeriodUSec: '50000',
    IOWeight: '10000',
    MemoryHigh: '4096',
    MemoryMin: '18446744073709551615',
  });
  test.notOk('MemoryMax' in properties, 'systemd does not know the suffix: the kernel does');
  test.notOk('AllowedCPUs' in named({ cpu: { cpus: '3-x' } }, true), 'the kernel refuses it');
  test.end();
});

void t.test(
  'a scope says where it will be before systemd has made it, for bind mounts of the cgroup',
  (test) => {
    const common = {
      slice: 'a-b.slice',
      unit: 'c1.scope',
      description: '',
      attachDeviceFilter: () => test.fail('nothing is made yet'),
      busctl: () => Promise.reject(new Error('nobody may call')),
    };
    const v2 = createSystemdCgroup({ ...common, layout: { mode: 'v2', root: '/cg' } });
    test.equal(v2.needsPid, true);
    test.match(v2.describe(), {
      manager: 'systemd',
      unit: 'c1.scope',
      hierarchies: [],
      unified: { directory: '/cg/a.slice/a-b.slice/c1.scope', made: false },
    });
    const memory = { controllers: ['memory'], mountPoint: '/cg/memory', mountName: 'memory' };
    const v1 = createSystemdCgroup({ ...common, layout: { mode: 'v1', hierarchies: [memory] } });
    test.match(v1.describe(), { hierarchies: [{ directory: '/cg/memory/a.slice/a-b.slice/c1.scope' }] });
    test.notOk('unified' in v1.describe());
    test.end();
  },
);

void t.test('a machine without systemd is told so', (test) => {
  test.throws(() => requireSystemd('/nonexistent'), {
    code: 'TURF_ERR_CGROUP',
    message: /systemd is not running on this host, cannot use systemd cgroup manager$/,
  });
  if (existsSync('/run/systemd/system')) test.doesNotThrow(() => requireSystemd());
  test.end();
});

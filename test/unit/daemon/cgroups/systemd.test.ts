import { existsSync } from 'node:fs';
import t from 'tap';
import {
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

void t.test('a machine without systemd is told so', (test) => {
  test.throws(() => requireSystemd('/nonexistent'), {
    code: 'TURF_ERR_CGROUP',
    message: /systemd is not running on this host, cannot use systemd cgroup manager$/,
  });
  if (existsSync('/run/systemd/system')) test.doesNotThrow(() => requireSystemd());
  test.end();
});

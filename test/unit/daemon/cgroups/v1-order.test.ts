import t from 'tap';
import { v1Limits } from '../../../../daemon/cgroups/v1-limits.js';
import { orderV1Limits, v1Conflict } from '../../../../daemon/cgroups/v1-order.js';
import type { OciResources } from '../../../../oci-spec/config.js';

const order = (resources: OciResources, now: Readonly<Record<string, string>>): string[] =>
  orderV1Limits(v1Limits(resources), (_, file) => now[file]).map(
    ({ files, value }) => `${files[0]}=${value}`,
  );

void t.test('memory: raising writes memory and swap first, lowering the memory limit first', (test) => {
  const memory = { limit: 100, swap: 200 };
  test.same(order({ memory }, { 'memory.memsw.limit_in_bytes': '500' }), [
    'memory.limit_in_bytes=100',
    'memory.memsw.limit_in_bytes=200',
  ]);
  test.same(order({ memory }, { 'memory.memsw.limit_in_bytes': '50' }), [
    'memory.memsw.limit_in_bytes=200',
    'memory.limit_in_bytes=100',
  ]);
  test.same(order({ memory: { limit: -1 } }, { 'memory.memsw.limit_in_bytes': '50' }), [
    'memory.memsw.limit_in_bytes=-1',
    'memory.limit_in_bytes=-1',
  ]);
  test.end();
});

void t.test('cpu: no moment exceeds both the old and the new quota of a period', (test) => {
  const cpu = { quota: 5000, period: 10_000 };
  test.same(order({ cpu }, { 'cpu.cfs_period_us': '1000' }), [
    'cpu.cfs_period_us=10000',
    'cpu.cfs_quota_us=5000',
  ]);
  test.same(order({ cpu }, { 'cpu.cfs_period_us': '50000' }), [
    'cpu.cfs_quota_us=5000',
    'cpu.cfs_period_us=10000',
  ]);
  test.end();
});

void t.test('cpu: a smaller burst goes before the quota, a greater one after it', (test) => {
  const cpu = { quota: 5000, burst: 300 };
  test.same(order({ cpu }, { 'cpu.cfs_burst_us': '4000' }), [
    'cpu.cfs_burst_us=300',
    'cpu.cfs_quota_us=5000',
  ]);
  test.same(order({ cpu }, { 'cpu.cfs_burst_us': '0' }), ['cpu.cfs_quota_us=5000', 'cpu.cfs_burst_us=300']);
  test.end();
});

void t.test('what contradicts a limit that stays', (test) => {
  const now: Readonly<Record<string, string>> = {
    'memory.limit_in_bytes': '1000',
    'memory.memsw.limit_in_bytes': '2000',
    'cpu.cfs_quota_us': '5000',
  };
  const conflict = (resources: OciResources): string | undefined =>
    v1Conflict(v1Limits(resources), (_, file) => now[file])?.field;
  test.equal(conflict({ memory: { limit: 2001 } }), 'linux.resources.memory.limit');
  test.equal(conflict({ memory: { limit: 2001, swap: 4000 } }), undefined);
  test.equal(conflict({ memory: { limit: -1 } }), undefined);
  test.equal(conflict({ memory: { swap: 999 } }), 'linux.resources.memory.swap');
  test.equal(conflict({ memory: { swap: -1 } }), undefined);
  test.equal(conflict({ cpu: { burst: 5001 } }), 'linux.resources.cpu.burst');
  test.equal(conflict({ cpu: { burst: 5001, quota: -1 } }), undefined);
  test.end();
});

import { existsSync } from 'node:fs';
import t from 'tap';
import { resetFailedUnit, startTransientUnit, stopUnit } from '../../../../daemon/cgroups/busctl.js';
import { createSystemdCgroup, requireSystemd } from '../../../../daemon/cgroups/systemd.js';
import { systemdProperties } from '../../../../daemon/cgroups/systemd-properties.js';
import type { OciResources } from '../../../../oci-spec/config.js';

const unit = {
  pid: 42,
  slice: 'system.slice',
  unit: 'turf-c1.scope',
  description: 'turf container c1',
  deviceGroups: new Map([['c136', 'pts']]),
};
const named = (resources: OciResources, isV2: boolean): Record<string, string> =>
  Object.fromEntries(
    systemdProperties({ ...unit, resources, isV2 }).map(({ name, value }) => [name, value.join(' ')]),
  );

void t.test('the call that starts a scope', (test) => {
  const args = startTransientUnit('turf-c1.scope', systemdProperties({ ...unit, resources: {}, isV2: true }));
  test.same(args, [
    '--',
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
  test.same(stopUnit('u').slice(5), ['StopUnit', 'ss', 'u', 'replace']);
  test.same(resetFailedUnit('u').slice(5), ['ResetFailedUnit', 's', 'u']);
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
  test.equal(v1['DevicePolicy'], 'strict', 'systemd would allow every device with the next daemon-reload');
  test.notOk('DevicePolicy' in named(resources, true), 'a program of turf’s decides');
  test.end();
});

void t.test('what the unified map and cpusets ask for is told to systemd as well', (test) => {
  const resources: OciResources = {
    cpu: { cpus: '0-2,9', mems: '0', quota: 5000, period: 50_000 },
    blockIO: { weight: 1000 },
    unified: {
      'memory.high': '4096',
      'memory.min': 'max',
      'memory.max': '1G',
      'misc.max': 'x 1',
      'memory.low': '0x10',
    },
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
  test.equal(properties['MemoryMax'], '1073741824', "systemd does not know the kernel's suffix");
  test.notOk('MemoryLow' in properties, 'the kernel takes it');
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

void t.test('idle is a weight to systemd', (test) => {
  test.equal(named({ cpu: { idle: 1, shares: 1024 } }, true)['CPUWeight'], '0');
  test.equal(named({ cpu: { idle: 0, shares: 262_144 } }, true)['CPUWeight'], '10000');
  test.equal(
    named({ cpu: { idle: 0 } }, true)['CPUWeight'],
    '100',
    'what was idle has the default weight again',
  );
  test.end();
});

/** A scope whose calls go to `answer`; what was called, by method, is in `calls`. */
function scope(answer: (method: string) => string, resources: OciResources = {}) {
  const calls: string[][] = [];
  const cgroup = createSystemdCgroup({
    slice: 'system.slice',
    unit: '-x.scope',
    description: '',
    layout: { mode: 'v2', root: '/nonexistent' },
    resources,
    attachDeviceFilter: () => undefined,
    busctl: (args) => {
      const rest = args[0] === '--' ? args.slice(5) : args.slice(-1);
      calls.push([...rest]);
      return Promise.resolve().then(() => answer(rest[0] ?? ''));
    },
  });
  return { cgroup, calls, methods: () => calls.map(([method]) => method) };
}

const failing =
  (...methods: readonly string[]) =>
  (method: string): string => {
    if (methods.includes(method)) throw new Error(`no ${method}`);
    return '';
  };

void t.test("a unit that was not started is not stopped: it is somebody else's", async (test) => {
  const never = scope(failing());
  await never.cgroup.destroy();
  test.same(never.methods(), []);
  const refused = scope(failing('StartTransientUnit'));
  await test.rejects(refused.cgroup.start(process.pid), {
    code: 'TURF_ERR_CGROUP',
    message: /start the systemd unit -x.scope: no StartTransientUnit/,
  });
  await refused.cgroup.destroy();
  test.same(refused.methods(), ['StartTransientUnit']);
  const taken = scope(() => {
    throw new Error('Call failed: Unit -x.scope was already loaded or has a fragment file.');
  });
  await test.rejects(taken.cgroup.start(process.pid), { message: /was already loaded/ });
  await taken.cgroup.destroy();
  test.notOk(taken.methods().includes('StopUnit'));
});

void t.test('a failed unit of the same name is reset, once', async (test) => {
  let tries = 0;
  const left = scope((method) => {
    if (method === 'StartTransientUnit' && tries++ === 0) throw new Error('Unit -x.scope already exists.');
    return '';
  });
  /* a process that has gone: the unit was started, and is stopped */
  await test.rejects(left.cgroup.start(2 ** 30), { message: /ended before -x.scope was started/ });
  test.same(left.methods(), [
    'StartTransientUnit',
    'ResetFailedUnit',
    'StartTransientUnit',
    'StopUnit',
    'ResetFailedUnit',
  ]);
});

void t.test('an old systemd is not told of idle', async (test) => {
  for (const [version, told] of [
    ['249.11-0ubuntu3', false],
    ['252.31-1~deb12u1', true],
  ] as const) {
    const { cgroup, calls } = scope((method) => (method === 'Version' ? `s "${version}"\n` : ''), {
      cpu: { idle: 1 },
    });
    await test.rejects(cgroup.start(2 ** 30));
    const start = calls.find(([method]) => method === 'StartTransientUnit');
    test.equal(start?.includes('CPUWeight'), told, version);
  }
});

void t.test('a machine without systemd is told so', (test) => {
  test.throws(() => requireSystemd('/nonexistent'), {
    code: 'TURF_ERR_CGROUP',
    message: /systemd is not running on this host, cannot use systemd cgroup manager$/,
  });
  if (existsSync('/run/systemd/system')) test.doesNotThrow(() => requireSystemd());
  test.end();
});

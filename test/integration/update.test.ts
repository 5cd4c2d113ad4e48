import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { bundle } from './harness/bundle.js';
import { requires } from './harness/requires.js';
import { Turfd } from './harness/turfd.js';

const limits = requires('cgroup-v1', 'controller:memory', 'controller:pids', 'controller:cpu');

await t.test('update changes the limits of a container', limits, async (t) => {
  const turfd = await Turfd.start(t);
  const id = turfd.id('u');
  const made = bundle(t, ['/bin/sleep', '1000'], (config) => {
    config.linux.cgroupsPath = `/${id}`;
    config.linux.resources = {
      memory: { limit: 64 << 20, swap: 64 << 20 },
      cpu: { quota: 50_000, period: 100_000 },
    };
  });
  await turfd.ok(['run', '--detach', '--bundle', made.path, id]);
  const read = (controller: string, file: string): string =>
    readFileSync(join('/sys/fs/cgroup', controller, id, file), 'utf8').trim();
  const update = (...args: string[]) => turfd.turf(['update', ...args, id]);

  await t.test('by flags, with size suffixes', async (t) => {
    const flags = [
      '--memory',
      '96m',
      '--memory-swap',
      '128MiB',
      '--memory-reservation',
      '1.5m',
      '--pids-limit',
      '33',
    ];
    t.match(await update(...flags, '--cpu-share', '512', '--cpu-quota', '20000', '--cpu-period', '40000'), {
      status: 0,
      stdout: '',
      stderr: '',
    });
    t.equal(read('memory', 'memory.limit_in_bytes'), String(96 << 20));
    t.equal(read('memory', 'memory.memsw.limit_in_bytes'), String(128 << 20));
    t.equal(read('memory', 'memory.soft_limit_in_bytes'), String((3 << 20) / 2));
    t.equal(read('pids', 'pids.max'), '33');
    t.equal(read('cpu', 'cpu.shares'), '512');
    t.equal(read('cpu', 'cpu.cfs_quota_us'), '20000');
    t.equal(read('cpu', 'cpu.cfs_period_us'), '40000');
  });

  await t.test('lowering, raising and removing memory and swap in one call', async (t) => {
    for (const [memory, swap] of [
      ['32m', '40m'],
      ['256m', '512m'],
      ['-1', '-1'],
      ['64m', '64m'],
    ] as const) {
      t.equal((await update('-m', memory, '--memory-swap', swap)).status, 0, `${memory} ${swap}`);
    }
    t.equal(read('memory', 'memory.limit_in_bytes'), String(64 << 20));
    t.equal((await update('--memory', '-1')).status, 0, 'no limit of memory: none of memory and swap');
    t.ok(Number(read('memory', 'memory.memsw.limit_in_bytes')) > 2 ** 62);
  });

  await t.test('by file and by standard input', async (t) => {
    const file = join(made.path, 'resources.json');
    writeFileSync(
      file,
      JSON.stringify({ pids: { limit: 44 }, memory: { limit: 0 }, cpu: { cpus: '0', shares: 0 } }),
    );
    t.equal((await update('--resources', file)).status, 0);
    t.equal(read('pids', 'pids.max'), '44');
    t.equal(read('cpuset', 'cpuset.cpus'), '0');
    t.equal(read('cpu', 'cpu.shares'), '512', '0 changes nothing');
    const input = JSON.stringify({ pids: { limit: -1 }, cpu: { cpus: '0-1', burst: 1000 }, unknown: 1 });
    t.equal((await turfd.turf(['update', '-r', '-', id], { input })).status, 0);
    t.equal(read('pids', 'pids.max'), 'max');
    t.equal(read('cpu', 'cpu.cfs_burst_us'), '1000');
  });

  await t.test('all or nothing', async (t) => {
    await update('--memory', '64m', '--memory-swap', '64m', '--pids-limit', '10', '--cpu-share', '700');
    const before = [
      read('memory', 'memory.limit_in_bytes'),
      read('pids', 'pids.max'),
      read('cpu', 'cpu.shares'),
    ];
    for (const [args, message] of [
      [
        ['--memory', '128m'],
        /memory\.limit: 134217728 exceeds the limit of memory and swap together, 67108864/,
      ],
      [
        ['--pids-limit', '5', '--memory', '32m', '--memory-swap', '16m'],
        /memory\.swap: .*at least the memory limit/,
      ],
      [['--cpu-share', '300', '--cpuset-cpus', '4095'], /cpu\.cpus: write "4095" to .*: E[A-Z]+/],
      [['--cpu-share', '300', '--cpu-burst', '999999'], /cpu\.burst/],
      [['--memory', '10xx'], /invalid value for memory: "10xx"/],
      [['--cpu-quota', 'abc'], /invalid value for cpu-quota: "abc"/],
      [['--cpu-quota', '-2'], /cpu\.quota: must be -1/],
      [['--blkio-weight', '5'], /blockIO\.weight: must be 10 to 1000/],
      [['--l3-cache-schema', 'L3:0=f'], /--l3-cache-schema: needs Intel RDT/],
      [['--resources', '/nonexistent'], /no such file/],
    ] as const) {
      const outcome = await update(...args);
      t.equal(outcome.status, 1, args.join(' '));
      t.match(outcome.stderr, message);
      t.strictSame(
        [read('memory', 'memory.limit_in_bytes'), read('pids', 'pids.max'), read('cpu', 'cpu.shares')],
        before,
        'nothing has changed',
      );
    }
  });

  await t.test('state knows, also after a restart of the daemon', async (t) => {
    await update('--pids-limit', '55');
    const resources = { pids: { limit: 55 }, cpu: { shares: 700 } };
    t.match(await turfd.state(id), { turf: { resources } });
    const before = turfd.nodePid;
    await turfd.killNode();
    await turfd.untilRestarted(before);
    t.match(await turfd.state(id), { status: 'running', turf: { resources } });
    t.equal((await update('--pids-limit', '56')).status, 0);
    t.equal(read('pids', 'pids.max'), '56');
  });

  await t.test('over REST', async (t) => {
    const patch = (body: unknown) =>
      turfd.rest(`/containers/${id}/resources`, { method: 'PATCH', body: JSON.stringify(body) });
    t.match(await patch({ pids: { limit: 66 } }), { status: 204 });
    t.equal(read('pids', 'pids.max'), '66');
    const refused = await patch({ pids: { limit: 'many' } });
    t.match(refused, { status: 422 });
    t.match(JSON.parse(refused.body), { code: 'TURF_ERR_CONFIG', path: 'linux.resources.pids.limit' });
  });

  await t.test('an ended container and one that does not exist are refused', async (t) => {
    t.match(await turfd.turf(['update', '--pids-limit', '5', turfd.id('nobody')]), {
      status: 1,
      stderr: /container does not exist/,
    });
    await turfd.ok(['kill', id, 'KILL']);
    await turfd.until(id, 'stopped');
    t.match(await update('--pids-limit', '5'), { status: 1, stderr: /container not running/ });
  });
});

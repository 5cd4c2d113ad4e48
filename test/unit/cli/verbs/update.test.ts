import t from 'tap';
import { runFake } from '../run-fake.js';

const asked = async (...argv: string[]): Promise<unknown> =>
  (await runFake(['update', ...argv, 'c1'])).calls.map((call) => [call.name, ...call.arguments]);

void t.test('every flag becomes its member of linux.resources', async (t) => {
  const flags = {
    'blkio-weight': '500',
    'cpu-period': '1000',
    'cpu-quota': '-1',
    'cpu-burst': '3',
    'cpu-share': '4',
    'cpu-rt-period': '5',
    'cpu-rt-runtime': '6',
    'cpu-idle': '1',
    'cpuset-cpus': '0-1',
    'cpuset-mems': '0',
    memory: '1k',
    'memory-reservation': '2Mi',
    'memory-swap': '-1',
    'kernel-memory': '7',
    'kernel-memory-tcp': '8',
    'pids-limit': '9',
    'l3-cache-schema': 'L3:0=f',
    'mem-bw-schema': 'MB:0=20',
  };
  t.strictSame(await asked(...Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value])), [
    [
      'update',
      'c1',
      {
        resources: {
          memory: { limit: 1024, reservation: 2 << 20, swap: -1, kernel: 7, kernelTCP: 8 },
          cpu: {
            shares: 4,
            quota: -1,
            period: 1000,
            burst: 3,
            realtimeRuntime: 6,
            realtimePeriod: 5,
            idle: 1,
            cpus: '0-1',
            mems: '0',
          },
          pids: { limit: 9 },
          blockIO: { weight: 500 },
        },
        l3CacheSchema: 'L3:0=f',
        memBwSchema: 'MB:0=20',
      },
    ],
  ]);
});

void t.test('what is not given is absent, and standard input replaces the flags', async (t) => {
  t.strictSame(await asked('-m', '5'), [['update', 'c1', { resources: { memory: { limit: 5 } } }]]);
  const input = JSON.stringify({ pids: { limit: 3 } });
  const run = await runFake(['update', '-r', '-', '--memory', '5', 'c1'], {
    context: { readStdin: () => Promise.resolve(Buffer.from(input)) },
  });
  t.strictSame(run.calls[0]?.arguments, ['c1', { resources: { pids: { limit: 3 } } }]);
});

void t.test(
  'standard input by its path is the caller’s; other descriptors of the caller are refused',
  async (t) => {
    const input = JSON.stringify({ pids: { limit: 3 } });
    const context = { readStdin: () => Promise.resolve(Buffer.from(input)) };
    for (const file of ['/dev/stdin', '/dev/fd/0', '/proc/self/fd/0'])
      t.equal((await runFake(['update', '-r', file, 'c1'], { context })).calls.length, 1, file);
    for (const file of ['/dev/fd/63', '/proc/self/fd/3', '/dev/fd/../fd/5', '/proc/thread-self/environ']) {
      const run = await runFake(['update', '-r', file, 'c1'], { context });
      t.equal(run.exitCode, 1, file);
      t.match(run.stderr, /--resources: \S+ is the caller's own/);
    }
  },
);

void t.test('what cannot be is refused before anything is asked of the daemon', async (t) => {
  for (const [argv, message] of [
    [['--memory', '1x'], /invalid value for memory: "1x"/],
    [['--cpu-period', '-5'], /invalid value for cpu-period/],
    [['--pids-limit', '1.5'], /invalid value for pids-limit/],
    [['--cpu-idle', '2'], /linux\.resources\.cpu\.idle: must be an integer from 0 to 1/],
    [['--cpuset-cpus', '0..3'], /cpu\.cpus: must be a list/],
    [['--memory', '2m', '--memory-swap', '1m'], /memory\.swap: .* at least the memory limit/],
    [['--resources', '/nonexistent/file'], /no such file/],
  ] as const) {
    const run = await runFake(['update', ...argv, 'c1']);
    t.equal(run.exitCode, 1, argv.join(' '));
    t.match(run.stderr, message);
    t.strictSame(run.calls, []);
  }
  const run = await runFake(['update', '-r', '-', 'c1'], {
    context: { readStdin: () => Promise.resolve(Buffer.from('{')) },
  });
  t.match(run.stderr, /standard input: 1:2/);
});

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { busyboxRootfs, temporary } from './harness/bundle.js';
import { PODMAN_LIMITS, podmanOn } from './harness/engines.js';
import { processesAbout } from './harness/processes.js';
import { requires } from './harness/requires.js';
import { eventually, Turfd } from './harness/turfd.js';

await t.test('podman runs containers with turf', requires('program:podman', 'program:conmon'), async (t) => {
  const turfd = await Turfd.start(t);
  const dir = temporary(t, 'tp-');
  const podman = podmanOn(t, turfd, dir);
  const rootfs = join(dir, 'rootfs');
  mkdirSync(rootfs);
  busyboxRootfs(rootfs);
  const runs = ['run', '--network', 'none', ...PODMAN_LIMITS];

  await t.test('run --rm prints and returns the exit code', async (t) => {
    t.match(await podman([...runs, '--rm', '--rootfs', rootfs, 'echo', 'hi']), { status: 0, stdout: 'hi\n' });
    t.equal((await podman([...runs, '--rm', '--rootfs', rootfs, 'sh', '-c', 'exit 42'])).status, 42);
    await eventually('turf to have deleted them', async () => (await turfd.list()).length === 0);
  });

  await t.test('run -i hands stdin over', async (t) => {
    t.match(await podman([...runs, '--rm', '-i', '--rootfs', rootfs, 'cat'], 'line\n'), {
      status: 0,
      stdout: 'line\n',
    });
  });

  await t.test('run -t makes a terminal', async (t) => {
    const outcome = await podman([...runs, '--rm', '-t', '--rootfs', rootfs, 'tty']);
    t.match(outcome, { status: 0, stdout: /^\/dev\/(pts\/0|console)/ });
  });

  await t.test('run -d, ps, logs, kill, wait, rm', async (t) => {
    const id = (
      await podman([
        ...runs,
        '-d',
        '--name',
        'web',
        '--rootfs',
        rootfs,
        'sh',
        '-c',
        'echo started; exec sleep 1000',
      ])
    ).stdout.trim();
    t.match((await podman(['ps', '--format', '{{.Names}} {{.Status}}'])).stdout, /^web Up/);
    t.match(await turfd.list(), [{ id, status: 'running' }]);
    t.equal((await podman(['logs', 'web'])).stdout, 'started\n');
    await podman(['kill', 'web']);
    t.equal((await podman(['wait', 'web'])).stdout, '137\n');
    t.equal((await podman(['rm', 'web'])).status, 0);
    t.strictSame(await turfd.list(), []);
  });

  await t.test('exec, top, pause, unpause', async (t) => {
    await podman([...runs, '-d', '--name', 'box', '--rootfs', rootfs, 'sleep', '1000']);
    t.match(await podman(['exec', 'box', 'sh', '-c', 'echo in; exit 5']), { status: 5, stdout: 'in\n' });
    t.match(await podman(['exec', '-i', 'box', 'cat'], 'line\n'), { status: 0, stdout: 'line\n' });
    t.match(await podman(['exec', '-t', 'box', 'tty']), { status: 0, stdout: /^\/dev\/pts\/\d+/ });
    t.match(
      await podman([
        'exec',
        '--user',
        '1000',
        '--workdir',
        '/tmp',
        '-e',
        'A=b',
        'box',
        'sh',
        '-c',
        'id -u; pwd; echo $A',
      ]),
      {
        status: 0,
        stdout: '1000\n/tmp\nb\n',
      },
    );
    t.equal((await podman(['exec', 'box', 'nope'])).status, 127);
    t.equal((await podman(['exec', 'box', '/tmp'])).status, 126);
    t.match((await podman(['top', 'box', 'args'])).stdout, 'sleep 1000');
    t.equal((await podman(['pause', 'box'])).status, 0);
    t.match(await turfd.list(), [{ status: 'paused' }]);
    t.equal((await podman(['unpause', 'box'])).status, 0);
    t.match(await turfd.list(), [{ status: 'running' }]);
    await podman(['rm', '--force', '--time', '0', 'box']);
    t.strictSame(await turfd.list(), []);
  });

  await t.test(
    'memory and pids limits reach the cgroup',
    requires('controller:pids', 'controller:memory'),
    async (t) => {
      const file =
        '/sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/pids.max /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max';
      const limits = ['--pids-limit', '33', '--memory', '64m', '--rm'];
      const { stdout } = await podman([
        ...runs,
        ...limits,
        '--rootfs',
        rootfs,
        'sh',
        '-c',
        `cat ${file} 2>/dev/null; true`,
      ]);
      t.equal(stdout, '33\n67108864\n');
    },
  );

  await t.test(
    'update changes the limits of a running container',
    requires('cgroup-v1', 'controller:memory', 'controller:cpu'),
    async (t) => {
      const started = await podman([...runs, '-d', '--name', 'changed', '--rootfs', rootfs, 'sleep', '1000']);
      const id = started.stdout.trim();
      t.match(await podman(['update', '--memory', '128m', '--cpus', '0.5', 'changed']), { status: 0 });
      t.match(await turfd.state(id), { turf: { resources: { memory: { limit: 128 << 20 } } } });
      await podman(['rm', '--force', '--time', '0', 'changed']);
    },
  );

  await eventually('the monitors to end', () => processesAbout(`${dir}/run`).length === 0);
});

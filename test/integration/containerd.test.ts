import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, openSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { busyboxRootfs, temporary } from './harness/bundle.js';
import { cgroupsAbout, isAlive } from './harness/processes.js';
import { requires, which } from './harness/requires.js';
import { run, type Outcome } from './harness/run.js';
import { accepts, eventually, Turfd, TURF } from './harness/turfd.js';

await t.test(
  'containerd runs containers with turf',
  requires('program:containerd', 'program:ctr'),
  async (t) => {
    const turfd = await Turfd.start(t);
    const dir = temporary(t, 'tc-');
    const rootfs = join(dir, 'rootfs');
    const socket = join(dir, 'c.sock');
    mkdirSync(rootfs);
    busyboxRootfs(rootfs);
    writeFileSync(
      join(dir, 'config.toml'),
      `version = 2
root = "${dir}/root"
state = "${dir}/state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = "${socket}"
[ttrpc]
  address = "${socket}.ttrpc"
`,
    );
    // containerd adds its namespace to the runtime's root: the first command there starts a daemon of its own.
    t.teardown(async () => {
      const pid = Number(readFileSync(join(turfd.root, turfd.prefix, 'turfd.lock'), 'utf8'));
      process.kill(pid, 'SIGTERM');
      await eventually('that daemon to end', () => !isAlive(pid));
      rmSync(join(turfd.root, turfd.prefix), { recursive: true });
      // Parents of a container's cgroup stay, as after runc.
      for (const path of cgroupsAbout(turfd.prefix)) rmdirSync(path);
    });
    const log = openSync(join(dir, 'log'), 'a');
    const daemon = spawn(which('containerd') ?? 'containerd', ['--config', join(dir, 'config.toml')], {
      stdio: ['ignore', log, log],
    });
    t.teardown(async () => {
      daemon.kill('SIGTERM');
      await once(daemon, 'exit');
    });
    await eventually(`containerd to accept: ${readFileSync(join(dir, 'log'), 'utf8')}`, () =>
      accepts(socket),
    );

    const ctr = (args: string[]): Promise<Outcome> =>
      run(t, which('ctr') ?? 'ctr', ['--address', socket, '--namespace', turfd.prefix, ...args], {
        timeout: 60_000,
      });
    const runtime = ['--runc-binary', TURF, '--runc-root', turfd.root];
    const runs = ['run', ...runtime, '--rootfs'];

    await t.test('ctr run --rm prints and returns the exit code', async (t) => {
      t.match(await ctr([...runs, '--rm', rootfs, turfd.id('echo'), '/bin/echo', 'hi']), {
        status: 0,
        stdout: 'hi\n',
      });
      t.equal(
        (await ctr([...runs, '--rm', rootfs, turfd.id('exit'), '/bin/sh', '-c', 'exit 42'])).status,
        42,
      );
    });

    await t.test('ctr run -d, task ls, task kill, container rm', async (t) => {
      const id = turfd.id('task');
      t.equal((await ctr([...runs, '--detach', rootfs, id, '/bin/sleep', '1000'])).status, 0);
      t.match((await ctr(['task', 'ls'])).stdout, new RegExp(`${id} +\\d+ +RUNNING`));
      await ctr(['task', 'kill', '--signal', 'SIGKILL', id]);
      await eventually('the task to be stopped', async () =>
        (await ctr(['task', 'ls'])).stdout.includes('STOPPED'),
      );
      const { stdout, stderr, status } = await ctr(['task', 'delete', id]);
      // Before containerd 1.7 ctr says it in a warning; later it exits with it.
      t.match(`${stdout}${stderr}${String(status)}`, /137/, 'the exit code is kept');
      t.equal((await ctr(['container', 'rm', id])).status, 0);
    });

    await t.test('ctr task exec, pause, resume, ps', async (t) => {
      const id = turfd.id('box');
      t.equal((await ctr([...runs, '--detach', rootfs, id, '/bin/sleep', '1000'])).status, 0);
      const exec = ['task', 'exec', '--exec-id'];
      t.match(await ctr([...exec, 'e1', id, '/bin/sh', '-c', 'echo in; exit 5']), {
        status: 5,
        stdout: 'in\n',
      });
      t.not((await ctr([...exec, 'e2', id, '/nope'])).status, 0);
      t.equal((await ctr(['task', 'pause', id])).status, 0);
      t.match((await ctr(['task', 'ls'])).stdout, new RegExp(`${id} +\\d+ +PAUSED`));
      t.equal((await ctr(['task', 'resume', id])).status, 0);
      t.match((await ctr(['task', 'ps', id])).stdout, /^PID/);
      await ctr(['task', 'kill', '--signal', 'SIGKILL', id]);
      await eventually('the task to be stopped', async () =>
        (await ctr(['task', 'ls'])).stdout.includes('STOPPED'),
      );
      await ctr(['task', 'delete', id]);
      t.equal((await ctr(['container', 'rm', id])).status, 0);
    });

    await t.test('a program that is missing is an error that containerd shows', async (t) => {
      const id = turfd.id('nope');
      const outcome = await ctr([...runs, '--rm', rootfs, id, '/nope']);
      t.not(outcome.status, 0);
      t.match(outcome.stderr, /\/nope/);
      await ctr(['container', 'rm', id]);
    });
  },
);

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import t from 'tap';
import { bundle, script } from './harness/bundle.js';
import { requires } from './harness/requires.js';
import { Turfd, TURF } from './harness/turfd.js';

const soon = (): { signal: AbortSignal } => ({ signal: AbortSignal.timeout(20_000) });

await t.test('turf run', requires(), async (t) => {
  const turfd = await Turfd.start(t);

  await t.test('prints what the container prints, exits as it exits, and deletes it', async (t) => {
    const { path } = bundle(t, script('echo out; echo err >&2; exit 23'));
    const outcome = await turfd.turf(['run', '--bundle', path, turfd.id('run')]);
    t.match(outcome, { status: 23, stdout: 'out\n', stderr: 'err\n' });
    t.strictSame(await turfd.list(), []);
    t.strictSame(turfd.remains(), []);
  });

  await t.test('takes the bundle from the working directory', async (t) => {
    const { path } = bundle(t, script('echo here'));
    t.match(await turfd.turf(['run', turfd.id('cwd')], { cwd: path }), { status: 0, stdout: 'here\n' });
  });

  await t.test('hands stdin over', async (t) => {
    const { path } = bundle(t, ['cat']);
    const outcome = await turfd.turf(['run', '--bundle', path, turfd.id('stdin')], { input: 'line\n' });
    t.match(outcome, { status: 0, stdout: 'line\n' });
  });

  await t.test('death by a signal becomes 128 + number', async (t) => {
    const { path } = bundle(t, script('kill -KILL $$'), (config) => {
      // PID 1 of a PID namespace is immune to its own signals.
      config.linux.namespaces = config.linux.namespaces.filter(({ type }) => type !== 'pid');
    });
    t.equal((await turfd.turf(['run', '--bundle', path, turfd.id('sig')])).status, 137);
  });

  await t.test('forwards signals to the container', async (t) => {
    const { path } = bundle(t, script('trap "exit 9" TERM; echo ready; while :; do sleep 1000 & wait; done'));
    const client = spawn(TURF, ['--root', turfd.root, 'run', '--bundle', path, turfd.id('fwd')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    t.teardown(() => client.kill('SIGKILL'));
    await once(client.stdout, 'data', soon());
    client.kill('SIGTERM');
    const [status] = (await once(client, 'exit', soon())) as [number | null];
    t.equal(status, 9);
  });

  await t.test('--detach returns while the container runs', async (t) => {
    const id = turfd.id('detach');
    const { path } = bundle(t, ['sleep', '1000']);
    await turfd.ok(['run', '--detach', '--bundle', path, id]);
    t.equal((await turfd.state(id)).status, 'running');
    await turfd.ok(['delete', '--force', id]);
  });

  await t.test('a program that is not there is an error of run', async (t) => {
    const { path } = bundle(t, ['/nope']);
    const outcome = await turfd.turf(['run', '--bundle', path, turfd.id('nope')]);
    t.equal(outcome.status, 1);
    t.match(outcome.stderr, /\/nope/);
    t.strictSame(turfd.remains(), []);
  });

  await t.test('--preserve-fds hands extra descriptors over, and no others are open', async (t) => {
    const { path } = bundle(t, script('ls /proc/self/fd'));
    const client = spawn(
      'sh',
      [
        '-c',
        `exec 3</dev/null 4</dev/null 5</dev/null; exec ${TURF} --root ${turfd.root} run --preserve-fds 2 --bundle ${path} ${turfd.id('fds')}`,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    let output = '';
    client.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    await once(client, 'close', soon());
    // ls itself opens the directory that it lists.
    t.strictSame(output.trim().split(/\s+/), ['0', '1', '2', '3', '4', '5']);
  });
});

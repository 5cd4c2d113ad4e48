import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { busyboxRootfs, temporary, workerBundle } from './harness/bundle.js';
import { containerdOn, PODMAN_LIMITS, podmanOn } from './harness/engines.js';
import { http } from './harness/http.js';
import { isAlive, statusField } from './harness/processes.js';
import { requires } from './harness/requires.js';
import { eventually, Turfd } from './harness/turfd.js';

const WORKER = `
addEventListener('activate', () => { console.log('awake', aworker.env.MODE); console.error('to stderr'); });
addEventListener('uninstall', () => console.log('ending'));
export default {
  fetch(request) {
    const { pathname } = new URL(request.url);
    if (pathname === '/throw') setTimeout(() => { throw new Error('on purpose'); }, 1);
    return new Response('hello ' + aworker.env.MODE);
  },
};`;

/** An image's root file system with a program in /app. */
function rootfsWithCode(t: Test): string {
  const rootfs = join(temporary(t), 'rootfs');
  mkdirSync(rootfs);
  busyboxRootfs(rootfs);
  mkdirSync(join(rootfs, 'app'));
  writeFileSync(join(rootfs, 'app/index.js'), WORKER);
  return rootfs;
}

const annotate = (flag: string, fields: Readonly<Record<string, string>>): string[] =>
  Object.entries(fields).flatMap(([name, value]) => [flag, `dev.turf.${name}=${value}`]);

/** Waits until the worker of an address answers. */
async function answers(listen: string, path = '/'): Promise<string> {
  let body = '';
  await eventually(`${listen} to answer`, async () => {
    try {
      ({ body } = await http(listen, path));
      return true;
    } catch {
      return false;
    }
  });
  return body;
}

await t.test('podman runs workers by annotation', requires('program:podman', 'program:conmon'), async (t) => {
  const turfd = await Turfd.start(t);
  const podman = podmanOn(t, turfd);
  const seed = turfd.id('seed');
  await turfd.ok([
    'seed',
    'create',
    '--bundle',
    workerBundle(t, WORKER, { turf: { seed: { mode: 'runtime' }, code: undefined } }).path,
    seed,
  ]);
  const rootfs = rootfsWithCode(t);
  const socket = join(temporary(t, 'ts-'), 'w.sock');
  const listen = `unix:${socket}`;
  const runs = ['run', '--network', 'none', ...PODMAN_LIMITS, '--env', 'MODE=engine'];
  const program = ['--rootfs', rootfs, 'aworker', 'index.js'];

  for (const [kind, from] of [
    ['a clone of a seed', { from: seed }],
    ['a cold start', {}],
  ] as const) {
    const fields = { runtime: 'aworker', code: '/app', listen, ...from };

    await t.test(`${kind}: up, answers, logs, stats, pause, kill, exit code`, async (t) => {
      const started = await podman([
        ...runs,
        '-d',
        '--name',
        'worker',
        ...annotate('--annotation', fields),
        ...program,
      ]);
      t.equal(started.status, 0, started.stderr);
      const id = started.stdout.trim();
      t.equal(await answers(listen), 'hello engine');
      t.match((await podman(['ps', '--format', '{{.Names}} {{.Status}}'])).stdout, /^worker Up/);
      const logs = await podman(['logs', 'worker']);
      t.match(logs.stdout, /^awake engine\n/, "stdout is the engine's");
      t.match(logs.stderr, /^to stderr\n/, 'and stderr');
      const pid = Number((await podman(['inspect', '--format', '{{.State.Pid}}', 'worker'])).stdout);
      t.ok(isAlive(pid), 'the process that the engine knows');
      t.match(
        readFileSync(`/proc/${pid}/cgroup`, 'utf8'),
        new RegExp(id),
        'is in the cgroup that it asked for',
      );
      t.match(await turfd.state(id), { pid, turf: { kind: 'worker' } });
      const stats = await podman(['stats', '--no-stream', '--format', '{{.Name}} {{.MemUsage}}', 'worker']);
      t.match(stats, { status: 0, stdout: /^worker [1-9]/ });
      const refused = await podman(['exec', 'worker', 'sh']);
      t.not(refused.status, 0, 'there is nothing to execute in a worker');
      t.equal((await podman(['pause', 'worker'])).status, 0);
      t.equal((await podman(['inspect', '--format', '{{.State.Status}}', 'worker'])).stdout, 'paused\n');
      t.match(await turfd.state(id), { status: 'paused' });
      await t.rejects(http(listen, '/', { timeout: 300 }), 'frozen');
      t.equal((await podman(['unpause', 'worker'])).status, 0);
      t.equal(await answers(listen), 'hello engine', 'it goes on');
      await podman(['kill', '--signal', 'TERM', 'worker']);
      t.equal((await podman(['wait', 'worker'])).stdout, '143\n', 'ended by itself after SIGTERM');
      t.match((await podman(['logs', 'worker'])).stdout, /ending\n$/, 'to its last word');
      t.equal((await podman(['rm', 'worker'])).status, 0);
    });

    await t.test(`${kind}: an error that nobody handles is exit code 1, SIGKILL 137`, async (t) => {
      for (const [what, code] of [
        ['throws', '1\n'],
        ['is killed', '137\n'],
      ] as const) {
        await podman([...runs, '-d', '--name', 'ends', ...annotate('--annotation', fields), ...program]);
        await answers(listen);
        if (what === 'throws') await answers(listen, '/throw');
        else await podman(['kill', 'ends']);
        t.equal((await podman(['wait', 'ends'])).stdout, code, what);
        await podman(['rm', 'ends']);
      }
    });
  }

  await t.test('a worker and its stand-in end together', async (t) => {
    const fields = { runtime: 'aworker', code: '/app', listen, from: seed };
    const id = (
      await podman([...runs, '-d', '--name', 'pair', ...annotate('--annotation', fields), ...program])
    ).stdout.trim();
    await answers(listen);
    const facts = JSON.parse(readFileSync(join(turfd.root, id, 'state.json'), 'utf8')) as {
      process: { pid: number };
      standIn: { pid: number };
    };
    const { process: worker, standIn } = facts;
    t.equal(statusField(standIn.pid, 'NoNewPrivs'), '1');
    t.equal(statusField(standIn.pid, 'CapEff'), '0000000000000020', 'it may send signals, nothing else');
    t.not(
      statusField(worker.pid, 'Uid'),
      statusField(standIn.pid, 'Uid'),
      'and is nobody whom the worker may signal',
    );
    process.kill(standIn.pid, 'SIGKILL');
    await eventually('the worker to end', () => !isAlive(worker.pid));
    t.equal((await podman(['wait', 'pair'])).stdout, '137\n');
    await podman(['rm', 'pair']);

    await podman([...runs, '-d', '--name', 'pair', ...annotate('--annotation', fields), ...program]);
    await answers(listen);
    const before = turfd.nodePid;
    const [state] = (await turfd.list()).filter(({ turf }) => turf.kind === 'worker');
    await turfd.killNode();
    process.kill(state?.pid ?? 0, 'SIGKILL');
    await turfd.untilRestarted(before);
    await eventually('the stand-in to end, also where the daemon was away', async () => {
      const { status, body } = await turfd.rest(`/containers/${state?.id ?? ''}`);
      // podman's monitor may have deleted it by then.
      return status === 404 || (JSON.parse(body) as { status: string }).status === 'stopped';
    });
    await podman(['rm', '--force', 'pair']);
  });

  await t.test('code that leads out of the image is not followed', async (t) => {
    const fields = { runtime: 'aworker', code: '/nowhere', from: seed };
    const outcome = await podman([...runs, '--rm', ...annotate('--annotation', fields), ...program]);
    t.not(outcome.status, 0);
    t.match(outcome.stderr, /turf\.code/);
    await eventually('nothing to be left', async () => (await turfd.list()).length === 1);
  });
});

await t.test(
  'containerd runs workers by annotation',
  requires('program:containerd', 'program:ctr'),
  async (t) => {
    const turfd = await Turfd.start(t);
    const { ctr, root, runtime } = await containerdOn(t, turfd);
    const rootfs = rootfsWithCode(t);
    const listen = `unix:${join(temporary(t, 'ts-'), 'w.sock')}`;
    const seed = turfd.id('seed');
    const { path } = workerBundle(t, WORKER, { turf: { seed: { mode: 'runtime' }, code: undefined } });
    // The daemon of containerd's namespace; the first command there starts it.
    const created = await turfd.turf(['--root', root, 'seed', 'create', '--bundle', path, seed], {
      env: { TURF_NO_AUTOSTART: '' },
    });
    t.equal(created.status, 0, created.stderr);

    // Not every containerd reads metrics on a machine with both versions of cgroups: what it does for a plain container counts.
    const plain = turfd.id('plain');
    await ctr(['run', ...runtime, '--detach', '--rootfs', rootfs, plain, '/bin/sleep', '1000']);
    const metrics = await ctr(['task', 'metrics', plain]);
    await ctr(['task', 'kill', '--signal', 'SIGKILL', plain]);
    await eventually('the task to be stopped', async () =>
      (await ctr(['task', 'ls'])).stdout.includes('STOPPED'),
    );
    await ctr(['task', 'delete', plain]);
    await ctr(['container', 'rm', plain]);

    for (const [kind, from] of [
      ['clone', { from: seed }],
      ['cold', {}],
    ] as const) {
      const id = turfd.id(kind);
      const fields = { runtime: 'aworker', code: '/app', listen, ...from };
      const started = await ctr([
        ...['run', ...runtime, '--detach', '--env', 'MODE=ctr', ...annotate('--annotation', fields)],
        ...['--rootfs', rootfs, id, 'aworker', 'index.js'],
      ]);
      t.equal(started.status, 0, started.stderr);
      t.equal(await answers(listen), 'hello ctr', kind);
      t.match((await ctr(['task', 'ls'])).stdout, new RegExp(`${id} +\\d+ +RUNNING`));
      t.equal((await ctr(['task', 'metrics', id])).status, metrics.status, "its metrics, as any container's");
      t.equal((await ctr(['task', 'pause', id])).status, 0);
      t.match((await ctr(['task', 'ls'])).stdout, new RegExp(`${id} +\\d+ +PAUSED`));
      t.equal((await ctr(['task', 'resume', id])).status, 0);
      t.equal(await answers(listen), 'hello ctr', 'it goes on');
      t.not((await ctr(['task', 'exec', '--exec-id', 'e1', id, 'sh'])).status, 0, 'nothing to execute');
      await ctr(['task', 'kill', '--signal', 'SIGKILL', id]);
      await eventually('the task to be stopped', async () =>
        (await ctr(['task', 'ls'])).stdout.includes('STOPPED'),
      );
      const { stdout, stderr, status } = await ctr(['task', 'delete', id]);
      // Before containerd 1.7 ctr says it in a warning; later it exits with it.
      t.match(`${stdout}${stderr}${String(status)}`, /137/, 'the exit code is kept');
      t.equal((await ctr(['container', 'rm', id])).status, 0);
    }
    await turfd.turf(['--root', root, 'delete', '--force', seed]);
  },
);

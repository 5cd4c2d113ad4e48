import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { bundle, script, temporary, workerBundle } from './harness/bundle.js';
import { isAlive } from './harness/processes.js';
import { requires, which } from './harness/requires.js';
import { eventually, Turfd } from './harness/turfd.js';

/** A program that CRIU's own check is content with; TURF_TEST_CRIU names another one than that on PATH. */
const given = process.env['TURF_TEST_CRIU'] ?? which('criu');
const criu = given !== undefined && checks(given) ? given : undefined;

const tracksMemory = criu !== undefined && checks(criu, '--feature', 'mem_dirty_track');

function checks(program: string, ...feature: string[]): boolean {
  try {
    execFileSync(program, ['check', ...feature], { stdio: 'ignore', cwd: '/tmp' });
    return true;
  } catch {
    return false;
  }
}

const needsCriu = requires();
const withCriu =
  criu === undefined && process.env['TURF_MUST_WORK'] !== '1' && needsCriu.skip === false
    ? { skip: 'no CRIU that works with this kernel (criu check)' }
    : needsCriu;

const counter = script('i=0; while :; do i=$((i+1)); echo $i; sleep 0.05; done');
const last = (text: string): number => Number(text.trim().split('\n').at(-1) ?? 0);

await t.test('checkpoints that cannot be made', requires(), async (t) => {
  const turfd = await Turfd.start(t);
  const counting = bundle(t, counter);
  const id = turfd.id('counts');
  await turfd.ok(['run', '--detach', '--bundle', counting.path, id]);
  const images = temporary(t);
  const goesOn = async (): Promise<void> => {
    t.equal((await turfd.state(id)).status, 'running');
  };

  await t.test('without CRIU: an error that names it, and the container goes on', async (t) => {
    const outcome = await turfd.turf(['--criu', '/nowhere/criu', 'checkpoint', '--image-path', images, id]);
    t.match(outcome, { status: 1, stderr: /checkpoint needs CRIU: there is no \/nowhere\/criu/ });
    t.match(await turfd.turf(['--criu', '/nowhere/criu', 'restore', '-b', counting.path, turfd.id('r')]), {
      status: 1,
      stderr: /restore needs CRIU/,
    });
    await goesOn();
  });

  await t.test('a CRIU that fails: the end of its log is told, and the container goes on', async (t) => {
    const failing = join(temporary(t), 'criu');
    writeFileSync(
      failing,
      '#!/bin/sh\nwhile [ "$1" != --log-file ]; do shift; done\n' +
        'echo "(00.1) Error (x.c:1): the reason" >"$2"; exit 1\n',
    );
    chmodSync(failing, 0o755);
    const outcome = await turfd.turf(['--criu', failing, 'checkpoint', '--image-path', images, id]);
    t.match(outcome, { status: 1, stderr: /criu dump failed: .*the reason \(log: .*dump\.log\)/ });
    await goesOn();
  });

  await t.test('restore of a directory without images makes nothing', async (t) => {
    const program = ['--criu', '/bin/true'];
    const args = ['restore', '--image-path', images, '-b', counting.path, turfd.id('none')];
    t.match(await turfd.turf([...program, ...args]), {
      status: 1,
      stderr: /has no checkpoint of a container/,
    });
    t.equal((await turfd.turf(['state', turfd.id('none')])).status, 1);
  });

  await t.test('what does not run, seeds and workers are refused by name', async (t) => {
    const created = turfd.id('created');
    await turfd.ok(['create', '--bundle', counting.path, created]);
    t.match(await turfd.turf(['checkpoint', '--image-path', images, created]), {
      status: 1,
      stderr: /cannot checkpoint a container that is not running/,
    });
    await turfd.ok(['delete', '--force', created]);
    const seed = turfd.id('seed');
    const code = workerBundle(t, 'export default { fetch: () => new Response("") }', {
      turf: { seed: true },
    });
    await turfd.ok(['seed', 'create', '--bundle', code.path, seed]);
    await turfd.ok(['fork', seed, turfd.id('w')]);
    for (const [name, why] of [
      [turfd.id('w'), /a worker is a clone that shares the memory of its seed/],
      [seed, /a seed is tied to the daemon/],
    ] as const)
      t.match(await turfd.turf(['checkpoint', '--image-path', images, name]), { status: 1, stderr: why });
    await turfd.ok(['delete', '--force', turfd.id('w')]);
    await turfd.ok(['seed', 'rm', '--force', seed]);
  });

  await turfd.ok(['delete', '--force', id]);
});

await t.test('checkpoint and restore', withCriu, async (t) => {
  const turfd = await Turfd.start(t);
  const program = ['--criu', criu ?? 'criu'];
  const counting = bundle(t, counter);
  const slow = { timeout: 60_000 };

  await t.test(
    'a container goes on where it was, in a cgroup of its own, with the streams given',
    async (t) => {
      const images = temporary(t);
      const id = turfd.id('moved');
      const before = await turfd.ok(['run', '--detach', '--bundle', counting.path, id]);
      await eventually('it to count', () => last(before.later().stdout) > 3);
      const { pid } = await turfd.state(id);
      const feed = await turfd.feed();
      await turfd.ok([...program, 'checkpoint', '--image-path', images, id], slow);
      t.notOk(isAlive(pid));
      t.equal((await turfd.turf(['state', id])).status, 1, 'the container has been deleted');
      const reached = last(before.later().stdout);

      const other = turfd.id('again');
      const restored = ['restore', '--detach', '--image-path', images, '--bundle', counting.path];
      const pidFile = join(images, 'pid');
      const after = await turfd.ok([...program, ...restored, '--pid-file', pidFile, other], slow);
      await eventually('it to count on', () => last(after.later().stdout) > reached);
      t.equal(Number(after.later().stdout.split('\n')[0]), reached + 1, 'from where it was');
      const state = await turfd.state(other);
      t.match(state, { status: 'running', bundle: counting.path });
      t.equal(Number(readFileSync(pidFile, 'utf8')), state.pid);
      for (const line of readFileSync(`/proc/${state.pid}/cgroup`, 'utf8').trim().split('\n'))
        t.match(line, new RegExp(`${other}$`), 'in the cgroup of the new container');
      await feed.until('both to be told', () => {
        const told = feed.seen.map(({ type, id: who }) => `${String(type)} ${String(who)}`);
        return told.includes(`checkpoint ${id}`) && told.includes(`restore ${other}`) ? told : undefined;
      });
      await turfd.ok(['exec', other, 'true']);
      await turfd.ok(['kill', other, 'KILL']);
      t.match(await turfd.until(other, 'stopped'), { turf: { exitSignal: 'SIGKILL' } });
      await turfd.ok(['delete', other]);
    },
  );

  await t.test(
    '--leave-running and --pre-dump let it go on; restore in the foreground passes its exit code on',
    async (t) => {
      const images = temporary(t);
      const waiting = bundle(
        t,
        script('i=0; while [ ! -e /tmp/go ]; do i=$((i+1)); sleep 0.05; done; exit 7'),
        (config) => {
          (config['mounts'] as object[]).push({
            destination: '/tmp',
            type: 'bind',
            source: images,
            options: ['bind'],
          });
        },
      );
      const id = turfd.id('left');
      await turfd.ok(['run', '--detach', '--bundle', waiting.path, id]);
      const { pid } = await turfd.state(id);
      const parent = ['--parent-path', '../first'];
      const first = [...program, 'checkpoint', '--pre-dump', '--image-path', join(images, 'first'), id];
      if (tracksMemory) await turfd.ok(first, slow);
      else t.match(await turfd.turf(first, slow), { status: 1, stderr: /Tracking memory is not available/ });
      t.match(await turfd.state(id), { status: 'running', pid });
      const whole = ['checkpoint', '--leave-running', ...(tracksMemory ? parent : []), '--image-path'];
      await turfd.ok([...program, ...whole, join(images, 'second'), id], slow);
      t.match(await turfd.state(id), { status: 'running', pid });
      await turfd.ok(['delete', '--force', id]);
      writeFileSync(join(images, 'go'), '');
      const restore = ['restore', '--image-path', join(images, 'second'), '--bundle', waiting.path, id];
      t.equal((await turfd.turf([...program, ...restore], slow)).status, 7);
      t.strictSame(turfd.remains(), []);
    },
  );

  await t.test('a paused container is saved, and goes on paused or, restored, running', async (t) => {
    const images = temporary(t);
    const id = turfd.id('paused');
    await turfd.ok(['run', '--detach', '--bundle', counting.path, id]);
    await turfd.ok(['pause', id]);
    const checkpoint = [...program, 'checkpoint', '--image-path', images];
    await turfd.ok([...checkpoint, '--leave-running', id], slow);
    t.equal((await turfd.state(id)).status, 'paused');
    await turfd.ok([...checkpoint, id], slow);
    const restore = ['restore', '--detach', '--image-path', images, '--bundle', counting.path, id];
    const restored = await turfd.ok([...program, ...restore], slow);
    await eventually('it to count on', () => last(restored.later().stdout) > 0);
    t.equal((await turfd.state(id)).status, 'running');
    await turfd.ok(['delete', '--force', id]);
  });

  await t.test('over REST: the same, with the output in the logs of the daemon', async (t) => {
    const images = temporary(t);
    const [id, other] = [turfd.id('rest'), turfd.id('rested')];
    const post = (path: string, body: object) =>
      turfd.rest(path, { method: 'POST', body: JSON.stringify(body) });
    t.equal((await post('/containers', { id, bundle: counting.path })).status, 201);
    await turfd.ok(['start', id]);
    const counted = async (name: string): Promise<number> => last((await turfd.ok(['logs', name])).stdout);
    await eventually('it to count', async () => (await counted(id)) > 3);
    const options = { imagePath: images, ...(criu === undefined ? {} : { criu }) };
    t.equal((await post(`/containers/${id}/checkpoint`, { ...options, leaveRunning: true })).status, 204);
    t.equal((await turfd.state(id)).status, 'running');
    const restore = { ...options, bundle: counting.path };
    t.match(await post(`/containers/${other}/restore`, restore), { status: 201, body: `"id":"${other}"` });
    await eventually('the copy to count on', async () => (await counted(other)) > 3);
    t.match(await post(`/containers/${other}/restore`, restore), { status: 409, body: 'TURF_ERR_EXISTS' });
    for (const name of [id, other]) await turfd.ok(['delete', '--force', name]);
  });

  await t.test('a restore that fails tells the end of the log, and leaves nothing', async (t) => {
    const images = temporary(t);
    const id = turfd.id('broken');
    await turfd.ok(['run', '--detach', '--bundle', counting.path, id]);
    await turfd.ok([...program, 'checkpoint', '--image-path', images, id], slow);
    writeFileSync(join(images, 'inventory.img'), 'no image');
    const restore = ['restore', '--detach', '--image-path', images, '--bundle', counting.path, id];
    t.match(await turfd.turf([...program, ...restore], slow), {
      status: 1,
      stderr: /criu restore failed: .*\(log: .*restore\.log\)/,
    });
    t.equal((await turfd.turf(['state', id])).status, 1);
    t.strictSame(turfd.remains(), []);
  });
});

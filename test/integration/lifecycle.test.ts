import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { bundle, script, temporary } from './harness/bundle.js';
import { isAlive, processStat } from './harness/processes.js';
import { requires } from './harness/requires.js';
import { eventually, Turfd } from './harness/turfd.js';

await t.test('the OCI lifecycle through the CLI', requires(), async (t) => {
  const turfd = await Turfd.start(t);
  const sleeper = bundle(t, ['sleep', '1000']);

  await t.test('create, state, start, kill, delete', async (t) => {
    const id = turfd.id('life');
    const pidFile = join(temporary(t), 'pid');
    await turfd.ok(['create', '--bundle', sleeper.path, '--pid-file', pidFile, id]);

    const created = await turfd.state(id);
    t.equal(created.status, 'created');
    t.equal(created.id, id);
    t.equal(created.bundle, sleeper.path);
    t.equal(String(created.pid), readFileSync(pidFile, 'utf8'), 'the pid file has the pid and nothing else');
    t.ok(isAlive(created.pid));
    t.match(created.created, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);

    await turfd.ok(['start', id]);
    const running = await turfd.state(id);
    t.equal(running.status, 'running');
    t.equal(running.pid, created.pid);
    t.equal(readFileSync(`/proc/${running.pid}/cmdline`, 'utf8'), 'sleep\u00001000\u0000');

    await turfd.ok(['kill', id, 'KILL']);
    const stopped = await turfd.until(id, 'stopped');
    t.equal(stopped.pid, 0, 'a stopped container has no pid');
    t.equal(stopped.turf.exitSignal, 'SIGKILL');

    await turfd.ok(['delete', id]);
    t.equal((await turfd.turf(['state', id])).status, 1);
    t.strictSame(turfd.remains(), []);
  });

  await t.test(
    'the process of a created container descends from the caller, not from the daemon',
    async (t) => {
      const id = turfd.id('parent');
      await turfd.ok(['create', '--bundle', sleeper.path, id]);
      const { pid } = await turfd.state(id);
      t.notOk([turfd.nodePid, processStat(turfd.nodePid).parent].includes(processStat(pid).parent));
      await turfd.ok(['delete', '--force', id]);
    },
  );

  await t.test('exit codes are kept', async (t) => {
    for (const code of [0, 1, 42, 255]) {
      const id = turfd.id(`exit${code}`);
      await turfd.ok(['create', '--bundle', bundle(t, script(`exit ${code}`)).path, id]);
      await turfd.ok(['start', id]);
      const state = await turfd.until(id, 'stopped');
      t.equal(state.turf.exitCode, code);
      await turfd.ok(['delete', id]);
    }
  });

  await t.test('output of a created container goes where create had it', async (t) => {
    const id = turfd.id('output');
    const hello = bundle(t, script('echo out; echo err >&2'));
    const created = await turfd.ok(['create', '--bundle', hello.path, id]);
    t.equal(created.stdout + created.stderr, '', 'create prints nothing');
    await turfd.ok(['start', id]);
    await turfd.until(id, 'stopped');
    t.strictSame(created.later(), { stdout: 'out\n', stderr: 'err\n' });
    await turfd.ok(['delete', id]);
  });

  await t.test('an operation in the wrong state is refused and changes nothing', async (t) => {
    const id = turfd.id('wrong');
    for (const verb of [['start'], ['state'], ['delete']])
      t.match(
        await turfd.turf([...verb, id]),
        { status: 1, stderr: new RegExp(id) },
        `${verb.join(' ')} of nothing`,
      );
    t.equal((await turfd.turf(['delete', '--force', id])).status, 0, 'as runc: force forgives');

    await turfd.ok(['create', '--bundle', sleeper.path, id]);
    const { pid } = await turfd.state(id);
    t.match(await turfd.turf(['create', '--bundle', sleeper.path, id]), { status: 1, stderr: /exist/ });
    await turfd.ok(['start', id]);
    t.equal((await turfd.turf(['start', id])).status, 1, 'start of a running container');
    t.equal((await turfd.turf(['delete', id])).status, 1, 'delete of a running container');
    t.match(await turfd.state(id), { status: 'running', pid });
    await turfd.ok(['delete', '--force', id]);
    t.notOk(isAlive(pid));
  });

  await t.test('ids are checked before they touch a path', async (t) => {
    for (const id of ['', '.', '..', '../x', 'a/b', 'a b', 'a\nb', 'ü', 'x'.repeat(1025)])
      t.equal(
        (await turfd.turf(['create', '--bundle', sleeper.path, '--', id])).status,
        1,
        JSON.stringify(id),
      );
    t.strictSame(await turfd.list(), []);
  });

  await t.test('list', async (t) => {
    const ids = ['a', 'b', 'c'].map((name) => turfd.id(name));
    for (const id of ids) await turfd.ok(['create', '--bundle', sleeper.path, id]);
    t.strictSame((await turfd.list()).map(({ id }) => id).sort(), ids);
    t.strictSame((await turfd.ok(['list', '--quiet'])).stdout.trim().split('\n').sort(), ids);
    const table = (await turfd.ok(['list'])).stdout.split('\n');
    t.match(table[0] ?? '', /^ID +PID +STATUS +BUNDLE +CREATED +OWNER/);
    t.equal(table.filter((line) => line.includes(sleeper.path)).length, 3);
    for (const id of ids) await turfd.ok(['delete', '--force', id]);
  });

  await t.test('kill takes names, numbers and --all', async (t) => {
    const trap = bundle(t, script('trap "exit 7" TERM; echo ready; while :; do sleep 1000 & wait; done'));
    for (const signal of [['TERM'], ['SIGTERM'], ['15'], [], ['--all', 'KILL']]) {
      const id = turfd.id(`kill${signal.join('').replace(/-/g, '')}`);
      const created = await turfd.ok(['create', '--bundle', trap.path, id]);
      await turfd.ok(['start', id]);
      await eventually('the trap', () => created.later().stdout === 'ready\n');
      const all = signal[0] === '--all' ? ['--all'] : [];
      await turfd.ok(['kill', ...all, id, ...signal.slice(all.length)]);
      const state = await turfd.until(id, 'stopped');
      if (all.length > 0) t.equal(state.turf.exitSignal, 'SIGKILL');
      else t.equal(state.turf.exitCode, 7, signal.join(' '));
      await turfd.ok(['delete', id]);
    }
    const id = turfd.id('killbad');
    await turfd.ok(['create', '--bundle', sleeper.path, id]);
    t.match(await turfd.turf(['kill', id, 'SIGNOPE']), { status: 1, stderr: /SIGNOPE/ });
    await turfd.ok(['delete', '--force', id]);
  });

  await t.test('delete --force of a created container leaves nothing', async (t) => {
    const id = turfd.id('force');
    await turfd.ok(['create', '--bundle', sleeper.path, id]);
    const { pid } = await turfd.state(id);
    await turfd.ok(['delete', '--force', id]);
    t.notOk(isAlive(pid));
    t.notOk(existsSync(join(turfd.root, id)));
    t.strictSame(turfd.remains(), []);
  });
});

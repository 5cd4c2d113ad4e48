import { readFileSync } from 'node:fs';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import t from 'tap';
import { bundle, script, temporary, workerBundle } from './harness/bundle.js';
import { isAlive, processesAbout } from './harness/processes.js';
import { PROJECT, requires } from './harness/requires.js';
import { eventually, Turfd } from './harness/turfd.js';

await t.test('containers outlive the daemon', requires(), async (t) => {
  const turfd = await Turfd.start(t);
  const numbers = [...Array(20).keys()];
  const containers = numbers.map((n) => turfd.id(`c${n}`));
  const workers = numbers.map((n) => turfd.id(`w${n}`));
  const seed = turfd.id('seed');

  // Each ends with its own code when told to.
  for (const [n, id] of containers.entries()) {
    const { path } = bundle(
      t,
      script(`trap "exit ${n}" TERM; echo ready; while :; do sleep 1000 & wait; done`),
    );
    const { later } = await turfd.ok(['run', '--detach', '--bundle', path, id]);
    await eventually(`${id} to set its trap`, () => later().stdout === 'ready\n');
  }
  const code = workerBundle(t, 'export default { fetch: (_, env) => new Response(env.NAME) };', {
    turf: { seed: true },
  });
  await turfd.ok(['seed', 'create', '--bundle', code.path, seed]);
  for (const id of workers) await turfd.ok(['fork', '--env', `NAME=${id}`, seed, id]);

  const all = [...containers, ...workers];
  const pids = async (): Promise<Map<string, number>> =>
    new Map((await turfd.list()).filter(({ id }) => all.includes(id)).map(({ id, pid }) => [id, pid]));

  const everythingRuns = async (before: Map<string, number>): Promise<void> => {
    t.strictSame(await pids(), before, 'all are listed, with the pids they had');
    for (const pid of before.values()) t.ok(isAlive(pid));
    for (const id of workers) t.match((await turfd.turf(['invoke', id])).stdout, new RegExp(id));
    t.match(JSON.parse((await turfd.ok(['seed', 'list', '--format', 'json'])).stdout), [
      { id: seed, state: 'forkwait' },
    ]);
  };

  await t.test('kill -9 of the Node process: the supervisor starts it again, nothing is lost', async (t) => {
    const before = await pids();
    t.equal(before.size, 40);
    const node = turfd.nodePid;
    await turfd.killNode();
    for (const pid of before.values()) t.ok(isAlive(pid), 'runs on without a daemon');
    await turfd.untilRestarted(node);
    await everythingRuns(before);
  });

  await t.test('exit codes of those that end while there is no daemon are kept', async (t) => {
    const before = await pids();
    const node = turfd.nodePid;
    // A stopped front cannot be restarted in between: SIGTERM leaves the supervisor alone with the containers.
    t.equal(await turfd.stop(), 0);
    t.notOk(isAlive(node));
    for (const n of [3, 7, 11]) process.kill(before.get(containers[n] ?? '') ?? 0, 'SIGTERM');
    await eventually('three containers to end', () =>
      [3, 7, 11].every((n) => !isAlive(before.get(containers[n] ?? '') ?? 0)),
    );
    await turfd.up();
    for (const n of [3, 7, 11]) {
      const id = containers[n] ?? '';
      t.match(await turfd.state(id), { status: 'stopped', pid: 0, turf: { exitCode: n } }, id);
      await turfd.ok(['delete', id]);
      before.delete(id);
    }
    await everythingRuns(before);
  });

  await t.test('exit codes of those that end while Node is being restarted are kept', async (t) => {
    const before = await pids();
    const node = turfd.nodePid;
    await turfd.killNode();
    const id = containers[5] ?? '';
    process.kill(before.get(id) ?? 0, 'SIGTERM');
    await turfd.untilRestarted(node);
    t.match(await turfd.until(id, 'stopped'), { turf: { exitCode: 5 } });
  });

  await t.test('a restarted daemon still forks from the seed, and new containers work', async (t) => {
    const id = turfd.id('new');
    await turfd.ok(['fork', '--env', `NAME=${id}`, seed, id]);
    t.match((await turfd.turf(['invoke', id])).stdout, new RegExp(id));
    t.equal(
      (await turfd.turf(['run', '--bundle', bundle(t, script('exit 4')).path, turfd.id('run')])).status,
      4,
    );
  });

  await t.test('a second daemon on the same root is refused, and changes nothing', async (t) => {
    const node = turfd.nodePid;
    const second = spawn(`${PROJECT}bin/turfd`, ['--root', turfd.root], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    for (const stream of [second.stdout, second.stderr])
      stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const [status] = (await once(second, 'close')) as [number | null];
    t.not(status, 0);
    t.ok(said.includes(turfd.root), said);
    t.equal(turfd.nodePid, node);
    t.equal((await turfd.turf(['list'])).status, 0);
  });
});

await t.test('a daemon that cannot serve says why in a line', requires(), async (t) => {
  const root = temporary(t);
  const refused = (...args: string[]) =>
    spawnSync(join(PROJECT, 'dist/native/turfd'), ['--root', root, ...args], { encoding: 'utf8' });
  t.match(refused('--socket', join(root, 'missing/s')), {
    status: 1,
    stderr: /^turfd: listen on .*missing\/s: no such file or directory\n$/,
  });
  t.match(refused('--log-level', 'loud'), { status: 64, stderr: /^turfd: --log-level: .*\n$/ });
  await eventually('both to be gone', () => processesAbout(root).length === 0);
});

await t.test('a client starts a daemon for its root, once', requires(), async (t) => {
  const turfd = await Turfd.start(t);
  t.equal(await turfd.stop(), 0);
  const none = await turfd.turf(['list']);
  t.equal(none.status, 1, 'TURF_NO_AUTOSTART');
  t.match(none.stderr, /turfd/);
  const both = await Promise.all(
    [1, 2, 3].map(() => turfd.turf(['list', '--quiet'], { env: { TURF_NO_AUTOSTART: '' } })),
  );
  t.strictSame(
    both.map(({ status }) => status),
    [0, 0, 0],
  );
  const front = turfd.nodePid;
  t.ok(isAlive(front));
  t.match(readFileSync(`/proc/${front}/cmdline`, 'utf8'), /daemon\/main\.js/);
  process.kill(front, 'SIGTERM');
  await eventually('daemon and supervisor to end', () => processesAbout(turfd.root).length === 0);
  await turfd.up();
});

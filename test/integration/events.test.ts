import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { bundle, script, temporary } from './harness/bundle.js';
import { requires, which } from './harness/requires.js';
import { run } from './harness/run.js';
import { TURF, Turfd } from './harness/turfd.js';

/** Names of all members, with those of nested objects; what is measured differs. */
function shape(value: unknown, path = ''): string[] {
  if (Array.isArray(value) || typeof value !== 'object' || value === null) return [path];
  return Object.entries(value).flatMap(([name, member]) => shape(member, `${path}.${name}`));
}

/** Members that runc leaves out while they are zero, which differs from one container to the next. */
const VARIES = /\.(blkio|cache|max|usage\.usage|swap\.usage|kernel(TCP)?\.usage|hugetlb)\b/;

/** Lines that `turf events` prints, as they come. */
function follow(t: Test, turfd: Turfd, args: string[]) {
  const child = spawn(TURF, ['--root', turfd.root, 'events', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<Record<string, unknown> | undefined> => {
    const line = await lines.next();
    return line.done === true ? undefined : (JSON.parse(line.value) as Record<string, unknown>);
  };
  return { next, ended: once(child, 'exit') };
}

await t.test('events --stats has the schema of runc', requires('cgroup-v1', 'program:runc'), async (t) => {
  const turfd = await Turfd.start(t);
  const id = turfd.id('s');
  const dir = temporary(t);
  const { path } = bundle(t, ['/bin/sleep', '1000'], (config) => {
    config.linux.resources = { memory: { limit: 64 << 20 }, pids: { limit: 50 } };
  });
  await turfd.ok(['run', '--detach', '--bundle', path, id]);
  const ours = JSON.parse((await turfd.ok(['events', '--stats', id])).stdout) as Record<string, unknown>;

  const runc = [which('runc') ?? 'runc', '--root', join(dir, 'runc')];
  const command = (...args: string[]) => run(t, runc[0] ?? 'runc', [...runc.slice(1), ...args]);
  t.teardown(() => command('delete', '--force', turfd.id('r')));
  t.equal((await command('run', '--detach', '--bundle', path, turfd.id('r'))).status, 0);
  const theirs = JSON.parse((await command('events', '--stats', turfd.id('r'))).stdout) as Record<
    string,
    unknown
  >;
  const names = (stats: unknown): string[] => shape(stats).filter((name) => !VARIES.test(name));
  t.strictSame(names(ours), names(theirs));
  t.match(ours, {
    type: 'stats',
    id,
    data: {
      memory: { usage: { limit: 64 << 20 } },
      pids: { current: 1, limit: 50 },
      network_interfaces: null,
    },
  });

  const rest = await turfd.rest(`/containers/${id}/stats`);
  t.equal(rest.status, 200);
  t.strictSame(names({ type: 'stats', id, data: JSON.parse(rest.body) as unknown }), names(ours));
  t.match(rest.body, /"swap":\{"limit":9223372036854771712,/, 'exact, although no double holds it');
  t.match(await turfd.turf(['events', '--stats', turfd.id('nobody')]), {
    status: 1,
    stderr: /does not exist/,
  });
});

await t.test('events ID prints statistics and ends with the container', requires(), async (t) => {
  const turfd = await Turfd.start(t);
  const id = turfd.id('f');
  await turfd.ok(['run', '--detach', '--bundle', bundle(t, ['/bin/sleep', '1000']).path, id]);
  const events = follow(t, turfd, ['--interval', '50ms', id]);
  for (let i = 0; i < 2; i++)
    t.match(await events.next(), { type: 'stats', id, data: { pids: { current: 1 } } });
  await turfd.ok(['kill', id, 'KILL']);
  await events.ended.then(([status]) => t.equal(status, 0));
  await turfd.until(id, 'stopped');
  t.match(await turfd.turf(['events', id]), { status: 1, stderr: /is not running/ });
  t.match(await turfd.turf(['events', '--interval', '0s', id]), {
    status: 1,
    stderr: /must be greater than 0/,
  });
  t.match(await turfd.turf(['events', '--stats']), { status: 1, stderr: /needs the ID/ });
});

await t.test(
  'a process that the OOM killer takes is told of while the container lives, and kept in its state',
  requires('controller:memory'),
  async (t) => {
    const turfd = await Turfd.start(t);
    const id = turfd.id('o');
    // A child that takes too much dies; its shell lives on.
    const greedy =
      'while [ ! -e /tmp/go ]; do sleep 0.1; done; (x=a; while true; do x="$x$x"; done); sleep 1000';
    const { path } = bundle(t, script(greedy), (config) => {
      config.root = { path: 'rootfs', readonly: false };
      config.linux.resources = { memory: { limit: 16 << 20, swap: 16 << 20 } };
    });
    await turfd.ok(['run', '--detach', '--bundle', path, id]);
    const feed = await turfd.feed();
    const events = follow(t, turfd, ['--interval', '100ms', id]);
    const other = async (): Promise<Record<string, unknown> | undefined> => {
      for (let event = await events.next(); ; event = await events.next())
        if (event?.['type'] !== 'stats') return event;
    };
    t.match(await events.next(), { type: 'stats' }, 'it has subscribed');
    writeFileSync(join(path, 'rootfs/tmp/go'), '');
    t.match(await other(), { type: 'oom', id });
    t.match(await feed.until('oom', async () => (await turfd.state(id)).turf.oomKills), 1);
    t.match(await turfd.state(id), { status: 'running' });
    await turfd.ok(['kill', id, 'KILL']);
    t.equal(await other(), undefined, 'one event for one kill');
    t.match(await turfd.until(id, 'stopped'), { turf: { oomKills: 1 } });
  },
);

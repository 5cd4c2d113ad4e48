import { readFileSync } from 'node:fs';
import t from 'tap';
import { bundle, script } from './harness/bundle.js';
import { childrenOf, isAlive } from './harness/processes.js';
import { requires } from './harness/requires.js';
import { eventually, Turfd } from './harness/turfd.js';

await t.test('pause, resume and ps', requires(), async (t) => {
  const turfd = await Turfd.start(t);
  const sleeper = bundle(t, ['sleep', '1000']);
  const family = bundle(t, script('sleep 1000 & sleep 1000 & wait'));
  const run = async (name: string, path = sleeper.path): Promise<{ id: string; pid: number }> => {
    const id = turfd.id(name);
    await turfd.ok(['run', '--detach', '--bundle', path, id]);
    return { id, pid: (await turfd.state(id)).pid };
  };

  await t.test('a paused container runs nothing until it is resumed', async (t) => {
    const ticker = bundle(t, script('i=0; while :; do i=$((i+1)); echo $i > /dev/shm/ticks; done'));
    const { id, pid } = await run('ticks', ticker.path);
    const cpu = (): string => processTimes(pid);
    await eventually('the container to use the processor', () => cpu() !== '0 0');
    const feed = await turfd.feed();
    await turfd.ok(['pause', id]);
    t.equal((await turfd.state(id)).status, 'paused');
    const before = cpu();
    t.match(await turfd.list(), [{ id, status: 'paused', pid }]);
    t.equal(cpu(), before, 'no time has passed for it');
    t.match(await turfd.turf(['pause', id]), { status: 1, stderr: /paused/ });
    await turfd.ok(['resume', id]);
    t.equal((await turfd.state(id)).status, 'running');
    await eventually('the container to go on', () => cpu() !== before);
    await feed.until('pause and resume to be told', () => {
      const told = feed.seen.filter((event) => event['id'] === id).map((event) => event['type']);
      return told.includes('pause') && told.includes('resume') ? told : undefined;
    });
    t.match(await turfd.turf(['resume', id]), { status: 1, stderr: /container not paused/ });
    await turfd.ok(['delete', '--force', id]);
  });

  await t.test('KILL ends a paused container, other signals wait for resume', async (t) => {
    const { id } = await run('killed');
    await turfd.ok(['pause', id]);
    await turfd.ok(['kill', id, 'KILL']);
    t.match(await turfd.until(id, 'stopped'), { turf: { exitSignal: 'SIGKILL' } });
    t.equal((await turfd.turf(['pause', id])).status, 1, 'what has stopped cannot be paused');
    await turfd.ok(['delete', id]);

    const trap = bundle(t, script('trap "exit 7" TERM; echo ready; while :; do sleep 1000 & wait; done'));
    const held = turfd.id('held');
    const started = await turfd.ok(['run', '--detach', '--bundle', trap.path, held]);
    await eventually('the trap to be set', () => started.later().stdout === 'ready\n');
    await turfd.ok(['pause', held]);
    await turfd.ok(['kill', held, 'TERM']);
    t.equal((await turfd.state(held)).status, 'paused');
    await turfd.ok(['resume', held]);
    t.match(await turfd.until(held, 'stopped'), { turf: { exitCode: 7 } });
    await turfd.ok(['delete', held]);
  });

  await t.test('delete of a paused container takes force, and then leaves nothing', async (t) => {
    const { id, pid } = await run('deleted', family.path);
    await turfd.ok(['pause', id]);
    t.match(await turfd.turf(['delete', id]), { status: 1, stderr: /not stopped: paused/ });
    await turfd.ok(['delete', '--force', id]);
    await eventually('its process to end', () => !isAlive(pid));
    t.strictSame(turfd.remains(), []);
  });

  await t.test('a created container can be paused, and is not started then', async (t) => {
    const id = turfd.id('created');
    await turfd.ok(['create', '--bundle', sleeper.path, id]);
    await turfd.ok(['pause', id]);
    t.match(await turfd.turf(['start', id]), { status: 1, stderr: /paused/ });
    await turfd.ok(['resume', id]);
    await turfd.ok(['start', id]);
    t.equal((await turfd.state(id)).status, 'running');
    await turfd.ok(['delete', '--force', id]);
  });

  await t.test('a paused container stays paused over a restart of the daemon', async (t) => {
    const { id } = await run('restart');
    await turfd.ok(['pause', id]);
    const before = turfd.nodePid;
    await turfd.killNode();
    await turfd.untilRestarted(before);
    t.equal((await turfd.state(id)).status, 'paused');
    await turfd.ok(['resume', id]);
    t.equal((await turfd.state(id)).status, 'running');
    await turfd.ok(['delete', '--force', id]);
  });

  await t.test('ps: the processes of a container and no others', async (t) => {
    const { id, pid } = await run('ps', family.path);
    await eventually('its children', () => childrenOf(pid).length === 2);
    const pids = [pid, ...childrenOf(pid)].toSorted((one, other) => one - other);
    t.strictSame(JSON.parse((await turfd.ok(['ps', '--format', 'json', id])).stdout), pids);
    const shown = (await turfd.ok(['ps', id])).stdout.trimEnd().split('\n');
    t.match(shown[0], /^UID +PID +PPID /);
    t.equal(shown.length, 4);
    const own = (await turfd.ok(['ps', id, '-A', '-o', 'ppid,pid,comm'])).stdout.trimEnd().split('\n');
    t.strictSame(
      own.map((line) => line.trim().split(/\s+/)[1]),
      ['PID', ...pids.map(String)],
    );
    t.match(await turfd.turf(['ps', id, '-A', '-o', 'comm']), { status: 1, stderr: /PID/ });
    t.same(JSON.parse((await turfd.rest(`/containers/${id}/processes`)).body), { pids });
    await turfd.ok(['kill', '--all', id, 'KILL']);
    await turfd.until(id, 'stopped');
    t.equal((await turfd.ok(['ps', '-f', 'json', id])).stdout, '[]\n');
    await turfd.ok(['delete', id]);
    t.match(await turfd.turf(['ps', id]), { status: 1, stderr: /does not exist/ });
  });

  await t.test('over REST', async (t) => {
    const { id } = await run('rest');
    t.equal((await turfd.rest(`/containers/${id}/pause`, { method: 'POST' })).status, 204);
    t.match((await turfd.rest(`/containers/${id}`)).body, '"status":"paused"');
    t.match(await turfd.rest(`/containers/${id}/pause`, { method: 'POST' }), {
      status: 409,
      body: /TURF_ERR_STATE/,
    });
    t.equal((await turfd.rest(`/containers/${id}/resume`, { method: 'POST' })).status, 204);
    t.match((await turfd.rest(`/containers/${id}`)).body, '"status":"running"');
    await turfd.ok(['delete', '--force', id]);
  });
});

/** User and system time of a process, in clock ticks. */
function processTimes(pid: number): string {
  return readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ').slice(13, 15).join(' ');
}

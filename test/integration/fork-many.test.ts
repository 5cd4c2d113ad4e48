import process from 'node:process';
import t from 'tap';
import { workerBundle } from './harness/bundle.js';
import { http } from './harness/http.js';
import { isAlive } from './harness/processes.js';
import { requires } from './harness/requires.js';
import { eventually, Turfd } from './harness/turfd.js';

const CODE = `let answered = 0;
addEventListener('uninstall', () => console.log('uninstalled after', answered));
export default { async fetch(request) {
  answered += 1;
  if (new URL(request.url).pathname === '/slow') await new Promise((done) => setTimeout(done, 300));
  if (new URL(request.url).pathname === '/die') setTimeout(() => { throw new Error('on purpose'); });
  return new Response(aworker.id);
} };`;

await t.test('many workers, and what becomes of them', requires(), async (outer) => {
  const turfd = await Turfd.start(outer);
  const seed = turfd.id('seed');
  await turfd.ok(['seed', 'create', '-b', workerBundle(outer, CODE, { turf: { seed: true } }).path, seed]);
  const exists = async (id: string): Promise<boolean> =>
    (await turfd.rest(`/containers/${id}`)).status === 200;

  await outer.test('one request forks many, all of them or none', async (t) => {
    const { stdout } = await turfd.ok(['fork', '--count', '5', seed, turfd.id('many')]);
    const addresses = stdout.trim().split('\n');
    t.equal(addresses.length, 5);
    for (const [index, address] of addresses.entries())
      t.equal((await http(address, '/')).body, turfd.id(`many-${index + 1}`));

    await turfd.ok(['fork', seed, turfd.id('half-3')]);
    const before = (await turfd.list()).length;
    t.match(await turfd.turf(['fork', '-n', '4', seed, turfd.id('half')]), { status: 1, stderr: /half-3/ });
    t.equal((await turfd.list()).length, before);

    const body = JSON.stringify({ id: turfd.id('rest'), count: 2 });
    const answer = await turfd.rest(`/seeds/${seed}/fork`, { method: 'POST', body });
    t.equal(answer.status, 201, answer.body);
    t.match(JSON.parse(answer.body), { workers: [{ id: turfd.id('rest-1') }, { id: turfd.id('rest-2') }] });
    t.match(await turfd.turf(['fork', '-n', '2', '-l', 'tcp:127.0.0.1:1', seed, turfd.id('z')]), {
      status: 1,
      stderr: /2 workers cannot share/,
    });
  });

  await outer.test('a disposable worker answers once, finishes, and ends', async (t) => {
    const id = turfd.id('once');
    await turfd.ok(['fork', '--disposable', seed, id]);
    const { turf } = await turfd.state(id);
    const answer = await http(turf.listen ?? '', '/slow');
    t.match(answer, { status: 200, body: id, headers: { connection: 'close' } });
    t.match(await turfd.until(id, 'stopped'), { turf: { exitCode: 0 } });
    t.match((await turfd.ok(['logs', id])).stdout, 'uninstalled after 1');
    await t.rejects(http(turf.listen ?? '', '/'));
  });

  await outer.test(
    '--max-requests counts across connections; --on-exit delete removes the worker',
    async (t) => {
      const id = turfd.id('thrice');
      await turfd.ok(['fork', '--max-requests', '3', '--on-exit', 'delete', seed, id]);
      const { turf } = await turfd.state(id);
      const answers = await Promise.all(['/slow', '/slow', '/'].map((path) => http(turf.listen ?? '', path)));
      t.same(
        answers.map(({ status }) => status),
        [200, 200, 200],
      );
      await eventually('the worker to be deleted', async () => !(await exists(id)));
    },
  );

  await outer.test('--ttl ends a worker at its time, by SIGTERM', async (t) => {
    const id = turfd.id('brief');
    await turfd.ok(['fork', '--ttl', '500ms', seed, id]);
    t.match(await turfd.until(id, 'stopped'), { turf: { exitCode: 143 } });
    t.match((await turfd.ok(['logs', id])).stdout, 'uninstalled after 0');
  });

  await outer.test(
    '--on-exit restart forks another in its place, also after a restart of the daemon',
    async (t) => {
      const id = turfd.id('phoenix');
      await turfd.ok(['fork', '--on-exit', 'restart', '--listen', 'tcp:127.0.0.1:0', seed, id]);
      const first = await turfd.state(id);
      const { listen = '' } = first.turf;
      const another = async (pid: number): Promise<void> => {
        await eventually('another worker', async () => {
          // Between the two there is none.
          const { status, body } = await turfd.rest(`/containers/${id}`);
          if (status !== 200) return false;
          const now = JSON.parse(body) as { status: string; pid: number };
          return now.status === 'running' && now.pid !== pid;
        });
      };
      await http(listen, '/die');
      await another(first.pid);
      t.equal((await http(listen, '/')).body, id);

      const before = turfd.nodePid;
      await turfd.killNode();
      await turfd.untilRestarted(before);
      const second = await turfd.state(id);
      process.kill(second.pid, 'SIGKILL');
      await another(second.pid);
      t.equal((await http(listen, '/')).body, id);
      const { pid } = await turfd.state(id);
      await turfd.ok(['delete', '--force', id]);
      t.notOk(isAlive(pid));
      t.notOk(await exists(id));
    },
  );
});

import t from 'tap';
import { workerBundle } from './harness/bundle.js';
import { isAlive } from './harness/processes.js';
import { requires } from './harness/requires.js';
import { Turfd } from './harness/turfd.js';

const CODE = `const table = new Array(200_000).fill('x').map((x, i) => x + i);
export default { fetch: () => new Response(table[7]) };`;

interface Node {
  readonly id: string;
  readonly depth: number;
  readonly pid: number;
  readonly orphan: boolean;
  readonly memory: { readonly shared: number; readonly private: number; readonly pageTables: number };
}

await t.test('seeds: inspect, tree, rm', requires(), async (outer) => {
  const turfd = await Turfd.start(outer);
  const seed = turfd.id('seed');
  const [one, two] = [turfd.id('w1'), turfd.id('w2')];
  await turfd.ok([
    'seed',
    'create',
    '--bundle',
    workerBundle(outer, CODE, { turf: { seed: true } }).path,
    seed,
  ]);
  for (const id of [one, two]) {
    await turfd.ok(['fork', seed, id]);
    await turfd.ok(['invoke', id]);
  }
  const tree = async (): Promise<Node[]> =>
    JSON.parse((await turfd.ok(['tree', '-f', 'json'])).stdout) as Node[];

  await outer.test('tree: workers below their seed, most of their memory shared with it', async (t) => {
    const [top, ...workers] = await tree();
    t.match(top, { id: seed, kind: 'seed', state: 'forkwait', depth: 0 });
    t.match(workers, [
      { id: one, kind: 'worker', state: 'running', parent: seed, depth: 1 },
      { id: two, kind: 'worker', state: 'running', parent: seed, depth: 1 },
    ]);
    for (const { memory } of workers) {
      t.ok(memory.shared > 5 * memory.private, `${memory.shared} bytes shared, ${memory.private} private`);
      t.ok(memory.private > 0 && memory.pageTables > 0);
    }
    const { stdout } = await turfd.ok(['tree']);
    t.match(stdout, new RegExp(`^${seed} +seed +forkwait`, 'm'));
    t.match(stdout, new RegExp(`^├─ ${one} +worker +running`, 'm'));
    t.match(stdout, new RegExp(`^└─ ${two} +worker +running`, 'm'));
    t.match(JSON.parse((await turfd.rest('/tree')).body), [{ id: seed }, { id: one }, { id: two }]);
  });

  await outer.test('inspect: the seed with its memory and workers', async (t) => {
    const details: unknown = JSON.parse((await turfd.ok(['seed', 'inspect', seed])).stdout);
    t.match(details, {
      id: seed,
      mode: 'userland',
      workers: 2,
      forks: 2,
      workerIds: [one, two],
      network: 'none',
    });
    t.match(JSON.parse((await turfd.rest(`/seeds/${seed}`)).body), { id: seed, memory: { swap: 0 } });
    t.match(await turfd.turf(['seed', 'inspect', one]), { status: 1, stderr: /is not a seed/ });
  });

  await outer.test('rm: refused while workers live; with --force they live on, as orphans', async (t) => {
    t.match(await turfd.turf(['seed', 'rm', seed]), { status: 1, stderr: /2 worker\(s\) that live/ });
    t.equal((await turfd.rest(`/seeds/${seed}`, { method: 'DELETE' })).status, 409);
    const [top] = await tree();
    await turfd.ok(['seed', 'rm', '--force', seed]);
    t.notOk(isAlive(top?.pid ?? 0));
    t.match(await tree(), [
      { id: one, orphan: true, depth: 0, parent: seed },
      { id: two, orphan: true, depth: 0, parent: seed },
    ]);
    t.match((await turfd.ok(['invoke', one])).stdout, 'x7');
    t.match(await turfd.turf(['seed', 'rm', seed]), { status: 1, stderr: /does not exist/ });
    t.equal((await turfd.rest(`/seeds/${seed}`, { method: 'DELETE' })).status, 404);
  });
});

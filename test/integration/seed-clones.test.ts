import { readFileSync } from 'node:fs';
import process from 'node:process';
import t, { type Test } from 'tap';
import { workerBundle, type WorkerBundleOptions } from './harness/bundle.js';
import { http } from './harness/http.js';
import { isAlive } from './harness/processes.js';
import { requires } from './harness/requires.js';
import { forkAndAsk, runtimeBundle, says, sayingBundle, seedEvents, seedRows } from './harness/seeds.js';
import { eventually, Turfd } from './harness/turfd.js';

const PROBE = `
const inSeed = Math.random();
let phases = ['evaluated'];
for (const phase of ['serialize', 'deserialize', 'install']) addEventListener(phase, () => phases.push(phase));
const draw = () => [Math.random(), crypto.randomUUID(), crypto.getRandomValues(new Uint32Array(4)).join()].join();
draw();
export default { fetch: () => Response.json({ inSeed, phases, drawn: draw(), origin: performance.timeOrigin, pid: aworker.pid, id: aworker.id }) };`;

interface Probe {
  readonly inSeed: number;
  readonly phases: readonly string[];
  readonly drawn: string;
  readonly origin: number;
  readonly pid: number;
  readonly id: string;
}

interface Node {
  readonly id: string;
  readonly depth: number;
  readonly parent?: string;
  readonly orphan: boolean;
  readonly memory: { readonly shared: number; readonly private: number };
}

async function started(t: Test, name: string): Promise<{ turfd: Turfd; base: string }> {
  const turfd = await Turfd.start(t);
  const base = turfd.id(name);
  await turfd.ok(['seed', 'create', '-b', runtimeBundle(t), '--pool', '0', base]);
  return { turfd, base };
}

const tree = async (turfd: Turfd): Promise<Node[]> =>
  JSON.parse((await turfd.ok(['tree', '-f', 'json'])).stdout) as Node[];

await t.test('a seed that is a clone of a runtime seed', requires(), async (outer) => {
  const { turfd, base } = await started(outer, 'base');
  const [one, two] = [turfd.id('f1'), turfd.id('f2')];
  const { path } = workerBundle(outer, PROBE, { turf: { seed: true } });
  await turfd.ok(['seed', 'create', '-b', path, '--from', base, one]);
  const body = JSON.stringify({ id: two, bundle: path, from: base });
  const created = await turfd.rest('/seeds', { method: 'POST', body });
  outer.equal(created.status, 201, created.body);
  outer.match(JSON.parse(created.body), { id: two, mode: 'userland', state: 'forkwait', from: base });
  const ask = async (id: string): Promise<Probe> => {
    const { turf } = await turfd.state(id);
    return JSON.parse((await http(turf.listen ?? '', '/')).body) as Probe;
  };

  await outer.test(
    'its code runs before the fork, once; each worker has an identity of its own',
    async (t) => {
      const answers: Probe[] = [];
      for (const seed of [one, two])
        for (const name of ['a', 'b', 'c']) {
          const id = `${seed}-${name}`;
          await turfd.ok(['fork', seed, id]);
          answers.push(await ask(id));
          t.match(answers.at(-1), {
            id,
            pid: 1,
            phases: ['evaluated', 'serialize', 'deserialize', 'install'],
          });
        }
      t.equal(
        new Set(answers.map(({ inSeed }) => inSeed)).size,
        2,
        'seeds of one base draw different numbers',
      );
      for (const name of ['drawn', 'origin'] as const)
        t.equal(new Set(answers.map((answer) => answer[name])).size, answers.length, name);
    },
  );

  await outer.test('the tree shows base, seed and worker; memory is shared all the way', async (t) => {
    const nodes = await tree(turfd);
    const node = (id: string): Node | undefined => nodes.find((other) => other.id === id);
    t.match(nodes[0], { id: base, depth: 0 });
    t.match(node(one), { kind: 'seed', state: 'forkwait', depth: 1, parent: base, orphan: false });
    t.match(node(`${one}-a`), { kind: 'worker', depth: 2, parent: one, orphan: false });
    for (const id of [one, `${one}-a`]) {
      const { shared = 0, private: own = 0 } = node(id)?.memory ?? {};
      t.ok(shared > 3 * own, `${id}: ${shared} bytes shared, ${own} of its own`);
    }
    t.match((await turfd.ok(['tree'])).stdout, new RegExp(`^(├|└)─ ${one} +seed +forkwait`, 'm'));
    t.match(JSON.parse((await turfd.ok(['seed', 'inspect', base])).stdout), {
      workers: 0,
      seedIds: [one, two],
    });
  });

  await outer.test(
    'a base is not removed while seeds are cloned from it; its end does not touch them',
    async (t) => {
      t.match(await turfd.turf(['seed', 'rm', base]), {
        status: 1,
        stderr: /2 seed\(s\) cloned from it that live/,
      });
      t.equal((await turfd.rest(`/seeds/${base}`, { method: 'DELETE' })).status, 409);
      const { pid } = await turfd.state(base);
      process.kill(pid, 'SIGKILL');
      await eventually('the end of the base', () => !isAlive(pid));
      await turfd.ok(['fork', one, turfd.id('after')]);
      t.match(await ask(turfd.id('after')), { phases: ['evaluated', 'serialize', 'deserialize', 'install'] });
      await turfd.ok(['seed', 'rm', '--force', base]);
      t.match(
        (await tree(turfd)).find(({ id }) => id === one),
        { orphan: true, depth: 0 },
      );
    },
  );

  await outer.test('an end of the daemon does not touch it', async (t) => {
    await turfd.stop();
    turfd.dropFeed();
    await turfd.up();
    await turfd.ok(['fork', '--when-unready', 'wait', one, turfd.id('later')]);
    t.match(await ask(turfd.id('later')), { id: turfd.id('later') });
    t.match(JSON.parse((await turfd.ok(['seed', 'inspect', one])).stdout), { mode: 'userland', from: base });
  });
});

await t.test('is kept as any seed', requires(), async (outer) => {
  const { turfd, base } = await started(outer, 'root');
  const seed = turfd.id('kept');
  const from = ['--from', base];
  await turfd.ok([
    'seed',
    'create',
    '-b',
    sayingBundle(outer, 'one'),
    ...from,
    '--restart',
    'on-failure',
    seed,
  ]);
  const seen = await seedEvents(turfd, seed);

  await outer.test('killed: cloned from its base again, which is untouched', async (t) => {
    const before = (await turfd.state(base)).pid;
    process.kill((await turfd.state(seed)).pid, 'SIGKILL');
    await eventually('another version', () => seen().length === 2);
    t.same(seen(), ['seed-down SIGKILL', 'seed-roll restart']);
    t.equal(await forkAndAsk(turfd, seed, 'again'), 'one');
    t.equal((await turfd.state(base)).pid, before);
    t.match(await tree(turfd), [{ id: base }, { id: `${seed}+2`, parent: base }, {}]);
  });

  await outer.test(
    'rolled: other code, the same base; a base that is rolled serves the next version',
    async (t) => {
      await turfd.ok(['seed', 'roll', '-b', sayingBundle(t, 'two'), seed]);
      t.equal(await forkAndAsk(turfd, seed, 'rolled'), 'two');
      t.match(JSON.parse((await turfd.ok(['seed', 'inspect', seed])).stdout), { from: base });
      await turfd.ok(['seed', 'roll', base]);
      t.equal(await forkAndAsk(turfd, seed, 'meanwhile'), 'two', 'the seed needs nothing of its old base');
      await turfd.ok(['seed', 'roll', seed]);
      t.match(JSON.parse((await turfd.ok(['seed', 'inspect', seed])).stdout), { from: `${base}+2` });
      t.equal(await forkAndAsk(turfd, seed, 'newest'), 'two');
    },
  );

  await outer.test('removed: nothing is left of it, and its base forks on', async (t) => {
    await turfd.ok(['seed', 'rm', '--force', seed]);
    t.notOk((await seedRows(turfd)).some(({ id }) => id.startsWith(seed)));
    t.match((await turfd.turf(['seed', 'inspect', seed])).stderr, /does not exist/);
    const code = `${sayingBundle(t, 'of the base')}/code`;
    t.equal(await forkAndAsk(turfd, base, 'plain', '--code', code), 'of the base');
  });
});

await t.test('is refused with a reason, and leaves nothing', requires(), async (outer) => {
  const { turfd, base } = await started(outer, 'base');
  const seed = turfd.id('refused');
  const refused = async (
    t: Test,
    message: RegExp,
    code: string,
    from: string,
    options: WorkerBundleOptions = { turf: { seed: true } },
  ): Promise<void> => {
    const { path } = workerBundle(t, code, options);
    t.match(await turfd.turf(['seed', 'create', '-b', path, '--from', from, seed]), {
      status: 1,
      stderr: message,
    });
    t.match((await turfd.turf(['state', seed])).stderr, /does not exist/);
    t.same(
      (await seedRows(turfd)).map(({ id }) => id),
      [base],
    );
  };

  await outer.test('code that throws: its error is told', async (t) => {
    await refused(
      t,
      /ended before it reached forkwait.*no such luck/s,
      'throw new Error("no such luck")',
      base,
    );
    await refused(
      t,
      /request GET http:\/\/192\.0\.2\.1\/ is pending|network|fetch failed/i,
      'addEventListener("serialize", (event) => event.waitUntil(fetch("http://192.0.2.1/")))',
      base,
    );
  });
  await outer.test('a base that is none', async (t) => {
    await refused(t, /seed nobody does not exist/, says('x'), 'nobody');
    const worker = turfd.id('w');
    await turfd.ok(['fork', '--code', `${sayingBundle(t, 'x')}/code`, base, worker]);
    await refused(t, /is not a seed/, says('x'), worker);
  });
  await outer.test('a bundle that cannot be one', async (t) => {
    await refused(t, /turf\.seed: .*userland/, says('x'), base, { turf: { seed: { mode: 'runtime' } } });
    await refused(t, /network: seed .* was not made with turf\.network "host"/, says('x'), base, {
      turf: { seed: true, network: 'host' },
    });
    const hooks = { poststop: [{ path: '/bin/true' }] };
    await refused(t, /hooks: a seed that is cloned from another runs none/, says('x'), base, {
      turf: { seed: true },
      mutate: (config) => Object.assign(config, { hooks }),
    });
  });
  await outer.test('a seed that has code already is no base', async (t) => {
    const { path } = workerBundle(t, says('f'), { turf: { seed: true, from: base } });
    t.match(await turfd.turf(['create', '-b', path, seed]), {
      status: 1,
      stderr: /turf\.from: .*seed create/,
    });
    await turfd.ok(['seed', 'create', '-b', path, seed]);
    t.match(JSON.parse((await turfd.ok(['seed', 'inspect', seed])).stdout), { from: base }, 'by turf.from');
    t.match(await turfd.turf(['seed', 'create', '-b', path, '--from', seed, turfd.id('x')]), {
      status: 1,
      stderr: /has loaded code: only a runtime seed is a base/,
    });
    const { pid } = await turfd.state(seed);
    t.match(readFileSync(`/proc/${pid}/uid_map`, 'utf8'), /^ +0 +\d+ +1024\n$/, 'one part of the ids');
  });
});

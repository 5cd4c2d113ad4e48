/** Clones that a seed makes ahead of their use. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { workerBundle } from './harness/bundle.js';
import { http } from './harness/http.js';
import { cgroupsAbout, statusField } from './harness/processes.js';
import { requires } from './harness/requires.js';
import { eventually, Turfd } from './harness/turfd.js';

/** What user code did, in the order in which it ran; what is drawn in a worker. */
const CODE = `
const seen = ['main'];
for (const phase of ['serialize', 'deserialize', 'install', 'activate']) addEventListener(phase, () => seen.push(phase));
let ticks = 0;
setInterval(() => ticks++, 1);
const bytes = () => crypto.getRandomValues(new Uint8Array(16)).join('-');
export default { fetch(request, env) {
  seen.push('fetch');
  return Response.json({ seen, env: { ...env }, id: aworker.id, drawn: [String(Math.random()), crypto.randomUUID(), bytes()] });
} };`;

interface Answer {
  readonly seen: string[];
  readonly env: Record<string, string>;
  readonly id: string;
  readonly drawn: string[];
}

interface Listed {
  readonly id: string;
  readonly pool: { readonly size: number; readonly ready: number };
}

async function pool(turfd: Turfd, seed: string): Promise<Listed['pool'] | undefined> {
  const { stdout } = await turfd.ok(['seed', 'list', '--format', 'json']);
  return (JSON.parse(stdout) as Listed[]).find(({ id }) => id === seed)?.pool;
}

const untilReady = (turfd: Turfd, seed: string, count: number): Promise<void> =>
  eventually(
    `${count} clones of ${seed} to be ready`,
    async () => (await pool(turfd, seed))?.ready === count,
  );

async function ask(turfd: Turfd, id: string): Promise<Answer> {
  const { turf } = await turfd.state(id);
  return JSON.parse((await http(turf.listen ?? '', '/')).body) as Answer;
}

const ahead = (seed: string): string[] => cgroupsAbout(`${seed}~`);

const seedOf = async (turfd: Turfd, t: Test, size: number): Promise<string> => {
  const seed = turfd.id('seed');
  const { path } = workerBundle(t, CODE, { turf: { seed: true } });
  await turfd.ok(['seed', 'create', '--pool', String(size), '--bundle', path, seed]);
  return seed;
};

await t.test('clones made ahead', requires(), async (outer) => {
  const turfd = await Turfd.start(outer, ['--log-level', 'debug']);
  const seed = await seedOf(turfd, outer, 2);

  await outer.test('as many as the seed is to have wait, and are replaced when they are used', async (t) => {
    await untilReady(turfd, seed, 2);
    t.same(await pool(turfd, seed), { size: 2, ready: 2 });
    await turfd.ok(['fork', seed, turfd.id('first')]);
    t.match(turfd.log(), new RegExp(`"id":"${turfd.id('first')}".*"from":"ahead"`));
    await untilReady(turfd, seed, 2);
  });

  await outer.test('such a worker is like any other', async (t) => {
    const id = turfd.id('like');
    await turfd.ok(['fork', '--env', 'SECRET=of-one', '--memory', '64m', seed, id]);
    const answer = await ask(turfd, id);
    t.same(
      answer.seen,
      ['main', 'serialize', 'deserialize', 'install', 'activate', 'fetch'],
      'user code ran once',
    );
    t.equal(answer.id, id);
    t.same(answer.env, { SECRET: 'of-one' });
    const { pid } = await turfd.state(id);
    t.equal(statusField(pid, 'CapEff'), '0000000000000000');
    t.equal(statusField(pid, 'Seccomp'), '2');
    t.equal(statusField(pid, 'NoNewPrivs'), '1');
    const own = readFileSync(`/proc/${pid}/cgroup`, 'utf8');
    t.match(own, new RegExp(`/turf/${seed}~`), 'it stays where it was made');
    const [path] = cgroupsAbout(`${seed}~`).filter((one) => own.includes(one.slice(one.lastIndexOf('/'))));
    t.ok(path);
    const limits = ['memory.limit_in_bytes', 'memory.max'].flatMap((file) =>
      ahead(seed).flatMap((directory) => readIfThere(join(directory, file))),
    );
    t.ok(limits.includes(String(64 << 20)), 'the limit is set on it');
  });

  await outer.test('no two draw the same', async (t) => {
    const drawn = new Set<string>();
    const ids = [...Array(8).keys()].map((n) => turfd.id(`draw${n}`));
    for (const id of ids) {
      await turfd.ok(['fork', seed, id]);
      for (const value of (await ask(turfd, id)).drawn) drawn.add(value);
      await eventually('a clone to be ready', async () => ((await pool(turfd, seed))?.ready ?? 0) > 0);
    }
    t.equal(drawn.size, 8 * 3);
    for (const id of ids) await turfd.ok(['delete', '--force', id]);
  });

  await outer.test('a held worker waits for start', async (t) => {
    const id = turfd.id('held');
    const { body } = await turfd.rest(`/seeds/${seed}/fork`, {
      method: 'POST',
      body: JSON.stringify({ id, hold: true }),
    });
    t.match(JSON.parse(body), { id });
    t.match(await turfd.state(id), { status: 'created' });
    await turfd.ok(['start', id]);
    t.equal((await ask(turfd, id)).id, id);
  });

  await outer.test(
    'a daemon that is killed loses them and nothing else; the next makes new ones',
    async (t) => {
      await untilReady(turfd, seed, 2);
      const worker = turfd.id('like');
      const before = ahead(seed);
      const daemon = turfd.nodePid;
      await turfd.killNode();
      await turfd.untilRestarted(daemon);
      t.equal((await ask(turfd, worker)).id, worker, 'what had become a worker goes on');
      await untilReady(turfd, seed, 2);
      const own = (await turfd.list()).filter(({ turf }) => turf.kind === 'worker').length;
      const hierarchies = before.length / (own + 2);
      t.equal(ahead(seed).length, hierarchies * (own + 2), 'no cgroup of a clone that has gone is left');
    },
  );

  await outer.test('they end with their seed', async (t) => {
    for (const { id, turf } of await turfd.list())
      if (turf.kind === 'worker') await turfd.ok(['delete', '--force', id]);
    await turfd.ok(['delete', '--force', seed]);
    t.same(ahead(seed), []);
  });
});

await t.test(
  'a runtime seed with code: a directory that was replaced is seen anew',
  requires(),
  async (t) => {
    const turfd = await Turfd.start(t);
    const seed = turfd.id('seed');
    const answering = (text: string): string => `export default { fetch: () => new Response('${text}') };`;
    const { path } = workerBundle(t, answering('old'), { turf: { seed: { mode: 'runtime' } } });
    await turfd.ok(['seed', 'create', '--bundle', path, seed]);
    await untilReady(turfd, seed, 1);
    const other = workerBundle(t, answering('new'), {});
    renameSync(join(path, 'code'), join(path, 'before'));
    renameSync(join(other.path, 'code'), join(path, 'code'));
    const id = turfd.id('w');
    await turfd.ok(['fork', seed, id]);
    t.equal((await http((await turfd.state(id)).turf.listen ?? '', '/')).body, 'new');
  },
);

await t.test('a size of 0, and sizes that are none', requires(), async (t) => {
  const turfd = await Turfd.start(t);
  const seed = turfd.id('seed');
  const { path } = workerBundle(t, CODE, { turf: { seed: true, pool: 0 } });
  await turfd.ok(['seed', 'create', '--bundle', path, seed]);
  t.same(await pool(turfd, seed), { size: 0, ready: 0 });
  await turfd.ok(['fork', seed, turfd.id('w')]);
  t.equal((await ask(turfd, turfd.id('w'))).id, turfd.id('w'));
  t.same(ahead(seed), []);
  for (const size of ['-1', '1.5', '1001']) {
    const outcome = await turfd.turf(['seed', 'create', `--pool=${size}`, '--bundle', path, turfd.id('bad')]);
    t.not(outcome.status, 0);
    t.match(outcome.stderr, /-pool/);
  }
  writeFileSync(
    join(path, 'config.json'),
    JSON.stringify({
      ...(JSON.parse(readFileSync(join(path, 'config.json'), 'utf8')) as object),
      turf: { runtime: 'aworker', code: 'code', pool: 3 },
    }),
  );
  t.match(
    (await turfd.turf(['create', '--bundle', path, turfd.id('bad')])).stderr,
    /turf\.pool: needs turf\.seed/,
  );
});

function readIfThere(path: string): string[] {
  try {
    return [readFileSync(path, 'utf8').trim()];
  } catch {
    return [];
  }
}

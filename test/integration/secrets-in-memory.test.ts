import { randomBytes } from 'node:crypto';
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import t, { type Test } from 'tap';
import { workerBundle } from './harness/bundle.js';
import { http } from './harness/http.js';
import { requires } from './harness/requires.js';
import { runtimeBundle } from './harness/seeds.js';
import { eventually, type State, Turfd } from './harness/turfd.js';

const CODE = `export default { async fetch(request, env) { await request.text(); return new Response(Object.keys(env).join()); } };`;

const PAGE = 4096;
/** Bits of an entry of /proc/PID/pagemap: the page is in memory, or swapped out (proc_pid_pagemap(5)). */
const TOUCHED = 0b11n << 62n;

/** Runs of pages of a private mapping that a process has touched: the others hold zeros, or what the mapped file has, and are most of it. */
function touched(pagemap: number, start: number, end: number): [start: number, end: number][] {
  const entries = Buffer.alloc(((end - start) / PAGE) * 8);
  readSync(pagemap, entries, 0, entries.length, (start / PAGE) * 8);
  const runs: [start: number, end: number][] = [];
  for (let page = start; page < end; page += PAGE) {
    if ((entries.readBigUInt64LE(((page - start) / PAGE) * 8) & TOUCHED) === 0n) continue;
    const last = runs.at(-1);
    if (last?.[1] === page) last[1] += PAGE;
    else runs.push([page, page + PAGE]);
  }
  return runs;
}

/** Which of those texts are anywhere in the memory of a process. */
function found(pid: number, secrets: ReadonlyMap<string, string>): string[] {
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  const pagemap = openSync(`/proc/${pid}/pagemap`, 'r');
  const seen = new Set<string>();
  const search = (start: number, end: number): void => {
    const bytes = Buffer.alloc(end - start);
    try {
      readSync(memory, bytes, 0, bytes.length, start);
    } catch {
      // Pages behind the end of a file.
    }
    for (const [what, secret] of secrets)
      if ([secret, Buffer.from(secret, 'utf16le')].some((text) => bytes.includes(text))) seen.add(what);
  };
  try {
    for (const line of readFileSync(`/proc/${pid}/maps`, 'utf8').trim().split('\n')) {
      const [, from = '', to = '', permissions = '', name = ''] =
        /^([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \d+ *(.*)$/.exec(line) ?? [];
      if (!permissions.startsWith('r') || name.startsWith('[v')) continue;
      const [start, end] = [parseInt(from, 16), parseInt(to, 16)];
      const runs = permissions.endsWith('p') ? touched(pagemap, start, end) : [[start, end] as const];
      for (const run of runs) search(...run);
    }
  } finally {
    closeSync(memory);
    closeSync(pagemap);
  }
  return [...seen];
}

await t.test('the memory of a clone has nothing of others', requires(), async (outer) => {
  const secret = (): string => randomBytes(12).toString('hex');
  const ofDaemon = secret();
  process.env['TURF_TEST_SECRET'] = ofDaemon;
  const turfd = await Turfd.start(outer).finally(() => {
    Reflect.deleteProperty(process.env, 'TURF_TEST_SECRET');
  });
  const { path } = workerBundle(outer, CODE, { turf: { seed: true } });

  const stranger = turfd.id('stranger');
  const base = turfd.id('base');
  await turfd.ok(['seed', 'create', '--bundle', path, stranger]);
  await turfd.ok(['seed', 'create', '--bundle', runtimeBundle(outer), base]);

  const check = async (t: Test, seed: string, options: readonly string[] = []): Promise<void> => {
    const [ofSibling, body, own, ofStranger] = [secret(), secret(), secret(), secret()];
    const fork = async (of: string, name: string, env: string, ...more: string[]): Promise<State> => {
      const id = turfd.id(name);
      await turfd.ok(['fork', '--env', `TOKEN=${env}`, ...more, of, id]);
      return turfd.state(id);
    };
    const other = await fork(stranger, `${seed}-other`, ofStranger);
    const sibling = await fork(seed, `${seed}-sibling`, ofSibling, ...options);
    for (const { turf } of [other, sibling])
      await http(turf.listen ?? '', '/', { method: 'POST', body: `first ${body} last` });
    // Made ahead, or cloned now: both after the others have got their secrets.
    const worker = await fork(seed, `${seed}-worker`, own, ...options);
    await http(worker.turf.listen ?? '', '/');
    const secrets = new Map(
      Object.entries({ ofDaemon, ofSibling, ofStranger, body, own, names: `${seed}-sibling` }),
    );
    t.same(found(worker.pid, secrets), ['own'], 'its own environment, which shows that the search finds');
    t.same(found((await turfd.state(seed)).pid, secrets), [], 'its seed knows nothing of its workers');
    t.ok(found(sibling.pid, secrets).includes('ofSibling'));
    t.ok(found(turfd.nodePid, secrets).includes('ofDaemon'), 'the daemon has its own');
    await eventually('the pool to be filled', async () => {
      const list = JSON.parse((await turfd.rest('/seeds')).body) as {
        id: string;
        pool: { size: number; ready: number };
      }[];
      const pool = list.find(({ id }) => id === seed)?.pool;
      return pool !== undefined && pool.ready === pool.size;
    });
    const late = await fork(seed, `${seed}-late`, own, ...options);
    t.same(found(late.pid, secrets), ['own'], 'nor does the next that was made ahead');
  };

  await outer.test('of a userland seed', async (t) => {
    const seed = turfd.id('userland');
    await turfd.ok(['seed', 'create', '--bundle', path, seed]);
    await check(t, seed);
  });
  await outer.test('of a runtime seed', (t) => check(t, base, ['--code', `${path}/code`]));
  await outer.test('of a seed that is a clone', async (t) => {
    const seed = turfd.id('function');
    await turfd.ok(['seed', 'create', '--bundle', path, '--from', base, seed]);
    await check(t, seed);
  });
});

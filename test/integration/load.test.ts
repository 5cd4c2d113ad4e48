import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { workerBundle } from './harness/bundle.js';
import { startClients, type Clients, type ClientsOptions, type Seen } from './harness/clients.js';
import { cgroupsAbout, isAlive, processesAbout } from './harness/processes.js';
import { requires } from './harness/requires.js';
import { seedRows } from './harness/seeds.js';
import { eventually, Turfd } from './harness/turfd.js';

/** The long form: more of everything. */
const FULL = process.env['TURF_TEST_FULL'] === '1';
/** Clients of each kind. */
const CLIENTS = FULL ? 400 : 100;

const CODE = `export default { async fetch(request) {
  const { pathname } = new URL(request.url);
  if (pathname === '/slow') await new Promise((done) => setTimeout(done, 400));
  if (pathname === '/brief') await new Promise((done) => setTimeout(done, 20));
  if (pathname === '/never') await new Promise(() => {});
  return new Response(aworker.id);
} };`;

const troubles = ({ wrong, closedBefore, lost, cut }: Seen): object => ({
  wrong: [...wrong],
  closedBefore,
  lost,
  cut,
});
const NONE = { wrong: [], closedBefore: 0, lost: 0, cut: 0 };

await t.test('hundreds of requests under way', { ...requires(), timeout: 0 }, async (outer) => {
  const turfd = await Turfd.start(outer);
  const seed = turfd.id('seed');
  const { path } = workerBundle(outer, CODE, { turf: { seed: true } });
  await turfd.ok(['seed', 'create', '-b', path, seed]);

  const fork = async (name: string, ...options: string[]): Promise<string[]> =>
    (await turfd.ok(['fork', ...options, seed, turfd.id(name)])).stdout.trim().split('\n');
  /** Clients that keep their connections, and as many that make a new one each time. */
  const both = (addresses: readonly string[], options: Partial<ClientsOptions> = {}): Clients[] =>
    [true, false].map((keep) => startClients(addresses, { count: CLIENTS, keep, path: '/slow', ...options }));
  const stop = (clients: readonly Clients[]): Promise<Seen[]> =>
    Promise.all(clients.map((one) => one.stop()));
  const remove = async (ids: readonly string[]): Promise<void> => {
    await Promise.all(ids.map((id) => turfd.rest(`/containers/${id}?force=true`, { method: 'DELETE' })));
  };
  const left = async (prefix: string): Promise<string[]> => [
    ...cgroupsAbout(turfd.id(prefix)),
    ...(await turfd.list()).map(({ id }) => id).filter((id) => id.startsWith(turfd.id(prefix))),
  ];

  await outer.test('no request is lost while the seed is rolled, and forks go on', async (t) => {
    const addresses = await fork('roll', '--count', '4', '--listen', 'tcp:127.0.0.1:0');
    const clients = both(addresses);
    const forked: string[] = [];
    const rolling = new AbortController();
    const forks = (async (): Promise<void> => {
      for (let n = 0; !rolling.signal.aborted; n++) {
        const id = turfd.id(`rolled-${n}`);
        await turfd.ok(['fork', '--when-unready', 'wait', seed, id]);
        forked.push((await turfd.ok(['invoke', id])).stdout);
        await turfd.ok(['delete', '--force', id]);
      }
    })();
    for (let round = 0; round < (FULL ? 5 : 1); round++) {
      for (const drain of ['now', 'idle']) await turfd.ok(['seed', 'roll', '--drain', drain, seed]);
    }
    rolling.abort();
    await forks;
    const [kept, fresh] = await stop(clients);
    for (const one of [kept, fresh]) t.same(one && troubles(one), NONE);
    t.ok((kept?.answers ?? 0) > CLIENTS && (fresh?.answers ?? 0) > CLIENTS, 'all were answered all the time');
    t.same(
      forked,
      forked.map((_, n) => turfd.id(`rolled-${n}`)),
      `${forked.length} forks meanwhile`,
    );
    t.ok(forked.length > 0);
    await remove([1, 2, 3, 4].map((n) => turfd.id(`roll-${n}`)));
    await eventually('the old versions to end', async () => (await seedRows(turfd)).length === 1);
  });

  await outer.test('workers that scale to zero refuse and lose no connection', async (t) => {
    const feed = await turfd.feed();
    const ids = [1, 2, 3].map((n) => turfd.id(`zero-${n}`));
    const addresses: string[] = [];
    for (const id of ids)
      addresses.push(
        (await turfd.ok(['fork', '--idle', '50ms', '-l', 'tcp:127.0.0.1:0', seed, id])).stdout.trim(),
      );
    // All pause together, so that workers idle out, and begin again around the moment at which they do.
    const began = performance.now();
    const pause = (): number => {
      const at = (performance.now() - began) % 400;
      return at < 200 ? 0 : 400 - at + Math.random() * 60 - 30;
    };
    const clients = both(addresses, { count: FULL ? 100 : 30, path: '/brief', pause });
    await delay(FULL ? 60_000 : 3000);
    const [kept, fresh] = await stop(clients);
    const lives = feed.seen.filter(({ type, id }) => type === 'woken' && ids.includes(String(id))).length;
    t.same([...(fresh?.wrong ?? [])], [], 'new connections');
    t.same([...(kept?.wrong ?? [])], [], 'kept connections, asked again where they had been closed');
    t.equal((kept?.cut ?? 0) + (fresh?.cut ?? 0), 0, 'no answer is cut off');
    t.ok(lives > ids.length, `${lives} lives`);
    t.comment(
      `${kept?.answers} answers on kept connections, ${fresh?.answers} on new ones, ${kept?.closedBefore} kept connections found closed, ${kept?.lost} just then, ${lives} lives`,
    );
    await remove(ids);
    t.same(await left('zero'), []);
  });

  await outer.test('workers answer on while the daemon is killed', async (t) => {
    const addresses = await fork('daemon', '--count', '4', '--listen', 'tcp:127.0.0.1:0');
    const clients = both(addresses, { count: FULL ? CLIENTS : 25 });
    for (let round = 0; round < (FULL ? 5 : 1); round++) {
      const before = turfd.nodePid;
      await turfd.killNode();
      await turfd.untilRestarted(before);
      if (FULL) {
        t.equal(await turfd.stop(), 0);
        await turfd.up();
      }
    }
    const seen = await stop(clients);
    for (const one of seen) t.same(troubles(one), NONE);
    t.equal((await turfd.list()).filter(({ status }) => status === 'running').length, 5);
    await remove([1, 2, 3, 4].map((n) => turfd.id(`daemon-${n}`)));
  });

  await outer.test(
    'fifty disposable workers, each asked by some: one has the answer, the others a clean no',
    async (t) => {
      const count = FULL ? 500 : 50;
      const addresses = await fork('once', '--count', String(count), '--disposable', '--on-exit', 'delete');
      t.equal(new Set(addresses).size, count);
      const clients = startClients(addresses, { count: count * 3, keep: false, mortal: true });
      await eventually('all of them to go', async () => (await left('once')).length === 0, 60_000);
      const { answers, wrong, cut } = await clients.stop();
      t.equal(answers, count, 'one answer each');
      t.equal(cut, 0);
      t.same(
        [...wrong.keys()].filter((what) => what !== '503'),
        [],
      );
    },
  );

  await outer.test(
    'delete --force with requests under way: clients see the end, and nothing is left',
    async (t) => {
      const count = FULL ? 100 : 12;
      const addresses = await fork('cut', '--count', String(count));
      const ids = addresses.map((_, n) => turfd.id(`cut-${n + 1}`));
      const pids = (await turfd.list()).filter(({ id }) => ids.includes(id)).map(({ pid }) => pid);
      t.equal(pids.length, count);
      const hanging = startClients(addresses, { count: count * 5, keep: true, path: '/never', mortal: true });
      const busy = startClients(addresses, { count: count * 5, keep: true, mortal: true });
      await eventually('answers', () => busy.seen.answers > count * 10);
      await remove(ids);
      const [never, seen] = [await hanging.stop(), await busy.stop()];
      t.equal(never.answers, 0);
      t.same([[...never.wrong], never.cut], [[], 0]);
      t.same([[...seen.wrong], seen.cut], [[], 0]);
      t.same(pids.filter(isAlive), []);
      t.same(await left('cut'), []);
      t.same(processesAbout(turfd.id('cut')), []);
    },
  );
});

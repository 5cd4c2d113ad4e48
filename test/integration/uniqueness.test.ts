import t, { type Test } from 'tap';
import { workerBundle } from './harness/bundle.js';
import { NetworkPeers, VISIT } from './harness/network-peers.js';
import { requires } from './harness/requires.js';
import { runtimeBundle } from './harness/seeds.js';
import { eventually, Turfd } from './harness/turfd.js';
import { askAll, AT_ONCE, CLONES, compare, probe } from './harness/uniqueness-probe.js';

/** How a worker comes to be; each is PID 1 of namespaces of its own. */
interface Kind {
  readonly name: string;
  readonly mode: 'userland' | 'runtime';
  /** Its seed is a clone itself. */
  readonly from?: true;
  /** Clones that wait ahead of their use. */
  readonly pool: number;
  /** It starts from a startup snapshot and not as a clone. */
  readonly cold?: true;
}

const KINDS: readonly Kind[] = [
  { name: 'on request, of a userland seed', mode: 'userland', pool: 0 },
  { name: 'on request, of a runtime seed', mode: 'runtime', pool: 0 },
  { name: 'made ahead', mode: 'userland', pool: AT_ONCE },
  { name: 'on request, of a seed that is a clone', mode: 'userland', from: true, pool: 0 },
  { name: 'made ahead, of a seed that is a clone', mode: 'userland', from: true, pool: AT_ONCE },
  { name: 'from a startup snapshot', mode: 'userland', pool: 0, cold: true },
];

/** Otherwise enough to see a generator that repeats. */
const wanted = ({ cold }: Kind): number => Number(CLONES ?? (cold === true ? 3 : 12));

const NODE_MODULES = ['node:crypto', 'node:https'];

/** Makes a seed with that code, asks workers of it, and compares them. */
async function askKind(
  t: Test,
  turfd: Turfd,
  kind: Kind,
  code: string,
  network: 'none' | 'host',
  parked: () => void = () => undefined,
): Promise<Awaited<ReturnType<typeof askAll>>> {
  const { mode, from, pool, cold } = kind;
  const name = `${mode}${from === true ? 'from' : ''}${pool}${cold === true ? 'cold' : ''}`;
  const [seed, base] = [turfd.id(name), turfd.id(`${name}base`)];
  const { path } = workerBundle(t, code, {
    turf: { seed: { mode }, pool, network, nodeModules: NODE_MODULES },
  });
  if (from === true) {
    const bundle = runtimeBundle(t, { network });
    await turfd.ok(['seed', 'create', '--bundle', bundle, '--pool', '0', base]);
  }
  await turfd.ok(['seed', 'create', '--bundle', path, ...(from === true ? ['--from', base] : []), seed]);
  parked();
  if (cold === true) {
    await turfd.ok(['fork', '--cold', seed, turfd.id('first')]);
    await eventually('the snapshot', () => turfd.log().includes('startup snapshot built'), 60_000);
    await turfd.ok(['delete', '--force', turfd.id('first')]);
  }
  const ready = (): Promise<void> =>
    eventually(`${pool} clones to wait`, async () => {
      const list = JSON.parse((await turfd.rest('/seeds')).body) as {
        id: string;
        pool: { ready: number };
      }[];
      return list.find(({ id }) => id === seed)?.pool.ready === pool;
    });
  const asked = await askAll(
    turfd,
    seed,
    wanted(kind),
    { network, ...(cold === true ? { cold } : {}) },
    pool === 0 ? undefined : ready,
  );
  t.equal(asked.length, wanted(kind));
  compare(t, asked);
  t.ok(
    asked.every(({ wasAhead }) => wasAhead === pool > 0),
    pool > 0 ? 'all of them were made ahead' : 'none was made ahead',
  );
  const start = cold === true ? 'snapshot' : undefined;
  t.ok(asked.every((one) => one.start === start));
  await turfd.ok(['delete', '--force', seed]);
  if (from === true) await turfd.ok(['delete', '--force', base]);
  return asked;
}

await t.test('no two workers share an identity or a random value', requires(), async (outer) => {
  const turfd = await Turfd.start(outer);
  for (const kind of KINDS)
    await outer.test(`${wanted(kind)} ${kind.name}`, async (t) => {
      await askKind(t, turfd, kind, probe(), 'none');
    });
});

await t.test(
  'no two workers in the host network share a connection, a session, a mask or an address',
  requires('program:openssl', 'program:unshare'),
  async (outer) => {
    const peers = await NetworkPeers.start(outer);
    const turfd = await Turfd.start(outer, [], peers.under);
    // Clones ahead have a network of their own, and are for nobody who wants the host's.
    for (const kind of KINDS.filter(({ mode, pool }) => mode === 'userland' && pool === 0))
      await outer.test(`${wanted(kind)} ${kind.name}`, async (t) => {
        peers.reset();
        // The seed has been there, and found no name: agents, connections, sessions, masks and answers of its own would be in every clone.
        const code = probe(VISIT, peers.urls);
        const asked = await askKind(t, turfd, kind, code, 'host', () => {
          t.equal(peers.connections.size, 2, 'of its fetch and its WebSocket');
        });
        for (const { answer } of asked)
          t.strictSame(answer.seen, { place: 'found', sessions: ['new', 'resumed'] });
        const all = 1 + wanted(kind);
        t.equal(peers.connections.size, 2 * all, "connections of its own for each, the seed's for none");
        for (const [what, values] of Object.entries({
          'TLS: no random of a handshake twice': peers.randoms,
          'TLS: no session id twice': peers.sessionIds,
          'WebSockets: no mask twice': peers.masks,
        })) {
          t.equal(values.length, all, what);
          t.equal(new Set(values).size, all, what);
        }
      });
  },
);

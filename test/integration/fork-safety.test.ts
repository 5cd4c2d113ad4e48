import t from 'tap';
import { workerBundle } from './harness/bundle.js';
import { http } from './harness/http.js';
import { requires } from './harness/requires.js';
import { Turfd } from './harness/turfd.js';

const WORKERS = 25;

/** Fills every cache that a generator may have before the fork, then tells what each worker draws after it. */
const CODE = `
for (let i = 0; i < 100; i++) { Math.random(); crypto.randomUUID(); crypto.getRandomValues(new Uint8Array(16)); }
const bornInSeed = { timeOrigin: performance.timeOrigin, now: Date.now() };
export default {
  async fetch() {
    const bytes = () => [...crypto.getRandomValues(new Uint8Array(16))].join();
    const key = await crypto.subtle.generateKey({ name: 'HMAC', hash: 'SHA-256' }, true, ['sign']);
    return Response.json({
      random: [Math.random(), Math.random()].join(),
      uuid: crypto.randomUUID(),
      bytes: bytes(),
      key: [...new Uint8Array(await crypto.subtle.exportKey('raw', key))].join(),
      timeOrigin: performance.timeOrigin,
      seedTimeOrigin: bornInSeed.timeOrigin,
      elapsed: performance.now(),
      skew: Math.abs(performance.timeOrigin + performance.now() - Date.now()),
    });
  },
};`;

interface Drawn {
  readonly random: string;
  readonly uuid: string;
  readonly bytes: string;
  readonly key: string;
  readonly timeOrigin: number;
  readonly seedTimeOrigin: number;
  readonly elapsed: number;
  readonly skew: number;
}

for (const mode of ['userland', 'runtime'])
  await t.test(
    `${WORKERS} workers of a ${mode} seed share nothing that must be their own`,
    requires(),
    async (t) => {
      const turfd = await Turfd.start(t);
      const seed = turfd.id('seed');
      const { path } = workerBundle(t, CODE, { turf: { seed: { mode } } });
      await turfd.ok(['seed', 'create', '--bundle', path, seed]);

      const drawn: Drawn[] = [];
      const pids = new Set<number>();
      for (let n = 0; n < WORKERS; n++) {
        const id = turfd.id(`w${n}`);
        await turfd.ok(['fork', seed, id]);
        const { pid, turf } = await turfd.state(id);
        pids.add(pid);
        drawn.push(JSON.parse((await http(turf.listen ?? '', '/')).body) as Drawn);
      }

      t.equal(pids.size, WORKERS);
      for (const what of ['random', 'uuid', 'bytes', 'key'] as const)
        t.equal(new Set(drawn.map((one) => one[what])).size, WORKERS, `${what} never repeats`);
      t.equal(
        new Set(drawn.flatMap(({ random }) => random.split(','))).size,
        2 * WORKERS,
        'nor do single numbers',
      );
      for (const one of drawn) {
        t.match(one.uuid, /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
        if (mode === 'userland')
          t.ok(one.timeOrigin > one.seedTimeOrigin, 'the time origin is that of the worker');
        t.ok(one.elapsed >= 0);
        t.ok(one.skew < 1000, `the worker's clocks agree: ${one.skew} ms apart`);
      }
    },
  );

import t from 'tap';
import { workerBundle } from './harness/bundle.js';
import { http } from './harness/http.js';
import { requires } from './harness/requires.js';
import { Turfd } from './harness/turfd.js';

const MIB = 1024 * 1024;

const CODE = `
import { Buffer } from 'node:buffer';
const later = () => new Promise((resolve) => setTimeout(resolve, 0));
const routes = {
  '/': () => Buffer.from('hello').toString('base64'),
  '/loop': () => { for (;;); },
  '/heap': () => { const kept = []; for (;;) kept.push(Array.from({ length: 1e5 }, (_, i) => ({ i }))); },
  async '/compute'(signal) {
    while (!signal.aborted) { for (const end = performance.now() + 5; performance.now() < end; ); await later(); }
    return 'too late';
  },
};
export default { async fetch(request) { return new Response(await routes[new URL(request.url).pathname](request.signal)); } };`;

await t.test('limits and modules of a bundle', requires(), async (t) => {
  const turfd = await Turfd.start(t);
  const ended = async (id: string, path: string): Promise<unknown> => {
    const { turf } = await turfd.state(id);
    await http(turf.listen ?? '', path).catch(() => undefined);
    return (await turfd.until(id, 'stopped')).turf;
  };
  const worker = { runtime: 'aworker', nodeModules: ['node:buffer'] };
  const seed = turfd.id('seed');
  const { path } = workerBundle(t, CODE, {
    turf: { ...worker, seed: true, limits: { turnMs: 200, cpuMs: 400, heapBytes: 64 * MIB } },
  });
  await turfd.ok(['seed', 'create', '--bundle', path, seed]);

  const starts: readonly [string, (id: string) => Promise<unknown>][] = [
    ['a clone, by its seed', (id) => turfd.ok(['fork', seed, id])],
    [
      'a worker that starts cold',
      (id) => {
        const cold = workerBundle(t, CODE, {
          turf: { ...worker, limits: { turnMs: 200, cpuMs: 400, heapBytes: 64 * MIB } },
        });
        return turfd.ok(['run', '--detach', '--bundle', cold.path, id]);
      },
    ],
  ];
  for (const [index, [what, start]] of starts.entries()) {
    await t.test(what, async (t) => {
      const [id, greedy] = ['limited', 'greedy'].map((name) => turfd.id(`${name}-${index}`));
      if (id === undefined || greedy === undefined) return;
      await start(id);
      await start(greedy);
      const { turf } = await turfd.state(id);
      t.match(await http(turf.listen ?? '', '/'), { status: 200, body: 'aGVsbG8=' }, 'a module of Node.js');
      t.match(await http(turf.listen ?? '', '/compute'), { status: 503 }, 'cpuMs');
      t.match(await http(turf.listen ?? '', '/'), { status: 200 }, 'the worker goes on');
      t.match(await ended(id, '/loop'), { exitCode: 134 }, 'turnMs');
      if (what.startsWith('a clone')) {
        t.match(
          (await turfd.turf(['logs', id])).stderr,
          /blocked for more than 200 ms of CPU time \(limit turnMs\); the last request was GET \/loop\n/,
        );
      }
      t.match(await ended(greedy, '/heap'), { exitCode: 134 }, 'heapBytes');
    });
  }

  await t.test('the bundle of a clone has limits of its own', async (t) => {
    const own = workerBundle(t, CODE, {
      turf: { runtime: 'aworker', from: seed, limits: { requestMs: 50 } },
    });
    const id = turfd.id('own');
    await turfd.ok(['run', '--detach', '--bundle', own.path, id]);
    const { turf } = await turfd.state(id);
    t.match(await http(turf.listen ?? '', '/compute'), { status: 504 }, 'not cpuMs of the seed');
  });
});

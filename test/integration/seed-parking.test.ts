import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { workerBundle } from './harness/bundle.js';
import { requires } from './harness/requires.js';
import { Turfd } from './harness/turfd.js';

const bundle = (t: Test, code: string, turf = {}): string =>
  workerBundle(t, code, { turf: { seed: true, ...turf } }).path;

await t.test('a seed is parked only when it is at rest', requires(), async (outer) => {
  const turfd = await Turfd.start(outer);
  const create = (t: Test, name: string, code: string, turf = {}): ReturnType<typeof turfd.turf> =>
    turfd.turf(['seed', 'create', '-b', bundle(t, code, turf), turfd.id(name)]);

  await outer.test('a request that is pending, and its socket, are named', async (t) => {
    const server = createServer().listen(0, '127.0.0.1');
    t.teardown(() => server.close());
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const url = `http://127.0.0.1:${address.port}`;
    const outcome = await create(t, 'pending', `fetch('${url}/slow').catch(() => undefined);`, {
      network: 'host',
    });
    t.equal(outcome.status, 1);
    t.match(outcome.stderr, `request GET ${url}/slow is pending`);
    t.match(outcome.stderr, new RegExp(`descriptor \\d+ is a tcp socket to 127\\.0\\.0\\.1:${address.port}`));
  });

  await outer.test('a rejected serialize ends the seed with its error', async (t) => {
    const outcome = await create(
      t,
      'rejects',
      `addEventListener('serialize', (event) => event.waitUntil(Promise.reject(new RangeError('not today'))));`,
    );
    t.match(outcome, { status: 1, stderr: /RangeError: not today/ });
    t.same(await turfd.list(), []);
  });

  await outer.test('output of the seed is written once, however much of it there was', async (t) => {
    const seed = turfd.id('talks');
    const code = `addEventListener('serialize', () => { for (let n = 0; n < 2000; n++) console.log('seed line', n); });
      addEventListener('deserialize', () => console.log('clone line'));
      export default { fetch: () => new Response('ok') };`;
    await turfd.ok(['seed', 'create', '-b', bundle(t, code), seed]);
    for (const name of ['t1', 't2']) {
      const id = turfd.id(name);
      await turfd.ok(['fork', seed, id]);
      await turfd.ok(['invoke', id]);
      t.equal((await turfd.ok(['logs', id])).stdout, 'clone line\n');
    }
    const lines = readFileSync(join(turfd.root, seed, 'stdout.log'), 'utf8')
      .trim()
      .split('\n');
    t.equal(lines.length, 2000);
    t.equal(lines.at(-1), 'seed line 1999');
    await turfd.ok(['seed', 'rm', '-f', seed]);
  });

  await outer.test('output to a slow reader is not left in a queue that clones would inherit', async (t) => {
    const seed = turfd.id('slow');
    const line = 'x'.repeat(99);
    const code = `addEventListener('serialize', () => { for (let n = 0; n < 3000; n++) console.log('${line}'); });
      export default { fetch: () => new Response('ok') };`;
    await turfd.ok(['create', '-b', bundle(t, code), seed]);
    await turfd.ok(['start', seed]);
    await turfd.until(seed, 'forkwait');
    const id = turfd.id('t3');
    await turfd.ok(['fork', seed, id]);
    await turfd.ok(['invoke', id]);
    t.equal((await turfd.ok(['logs', id])).stdout, '');
    await turfd.ok(['delete', '-f', seed]);
  });

  await outer.test('timers of the seed fire in the clone, unless deserialize clears them', async (t) => {
    const seed = turfd.id('timers');
    const code = `const fired = [];
      const cleared = setTimeout(() => fired.push('cleared'), 300);
      addEventListener('serialize', () => { setTimeout(() => fired.push('kept'), 300); setTimeout(() => fired.push('later'), 1e6); });
      addEventListener('deserialize', () => clearTimeout(cleared));
      export default { async fetch() { await new Promise((done) => setTimeout(done, 400)); return Response.json(fired); } };`;
    await turfd.ok(['seed', 'create', '-b', bundle(t, code), seed]);
    await delay(500);
    for (const name of ['t4', 't5']) {
      const id = turfd.id(name);
      await turfd.ok(['fork', seed, id]);
      t.equal((await turfd.ok(['invoke', id])).stdout, '["kept"]');
    }
  });
});

import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { bundle, script, workerBundle } from './harness/bundle.js';
import { requires } from './harness/requires.js';
import { eventually, Turfd } from './harness/turfd.js';

/**
 * Milliseconds between the request and the kill: they sweep through the operation, none is awaited for its result. (Each kill makes the
 * supervisor wait longer before it starts the daemon again.)
 */
const DELAYS = process.env['TURF_TEST_FULL'] === '1' ? [1, 2, 3, 6, 12, 25] : [1, 5, 20];

await t.test('kill -9 of the Node daemon at any moment of an operation', requires(), async (t) => {
  // The supervisor waits longer before each restart: a daemon of its own for each operation keeps that short.
  let turfd = await Turfd.start(t);
  const afresh = async (): Promise<void> => {
    turfd = await Turfd.start(t);
  };
  const { path } = bundle(t, ['sleep', '1000']);

  const killDuring = async (milliseconds: number, args: string[]): Promise<void> => {
    const before = turfd.nodePid;
    const operation = turfd.turf(args, { timeout: 20_000 });
    await delay(milliseconds);
    await turfd.killNode();
    const outcome = await operation;
    t.not(outcome.status, null, `turf ${args[0] ?? ''} ends although the daemon died`);
    await turfd.untilRestarted(before);
  };

  const consistent = async (id: string): Promise<void> => {
    const known = (await turfd.list()).find((one) => one.id === id);
    if (known !== undefined) {
      t.ok(['created', 'running', 'stopped'].includes(known.status), `${id} is ${known.status}`);
      await turfd.ok(['delete', '--force', id]);
    }
    await eventually(`nothing of ${id} to be left`, () => turfd.remains().every((one) => !one.includes(id)));
  };

  await t.test('create: the container is there, or nothing is', async () => {
    for (const [index, milliseconds] of DELAYS.entries()) {
      const id = turfd.id(`create${index}`);
      await killDuring(milliseconds, ['create', '--bundle', path, id]);
      await consistent(id);
    }
  });

  await afresh();
  await t.test('start: it runs, or can still be started', async (t) => {
    for (const [index, milliseconds] of DELAYS.entries()) {
      const id = turfd.id(`start${index}`);
      await turfd.ok(['create', '--bundle', path, id]);
      await killDuring(milliseconds, ['start', id]);
      const { status } = await turfd.state(id);
      t.ok(['created', 'running'].includes(status), status);
      if (status === 'created') await turfd.ok(['start', id]);
      await consistent(id);
    }
  });

  await afresh();
  await t.test('run: no container survives without a name', async () => {
    const short = bundle(t, script('exit 0'));
    for (const [index, milliseconds] of DELAYS.entries()) {
      const id = turfd.id(`run${index}`);
      await killDuring(milliseconds, ['run', '--bundle', short.path, id]);
      await consistent(id);
    }
  });

  await afresh();
  await t.test('delete: repeating it finishes it', async () => {
    for (const [index, milliseconds] of DELAYS.entries()) {
      const id = turfd.id(`delete${index}`);
      await turfd.ok(['run', '--detach', '--bundle', path, id]);
      await killDuring(milliseconds, ['delete', '--force', id]);
      await consistent(id);
    }
  });

  await afresh();
  await t.test('fork: the worker is there, or nothing is; the seed forks on', async (t) => {
    const seed = turfd.id('seed');
    const code = workerBundle(t, 'export default { fetch: () => new Response("ok") };', {
      turf: { seed: true },
    });
    await turfd.ok(['seed', 'create', '--bundle', code.path, seed]);
    for (const [index, milliseconds] of DELAYS.entries()) {
      const id = turfd.id(`fork${index}`);
      await killDuring(milliseconds, ['fork', seed, id]);
      await consistent(id);
    }
    await turfd.ok(['fork', seed, turfd.id('after')]);
    t.match((await turfd.turf(['invoke', turfd.id('after')])).stdout, /ok/);
  });
});

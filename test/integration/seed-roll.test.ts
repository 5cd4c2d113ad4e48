import t from 'tap';
import { workerBundle } from './harness/bundle.js';
import { requires } from './harness/requires.js';
import { forkAndAsk, sayingBundle, seedEvents, seedRows } from './harness/seeds.js';
import { eventually, Turfd } from './harness/turfd.js';

await t.test('rolling', requires(), async (outer) => {
  const turfd = await Turfd.start(outer);
  const seed = turfd.id('s');
  await turfd.ok(['seed', 'create', '-b', sayingBundle(outer, 'one'), seed]);

  await outer.test('new forks go to the new version; the old ends with its last worker', async (t) => {
    t.equal(await forkAndAsk(turfd, seed, 'old'), 'one');
    const rolled = await turfd.ok([
      'seed',
      'roll',
      '-b',
      sayingBundle(outer, 'two'),
      '--drain',
      'idle',
      seed,
    ]);
    t.equal(rolled.stdout, `${seed}+2\n`);
    t.equal(await forkAndAsk(turfd, seed, 'new'), 'two');
    t.equal((await turfd.ok(['invoke', turfd.id('old')])).stdout, 'one');
    t.match(await seedRows(turfd), [
      { id: seed, role: 'draining', state: 'forkwait', workers: 1 },
      { id: `${seed}+2`, role: 'current', state: 'forkwait', workers: 1 },
    ]);
    t.equal(await forkAndAsk(turfd, seed, 'again'), 'two');
    await turfd.ok(['delete', '--force', turfd.id('old')]);
    await eventually('the old version to end', async () => (await seedRows(turfd)).length === 1);
  });

  await outer.test('drain now: the old ends at once, its workers live on', async (t) => {
    const answer = await turfd.rest(`/seeds/${seed}/roll`, {
      method: 'POST',
      body: JSON.stringify({ bundle: sayingBundle(outer, 'three') }),
    });
    t.equal(answer.status, 201, answer.body);
    await eventually('the old version to end', async () => (await seedRows(turfd)).length === 1);
    t.equal((await turfd.ok(['invoke', turfd.id('new')])).stdout, 'two');
    t.equal(await forkAndAsk(turfd, seed, 'third'), 'three');
  });

  await outer.test('a new version that does not park changes nothing', async (t) => {
    const { path } = workerBundle(t, 'throw new Error("bad version")', { turf: { seed: true } });
    t.match(await turfd.turf(['seed', 'roll', '-b', path, seed]), { status: 1, stderr: /bad version/ });
    t.equal((await seedRows(turfd)).length, 1);
    t.equal(await forkAndAsk(turfd, seed, 'still'), 'three');
    t.match(await turfd.turf(['seed', 'roll', turfd.id('none')]), { status: 1, stderr: /does not exist/ });
  });

  await outer.test('rotation by number of forks', async (t) => {
    const often = turfd.id('often');
    await turfd.ok(['seed', 'create', '-b', sayingBundle(outer, 'n'), '--max-forks', '3', often]);
    const seen = await seedEvents(turfd, often);
    for (let n = 0; n < 3; n++) t.equal(await forkAndAsk(turfd, often, `n${n}`), 'n');
    await eventually('the next version', () => seen().includes('seed-roll forks'));
    t.equal(await forkAndAsk(turfd, often, 'n3'), 'n');
    t.match(await turfd.state(turfd.id('n3')), { turf: { seed: `${often}+2` } });
  });

  await outer.test('rotation by age, and by memory', async (t) => {
    const short = turfd.id('short');
    await turfd.ok(['seed', 'create', '-b', sayingBundle(outer, 's'), '--max-age', '2s', short]);
    const seen = await seedEvents(turfd, short);
    await eventually('the next version', () => seen().includes('seed-roll age'));
    t.match(
      await turfd.turf(['seed', 'create', '-b', sayingBundle(t, 'm'), '--max-memory', '1m', turfd.id('big')]),
      {
        status: 1,
        stderr: /parks with \d+ bytes, more than 1048576/,
      },
    );
  });

  await outer.test('delete by the OCI verb forgets the seed, too', async (t) => {
    const id = turfd.id('gone');
    await turfd.ok(['seed', 'create', '-b', sayingBundle(t, 'g'), '--restart', 'always', id]);
    await turfd.ok(['delete', '--force', id]);
    t.match(await turfd.turf(['state', id]), { status: 1, stderr: /does not exist/ });
    await turfd.ok(['seed', 'create', '-b', sayingBundle(t, 'g2'), id]);
    t.equal(await forkAndAsk(turfd, id, 'g2'), 'g2');
  });
});

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import t from 'tap';
import { workerBundle } from './harness/bundle.js';
import { isAlive } from './harness/processes.js';
import { requires } from './harness/requires.js';
import { forkAndAsk, sayingBundle, says, seedEvents, seedRows } from './harness/seeds.js';
import { eventually, Turfd } from './harness/turfd.js';

await t.test('supervision', requires(), async (outer) => {
  const turfd = await Turfd.start(outer);
  const seed = turfd.id('kept');
  const path = sayingBundle(outer, 'hello');
  await turfd.ok(['seed', 'create', '-b', path, '--restart', 'on-failure', '--liveness', '1s', seed]);
  const seen = await seedEvents(turfd, seed);

  await outer.test('a seed that was killed is replaced; forks fail or wait meanwhile', async (t) => {
    t.equal(await forkAndAsk(turfd, seed, 'before'), 'hello');
    const [first] = await seedRows(turfd);
    process.kill(first?.pid ?? 0, 'SIGKILL');
    await eventually('the end to be noticed', () => seen().length > 0);
    t.match(await turfd.turf(['fork', seed, turfd.id('fails')]), {
      status: 1,
      stderr: /has not reached forkwait/,
    });
    t.equal(await forkAndAsk(turfd, seed, 'cold', '--when-unready', 'cold'), 'hello');
    t.equal(await forkAndAsk(turfd, seed, 'waits', '--when-unready', 'wait'), 'hello');
    t.same(seen(), ['seed-down SIGKILL', 'seed-roll restart']);
    t.match(await seedRows(turfd), [{ id: `${seed}+2`, name: seed, role: 'current', state: 'forkwait' }]);
    t.equal((await turfd.ok(['invoke', turfd.id('before')])).stdout, 'hello', 'its worker is untouched');
    t.match(await turfd.state(seed), { id: `${seed}+2`, turf: { state: 'forkwait' } });
    t.match(await turfd.turf(['fork', seed, seed]), { status: 1, stderr: /exists/ });
  });

  await outer.test('a seed that hangs is killed and replaced', async (t) => {
    const before = seen().length;
    const [hanging] = await seedRows(turfd);
    process.kill(hanging?.pid ?? 0, 'SIGSTOP');
    await eventually('the replacement', () => seen().length >= before + 2);
    t.same(seen().slice(before), ['seed-down hung', 'seed-roll restart']);
    t.notOk(isAlive(hanging?.pid ?? 0));
    t.equal(await forkAndAsk(turfd, seed, 'unhung'), 'hello');
  });

  await outer.test('a seed that died while there was no daemon is replaced by the next', async (t) => {
    const [dead] = await seedRows(turfd);
    await turfd.stop();
    turfd.dropFeed();
    process.kill(dead?.pid ?? 0, 'SIGKILL');
    await turfd.up();
    t.equal(await forkAndAsk(turfd, seed, 'after', '--when-unready', 'wait'), 'hello');
    t.match(await seedRows(turfd), [{ name: seed, role: 'current', state: 'forkwait' }]);
    t.match(JSON.parse((await turfd.ok(['seed', 'inspect', seed])).stdout), {
      policy: { restart: 'on-failure', livenessMs: 1000 },
    });
  });

  await outer.test('one that cannot start again is given up after so many failures', async (t) => {
    const fragile = turfd.id('fragile');
    const { path } = workerBundle(t, says('once'), { turf: { seed: true } });
    await turfd.ok(['seed', 'create', '-b', path, '--restart', 'always', '--max-restarts', '1', fragile]);
    const seen = await seedEvents(turfd, fragile);
    writeFileSync(join(path, 'code/index.js'), 'throw new Error("broken now")');
    process.kill((await turfd.state(fragile)).pid, 'SIGKILL');
    await eventually('the end to be noticed', () => seen().length > 0);
    t.match(await turfd.turf(['fork', '--when-unready', 'wait', fragile, turfd.id('x')]), {
      status: 1,
      stderr: /given up after 1 failures .*broken now/s,
    });
    t.match(seen(), ['seed-down SIGKILL', /^seed-abandoned given up after 1 failures/]);
    await turfd.ok(['seed', 'rm', fragile]);
    t.match(await turfd.turf(['seed', 'inspect', fragile]), { status: 1, stderr: /does not exist/ });
  });

  await outer.test('without a policy a seed that ended stays down, and says so', async (t) => {
    const plain = turfd.id('plain');
    await turfd.ok(['seed', 'create', '-b', path, plain]);
    const seen = await seedEvents(turfd, plain);
    process.kill((await turfd.state(plain)).pid, 'SIGKILL');
    await eventually('the end to be noticed', () => seen().length === 2);
    t.same(seen(), ['seed-down SIGKILL', 'seed-abandoned it is down (SIGKILL)']);
    t.match(await turfd.turf(['fork', '--when-unready', 'wait', plain, turfd.id('y')]), {
      status: 1,
      stderr: /it is down \(SIGKILL\)/,
    });
    await turfd.ok(['seed', 'roll', plain]);
    t.equal(await forkAndAsk(turfd, plain, 'revived'), 'hello', 'rolling revives it');
  });
});

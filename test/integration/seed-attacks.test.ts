import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { temporary, workerBundle } from './harness/bundle.js';
import { statusField } from './harness/processes.js';
import { PROJECT, requires } from './harness/requires.js';
import { runtimeBundle } from './harness/seeds.js';
import { Turfd } from './harness/turfd.js';

/** Builds a program of test/integration/attacks/. @returns runs it */
function attack(t: Test, name: string): (...args: (string | number)[]) => string {
  const program = join(temporary(t), name);
  const source = join(PROJECT, 'test/integration/attacks', `${name}.c`);
  execFileSync('cc', ['-static', '-Wall', '-Werror', '-o', program, source]);
  return (...args) => execFileSync(program, args.map(String), { encoding: 'utf8' });
}

const uidOf = (pid: number): string => statusField(pid, 'Uid').split(/\s+/)[0] ?? '';

await t.test("hostile code that is root of a seed's user namespace", requires(), async (outer) => {
  const turfd = await Turfd.start(outer);
  const pidOf = async (id: string): Promise<number> => (await turfd.state(id)).pid;
  const { path } = workerBundle(outer, 'export default { fetch: () => new Response("hi") };', {
    turf: { seed: true },
  });
  const [base, one, two, own] = ['base', 'one', 'two', 'own'].map((name) => turfd.id(name)) as [
    string,
    string,
    string,
    string,
  ];
  await turfd.ok(['seed', 'create', '-b', runtimeBundle(outer), base]);
  for (const seed of [one, two]) await turfd.ok(['seed', 'create', '-b', path, '--from', base, seed]);
  await turfd.ok(['seed', 'create', '-b', path, own]);

  await outer.test('cannot open its mounts, nor see what they cover', async (t) => {
    const run = attack(t, 'seed-mounts');
    const places = [
      '/',
      '/code',
      '/turf/node',
      '/turf/dist/aworker',
      '/turf/dist/native/libturf.so',
      '/proc',
      '/tmp*',
    ];
    for (const seed of [own, one]) t.equal(run(await pidOf(seed), ...places), 'tried\n', seed);
  });

  await outer.test('cannot act on other seeds, its base, their workers or the daemon', async (t) => {
    const run = attack(t, 'seed-attack');
    const [worker, ofBase] = [turfd.id('w'), turfd.id('wb')];
    await turfd.ok(['fork', two, worker]);
    await turfd.ok(['fork', '--code', join(path, 'code'), base, ofBase]);
    const pids = new Map([[turfd.root, turfd.nodePid]]);
    for (const id of [base, two, own, worker, ofBase]) pids.set(id, await pidOf(id));
    for (const seed of [one, own])
      for (const [id, pid] of pids)
        if (id !== seed) t.equal(run(await pidOf(seed), pid, uidOf(pid)), 'tried\n', `${seed} attacks ${id}`);
    const itself = await pidOf(one);
    t.match(
      run(itself, itself, uidOf(itself)),
      /^signal\n[^]*ptrace\n[^]*ns\/mnt\n/,
      'the attempts are good ones',
    );
  });
});

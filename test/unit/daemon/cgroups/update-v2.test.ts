import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { CgroupHandle } from '../../../../daemon/cgroups/cgroup.js';
import { restoreDirectories } from '../../../../daemon/cgroups/directories-cgroup.js';
import { restoreSystemdCgroup } from '../../../../daemon/cgroups/systemd.js';

const FILES = {
  'cgroup.controllers': 'cpu io memory pids',
  'memory.max': '1000',
  'memory.swap.max': '500',
  'memory.low': '0',
  'memory.current': '700',
  'cpu.max': '5000 10000',
  'cpu.max.burst': '100',
  'cpu.weight': '100',
  'pids.max': 'max',
};

function cgroup(
  test: Test,
  files: Readonly<Record<string, string>> = {},
): { handle: CgroupHandle; read: (file: string) => string; directory: string } {
  const root = test.testdir({
    'cgroup.controllers': 'cpu io memory pids',
    'cgroup.subtree_control': 'cpu io memory pids',
    turf: { 'cgroup.subtree_control': 'cpu io memory pids', c1: { ...FILES, ...files } },
  });
  const directory = join(root, 'turf/c1');
  const unified = { controllers: [], directory, made: true };
  const handle = restoreDirectories({
    manager: 'cgroupfs',
    mode: 'v2',
    path: '/turf/c1',
    hierarchies: [],
    unified,
  });
  return { handle, directory, read: (file) => readFileSync(join(directory, file), 'utf8').slice(0) };
}

/** Regular files keep the tail of a longer value, which kernel files do not. */
const starts = (text: string, value: string): boolean => text.startsWith(value);

void t.test('a quota keeps the period that is set, and the other way round', async (test) => {
  const { handle, read } = cgroup(test);
  await handle.update({ cpu: { quota: 7000 } });
  test.ok(starts(read('cpu.max'), '7000 10000'));
  await handle.update({ cpu: { period: 20_000 } });
  test.ok(starts(read('cpu.max'), '7000 20000'));
});

void t.test('memory and swap together become swap by the limit that is set', async (test) => {
  const { handle, read } = cgroup(test);
  await handle.update({ memory: { swap: 1900 } });
  test.equal(read('memory.swap.max'), '900');
  test.equal(read('memory.max'), '1000');
});

void t.test('what is absent stays, and undo restores what was', async (test) => {
  const { handle, read } = cgroup(test);
  const undo = await handle.update({ pids: { limit: 777 }, memory: { limit: 2000 } });
  test.equal(read('pids.max'), '777');
  test.equal(read('memory.max'), '2000');
  test.equal(read('memory.swap.max'), '500');
  await undo();
  test.equal(read('pids.max'), 'max');
  test.equal(read('memory.max'), '1000');
});

void t.test('nothing is written where one limit has no file', async (test) => {
  const { handle, read } = cgroup(test);
  await test.rejects(handle.update({ memory: { limit: 2000 }, blockIO: { weight: 100 } }), {
    code: 'TURF_ERR_CGROUP',
    path: 'linux.resources.blockIO.weight',
  });
  test.equal(read('memory.max'), '1000');
});

void t.test('what was written is taken back when a later write fails', async (test) => {
  const { handle, read, directory } = cgroup(test);
  chmodSync(directory, 0o755);
  // A directory in place of the file: open(2) for writing fails, for root as well.
  const { mkdirSync, rmSync } = await import('node:fs');
  rmSync(join(directory, 'pids.max'));
  mkdirSync(join(directory, 'pids.max'));
  await test.rejects(handle.update({ memory: { limit: 2000, reservation: 9 }, pids: { limit: 3 } }), {
    code: 'TURF_ERR_CGROUP',
    path: 'linux.resources.pids.limit',
    message: /EISDIR/,
  });
  test.equal(read('memory.max'), '1000');
  test.equal(read('memory.low'), '0');
});

void t.test('checkBeforeUpdate refuses less than is in use', async (test) => {
  const { handle, read } = cgroup(test);
  await test.rejects(handle.update({ memory: { limit: 699, checkBeforeUpdate: true } }), {
    path: 'linux.resources.memory.limit',
    message: /699 is below the 700 bytes in use/,
  });
  test.equal(read('memory.max'), '1000');
  await handle.update({ memory: { limit: 800, checkBeforeUpdate: true } });
});

void t.test('unified files, and controllers that are switched on for them', async (test) => {
  const { handle, read, directory } = cgroup(test, {
    'cgroup.controllers': 'cpu pids',
    'memory.high': 'max',
  });
  await handle.update({ unified: { 'memory.high': '900' } });
  test.equal(read('memory.high'), '900');
  test.match(readFileSync(join(directory, '../cgroup.subtree_control'), 'utf8'), /^cpu io memory/);
});

void t.test(
  'systemd is told of the limits before turf writes them, and of the old ones when that fails',
  async (test) => {
    const { directory, read } = cgroup(test);
    const calls: (readonly string[])[] = [];
    const unified = { controllers: [], directory, made: false };
    const handle = restoreSystemdCgroup(
      { manager: 'systemd', mode: 'v2', path: '/turf/c1', hierarchies: [], unified, unit: 'turf-c1.scope' },
      (args) => {
        calls.push(args.slice(5));
        return Promise.resolve('');
      },
    );
    await handle.update({ memory: { limit: 2000 } });
    test.equal(read('memory.max'), '2000');
    test.same(calls, [
      ['SetUnitProperties', 'sba(sv)', 'turf-c1.scope', 'true', '1', 'MemoryMax', 't', '2000'],
    ]);
    const undo = await handle.update({ memory: { limit: 3000 } });
    await undo();
    test.equal(read('memory.max'), '2000');
    test.same(calls.at(-1)?.slice(-3), ['MemoryMax', 't', '2000']);
  },
);

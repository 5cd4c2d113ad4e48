import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import t, { type Test } from 'tap';
import { Snapshots } from '../../../../daemon/seeds/snapshots.js';
import { eventually } from '../../../integration/harness/turfd.js';

function fixture(
  t: Test,
  script: string,
): { root: string; file: string; lines: string[]; make: () => Snapshots } {
  const root = mkdtempSync(join(tmpdir(), 'turf-snapshots-'));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  const file = join(root, 'script.cjs');
  writeFileSync(file, script);
  const lines: string[] = [];
  const log = pino({}, { write: (line: string) => void lines.push(line) });
  return {
    root,
    file,
    lines,
    make: () => new Snapshots(root, { node: process.execPath, files: [file] }, log),
  };
}

void t.test('there is none at first, then the one that was built, also for the next daemon', async (t) => {
  const { root, file, make } = fixture(t, 'globalThis.answer = 42;');
  const snapshots = make();
  t.equal(snapshots.current(), undefined);
  t.equal(snapshots.current(), undefined, 'while it is built');
  await eventually('the snapshot', () => snapshots.current() !== undefined, 30_000);
  const path = snapshots.current() ?? '';
  t.equal(make().current(), path);
  writeFileSync(file, 'globalThis.answer = 43;');
  const next = make();
  t.equal(next.current(), undefined, 'other code is another snapshot');
  await eventually('the next', () => next.current() !== undefined, 30_000);
  t.not(next.current(), path);
  t.equal(readdirSync(join(root, '.snapshots')).length, 2, 'the stale one has gone');
});

void t.test('one that cannot be built is told of once, and done without', async (t) => {
  const { root, lines, make } = fixture(t, 'throw new Error("not on this engine")');
  const snapshots = make();
  t.equal(snapshots.current(), undefined);
  await eventually('the reason', () => lines.length > 0, 30_000);
  t.match(lines, [/not on this engine.*no startup snapshot can be built: workers start without/s]);
  t.equal(snapshots.current(), undefined);
  t.equal(lines.length, 1);
  t.same(readdirSync(join(root, '.snapshots')), []);
});

void t.test('a place that cannot be written to is no hindrance', (t) => {
  const { root, lines, make } = fixture(t, '');
  writeFileSync(join(root, '.snapshots'), 'a file');
  t.equal(make().current(), undefined);
  t.match(lines.at(-1), /no startup snapshot can be built: workers start without/);
  t.end();
});

void t.test('building ends with the daemon', async (t) => {
  const { lines, make } = fixture(t, 'for (;;);');
  const snapshots = make();
  snapshots.current();
  snapshots.stop();
  await eventually('its end', () => lines.length > 0, 30_000);
  t.equal(snapshots.current(), undefined);
});

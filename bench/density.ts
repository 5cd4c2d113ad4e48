import { setTimeout as delay } from 'node:timers/promises';
import { type Contestant, startContestant } from './contestants.js';
import { exchange } from './http.js';
import { settledKiB, usedKiB } from './machine.js';
import { row, type Row } from './row.js';
import { forkToResponse, type Herd } from './workers.js';

/** Requests that are under way at once while the herd grows and shrinks. */
const CLIENTS = 8;
/** Idle instances of each peer. */
const INSTANCES = 10;

/**
 * Grows one seed's workers to each level and samples forks there; then ends them all. Yields rows as they are measured.
 * @param levels workers alive, ascending
 * @param runs sampled forks a level
 */
export async function* density(
  herd: Herd,
  levels: readonly number[],
  runs: number,
  progress: (what: string) => void,
): AsyncGenerator<Row[], void> {
  const empty = await settledKiB();
  for (const level of levels) {
    progress(`${level} workers alive`);
    const missing = level - herd.size;
    const began = performance.now();
    await herd.growTogether(level, CLIENTS);
    const seconds = (performance.now() - began) / 1000;
    yield [
      row(`forks a second, each asked once, up to ${level} alive`, 'turf', '1/s', [missing / seconds]),
      row(`memory per idle worker, ${level} alive`, 'turf', 'KiB', [
        ((await settledKiB()) - empty) / herd.size,
      ]),
    ];
    yield await forkToResponse(herd, level, runs);
  }
  const most = herd.size;
  progress(`delete of ${most} workers`);
  const began = performance.now();
  await herd.shrinkTogether(0, CLIENTS);
  yield [
    row(`delete of ${most} workers`, 'turf', 'ms', [performance.now() - began]),
    row(`containers left after it`, 'turf', 'left', [await herd.left()]),
  ];
}

/** Cold start to the first answer and memory of idle servers, one process each. */
export async function densityOfPeers(
  contestants: readonly Contestant[],
  progress: (what: string) => void,
): Promise<Row[]> {
  const rows: Row[] = [];
  for (const contestant of contestants) {
    progress(`${INSTANCES} idle ${contestant.name}`);
    const before = await settledKiB();
    const children = [];
    const taken: number[] = [];
    try {
      for (let n = 0; n < INSTANCES; n++) {
        const began = performance.now();
        const { child, port } = await startContestant(contestant);
        children.push(child);
        await exchange(`tcp:127.0.0.1:${port}`, 'GET', '/');
        taken.push(performance.now() - began);
      }
      await delay(1000);
      const held = (usedKiB() - before) / INSTANCES;
      rows.push(
        row('cold start to first response', contestant.name, 'ms', taken),
        row('memory per idle instance after one request', contestant.name, 'KiB', [held]),
      );
    } finally {
      // SIGKILL of aworker would leave the process that it started.
      for (const child of children) child.kill('SIGTERM');
    }
  }
  return rows;
}

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Contestant, type RunningContestant, startContestant } from './contestants.js';
import { PROJECT } from './daemon.js';
import type { LoadResult } from './load.js';
import type { Row } from './row.js';
import { spread } from './statistics.js';

const CONNECTIONS = 32;
const SECONDS = 1;
/** Rounds that are not counted: what is hot is compiled in them. */
const WARM_UP = 2;
const REQUEST = 'GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: load\r\nAccept: */*\r\n\r\n';
async function load(port: number): Promise<LoadResult> {
  const program = join(PROJECT, 'dist/bench/load.js');
  const args = [program, String(port), String(CONNECTIONS), String(SECONDS), REQUEST];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout) as LoadResult;
}

interface Running extends RunningContestant {
  readonly results: LoadResult[];
}

/**
 * Requests per second and latency of one-process servers that answer a short text, aworker's beside node:http and, where they are given, Bun, Deno
 * and workerd. Rounds go through all of them in turn, so that what happens to the machine happens to all.
 *
 * @returns `notes`: what the project promises, and what it is
 */
export async function throughput(
  contestants: readonly Contestant[],
  rounds: number,
  progress: (what: string) => void,
): Promise<{ rows: Row[]; notes: string[] }> {
  const running: Running[] = [];
  try {
    for (const contestant of contestants)
      running.push({ ...(await startContestant(contestant)), results: [] });
    for (let round = -WARM_UP; round < rounds; round++) {
      progress(round < 0 ? 'http, warm-up' : `http, round ${round + 1} of ${rounds}`);
      for (const { port, results } of running) {
        const result = await load(port);
        if (round >= 0) results.push(result);
      }
    }
  } finally {
    for (const { child } of running) child.kill('SIGTERM');
  }
  return { rows: running.flatMap(rowsOf), notes: ratios(running) };
}

function rowsOf({ name: who, results }: Running): Row[] {
  const row = (what: string, unit: Row['unit'], of: (result: LoadResult) => number): Row => ({
    what: `http, ${CONNECTIONS} connections: ${what}`,
    who,
    unit,
    figures: spread(results.map(of)),
  });
  return [
    row('requests', '1/s', ({ requests, seconds }) => requests / seconds),
    row('latency p50', 'ms', ({ p50 }) => p50),
    row('latency p99', 'ms', ({ p99 }) => p99),
  ];
}

/** What the project promises: at least 0.85 of the throughput and at most 1.2 of the p99 of node:http. */
function ratios(running: readonly Running[]): string[] {
  const of = (name: string, value: (result: LoadResult) => number): number => {
    const results = running.find((one) => one.name === name)?.results ?? [];
    return results.length === 0 ? NaN : spread(results.map(value)).p50;
  };
  const rate = ({ requests, seconds }: LoadResult): number => requests / seconds;
  const p99 = (result: LoadResult): number => result.p99;
  return [
    `aworker has ${(of('aworker', rate) / of('node:http', rate)).toFixed(2)} of the throughput ` +
      `and ${(of('aworker', p99) / of('node:http', p99)).toFixed(2)} of the p99 of node:http`,
  ];
}

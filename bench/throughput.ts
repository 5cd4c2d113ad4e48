import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { contestants } from './contestants.js';
import { PROJECT } from './daemon.js';
import type { LoadResult } from './load.js';
import type { Row } from './row.js';
import { spread } from './statistics.js';

const CONNECTIONS = 32;
const SECONDS = 2;
const REQUEST = 'GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: load\r\nAccept: */*\r\n\r\n';
const PATIENCE_MS = 20_000;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no TCP port');
  return address.port;
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function started(child: ChildProcess, name: string, port: number): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!(await accepts(port))) {
    if (child.exitCode !== null || performance.now() > deadline) throw new Error(`${name} does not accept`);
    await delay(20);
  }
}

async function load(port: number): Promise<LoadResult> {
  const program = join(PROJECT, 'dist/bench/load.js');
  const args = [program, String(port), String(CONNECTIONS), String(SECONDS), REQUEST];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout) as LoadResult;
}

interface Running {
  readonly name: string;
  readonly port: number;
  readonly child: ChildProcess;
  readonly results: LoadResult[];
}

/**
 * Requests per second and latency of one-process servers that answer a short text, aworker's beside node:http and, where they are asked for, Bun, Deno
 * and workerd. Rounds go through all of them in turn, so that what happens to the machine happens to all.
 *
 * @param directory for what the servers run; the caller removes it
 * @param peers whether to install the other runtimes from npm, into `directory`
 */
export async function throughput(
  directory: string,
  rounds: number,
  peers: boolean,
  progress: (what: string) => void,
): Promise<{ rows: Row[]; notes: string[] }> {
  const { present, notes } = await contestants(directory, peers, progress);
  const running: Running[] = [];
  try {
    for (const { name, command } of present) {
      const port = await freePort();
      const [program = '', ...args] = command(port);
      const child = spawn(program, args, { stdio: 'ignore' });
      running.push({ name, port, child, results: [] });
      await started(child, name, port);
    }
    for (let round = 0; round < rounds; round++) {
      progress(`http, round ${round + 1} of ${rounds}`);
      for (const { port, results } of running) results.push(await load(port));
    }
  } finally {
    for (const { child } of running) child.kill('SIGTERM');
  }
  return { rows: running.flatMap(rowsOf), notes: [...notes, ...ratios(running)] };
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

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { PROJECT } from './daemon.js';
import type { LoadResult } from './load.js';
import type { Row } from './row.js';
import { spread } from './statistics.js';

/** Other runtimes come from npm, into a directory of the bench's own, and only when they are asked for. */
const CACHE = join(homedir(), '.cache/turf-bench');
const PACKAGES = ['bun', 'deno', 'workerd'] as const;

const CONNECTIONS = 32;
const SECONDS = 2;
const REQUEST = 'GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: load\r\nAccept: */*\r\n\r\n';
const PATIENCE_MS = 20_000;

interface Contestant {
  readonly name: string;
  /** Program and arguments of a server on that port of 127.0.0.1. */
  command(port: number): readonly string[];
}

const WORKER = `export default { fetch() { return new Response('hello\\n'); } };\n`;
const NODE = `import { createServer } from 'node:http';
createServer((_request, response) => {
  const body = 'hello\\n';
  response.writeHead(200, { 'content-type': 'text/plain;charset=UTF-8', 'content-length': Buffer.byteLength(body) });
  response.end(body);
}).listen(Number(process.argv[2]), '127.0.0.1');
`;
const BUN = `Bun.serve({ hostname: '127.0.0.1', port: Number(process.argv[2]), fetch: () => new Response('hello\\n') });\n`;
const workerd = (port: number): string => `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .hello)],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
const hello :Workerd.Worker = (
  modules = [(name = "worker", esModule = embed "worker.mjs")],
  compatibilityDate = "2025-01-01",
);
`;

function contestants(directory: string): Contestant[] {
  const file = (name: string, text: string): string => {
    writeFileSync(join(directory, name), text);
    return join(directory, name);
  };
  const worker = file('worker.mjs', WORKER);
  const node = file('node.mjs', NODE);
  const bun = file('bun.mjs', BUN);
  const installed = (name: string): string => join(CACHE, 'node_modules/.bin', name);
  return [
    { name: 'node:http', command: (port) => [process.execPath, node, String(port)] },
    {
      name: 'aworker',
      command: (port) => [join(PROJECT, 'bin/aworker'), worker, '--listen', `tcp:127.0.0.1:${port}`],
    },
    { name: 'bun', command: (port) => [installed('bun'), bun, String(port)] },
    {
      name: 'deno',
      command: (port) => [
        installed('deno'),
        'serve',
        '--no-config',
        '--host=127.0.0.1',
        `--port=${port}`,
        worker,
      ],
    },
    {
      name: 'workerd',
      command: (port) => [installed('workerd'), 'serve', file('workerd.capnp', workerd(port))],
    },
  ];
}

/** Installs the other runtimes. One that cannot be installed is absent, and said to be. */
async function install(progress: (what: string) => void): Promise<void> {
  mkdirSync(CACHE, { recursive: true });
  for (const name of PACKAGES) {
    if (existsSync(join(CACHE, 'node_modules/.bin', name))) continue;
    progress(`npm install ${name}`);
    try {
      await promisify(execFile)('npm', ['install', '--no-audit', '--no-fund', '--prefix', CACHE, name]);
    } catch (error) {
      progress(`npm install ${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

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
 * Requests per second and latency of one-process servers that answer a short text, aworker's beside node:http and, where they are installed, Bun, Deno
 * and workerd. Rounds go through all of them in turn, so that what happens to the machine happens to all.
 *
 * @param peers whether to install what is missing
 */
export async function throughput(
  directory: string,
  rounds: number,
  peers: boolean,
  progress: (what: string) => void,
): Promise<{ rows: Row[]; notes: string[] }> {
  if (peers) await install(progress);
  const notes: string[] = [];
  const running: Running[] = [];
  try {
    for (const contestant of contestants(directory)) {
      const { name } = contestant;
      const port = await freePort();
      const [program = '', ...args] = contestant.command(port);
      if (!existsSync(program)) {
        notes.push(`${name}: absent (--peers installs it from npm)`);
        continue;
      }
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

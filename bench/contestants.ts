import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { PROJECT } from './daemon.js';

/** Other runtimes come from npm, into a directory of the bench's own, and only when they are asked for. */
const CACHE = join(homedir(), '.cache/turf-bench');
const PACKAGES = ['bun', 'deno', 'workerd'] as const;

const PATIENCE_MS = 20_000;
const POLL_MS = 2;

/** A server that answers a short text over HTTP. */
export interface Contestant {
  readonly name: string;
  /** Program and arguments of a server on that port of 127.0.0.1. */
  readonly command: (port: number) => readonly string[];
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

/** node:http, aworker, Bun, Deno and workerd with the same function. @param directory for their scripts */
export function contestants(directory: string): Contestant[] {
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
export async function installContestants(progress: (what: string) => void): Promise<void> {
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

/** A server that accepts on 127.0.0.1. */
export interface RunningContestant {
  readonly name: string;
  readonly port: number;
  readonly child: ChildProcess;
}

/**
 * Starts a server and waits until it accepts.
 * @returns undefined where it is not installed
 * @throws Error when it ends, or does not accept in 20 s
 */
export async function startContestant({ name, command }: Contestant): Promise<RunningContestant | undefined> {
  const port = await freePort();
  const [program = '', ...args] = command(port);
  if (!existsSync(program)) return undefined;
  const child = spawn(program, args, { stdio: 'ignore' });
  const deadline = performance.now() + PATIENCE_MS;
  while (!(await accepts(port))) {
    if (child.exitCode !== null || performance.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`${name} does not accept`);
    }
    await delay(POLL_MS);
  }
  return { name, port, child };
}

/** What to say of one that is not installed. */
export const absence = (name: string): string => `${name}: absent (--peers installs it from npm)`;

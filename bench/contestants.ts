import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { PROJECT } from './daemon.js';

/** An HTTP server that answers every request with `hello`. */
export interface Contestant {
  readonly name: string;
  /** Program and arguments of one that listens on that port of 127.0.0.1. */
  readonly command: (port: number) => readonly string[];
}

/** One that accepts on 127.0.0.1. */
export interface RunningContestant {
  readonly name: string;
  readonly port: number;
  readonly child: ChildProcess;
}

const PATIENCE_MS = 20_000;
const POLL_MS = 2;
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

/** @param directory where programs are, or are written */
function others(
  directory: string,
  file: (name: string, text: string) => string,
): Record<string, Contestant['command']> {
  const installed = (name: string): string => join(directory, 'node_modules/.bin', name);
  const [worker, bun] = [file('worker.mjs', WORKER), file('bun.mjs', BUN)];
  return {
    bun: (port) => [installed('bun'), bun, String(port)],
    deno: (port) => [
      installed('deno'),
      ...['serve', '--no-config', '--host=127.0.0.1', `--port=${port}`, worker],
    ],
    workerd: (port) => [installed('workerd'), 'serve', file('workerd.capnp', workerd(port))],
  };
}

/**
 * aworker and node:http, and the other runtimes as far as npm brings them.
 *
 * @param directory for programs; the caller removes it
 * @param install whether to install the others
 * @returns `notes`: versions of the others, or why one is absent
 */
export async function contestants(
  directory: string,
  install: boolean,
  progress: (what: string) => void,
): Promise<{ present: readonly Contestant[]; notes: string[] }> {
  const file = (name: string, text: string): string => {
    writeFileSync(join(directory, name), text);
    return join(directory, name);
  };
  const [node, worker] = [file('node.mjs', NODE), file('worker.mjs', WORKER)];
  const present: Contestant[] = [
    { name: 'node:http', command: (port) => [process.execPath, node, String(port)] },
    {
      name: 'aworker',
      command: (port) => [join(PROJECT, 'bin/aworker'), worker, '--listen', `tcp:127.0.0.1:${port}`],
    },
  ];
  const notes: string[] = [];
  for (const [name, command] of Object.entries(others(directory, file))) {
    if (!install) {
      notes.push(`${name}: absent; --peers installs it from npm for the time of the bench`);
      continue;
    }
    progress(`npm install ${name}`);
    try {
      await run('npm', ['install', '--no-audit', '--no-fund', '--prefix', directory, name]);
      notes.push(`${name}: ${await run(join(directory, 'node_modules/.bin', name), ['--version'])}`);
      present.push({ name, command });
    } catch (error) {
      notes.push(`${name}: absent, as npm could not install it: ${firstLine(String(error))}`);
    }
  }
  return { present, notes };
}

/**
 * Starts a server and waits until it accepts.
 *
 * @throws Error when it ends, or does not accept in 20 s
 */
export async function startContestant({ name, command }: Contestant): Promise<RunningContestant> {
  const port = await freePort();
  const [program = '', ...args] = command(port);
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

const firstLine = (text: string): string => text.trim().split('\n', 1).join('');

/** @returns the first line that it printed */
async function run(program: string, args: readonly string[]): Promise<string> {
  return firstLine((await promisify(execFile)(program, args)).stdout);
}

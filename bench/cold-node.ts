import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { exchange, type Answer } from './http.js';

const SERVER = new URL('./cold-server.js', import.meta.url).pathname;

export interface ColdNode {
  readonly process: ChildProcess;
  readonly answer: Answer;
  /** Milliseconds from before the spawn to the first whole response. */
  readonly ms: number;
}

/** Starts a plain `node` that serves a function's module over HTTP, and asks it once. */
export async function coldNode(
  module: string,
  directory: string,
  name: string,
  path = '/',
): Promise<ColdNode> {
  const socket = join(directory, `${name}.sock`);
  rmSync(socket, { force: true });
  const began = performance.now();
  const child = spawn(process.execPath, [SERVER, module, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  const answer = await exchange(`unix:${socket}`, 'GET', path);
  return { process: child, answer, ms: performance.now() - began };
}

/** Ends a cold node. */
export async function endColdNode({ process: child }: ColdNode): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { temporary } from './bundle.js';
import { PROJECT } from './requires.js';
import { eventually } from './turfd.js';

/** A receiver of a console master, and the terminal's other side. */
export interface Console {
  /** For --console-socket. */
  readonly socket: string;
  readonly output: () => string;
  readonly type: (text: string) => void;
  /** Waits until the output has a text. */
  readonly until: (text: string) => Promise<void>;
  readonly ended: Promise<unknown>;
}

/** Compiles and starts the small receiver that stands for an engine's monitor. */
export async function receiveConsole(t: Test): Promise<Console> {
  const dir = temporary(t, 'tc-');
  const program = join(dir, 'recvtty');
  const socket = join(dir, 'console.sock');
  execFileSync('gcc', ['-o', program, join(PROJECT, 'test/integration/harness/recvtty.c')]);
  const child = spawn(program, [socket], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.teardown(() => child.kill('SIGKILL'));
  child.stdin.on('error', () => undefined);
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await eventually('the console socket', () => existsSync(socket));
  return {
    socket,
    output: () => output,
    type: (text) => void child.stdin.write(text),
    until: (text) =>
      eventually(`${JSON.stringify(text)} on the console, has ${output}`, () => output.includes(text)),
    ended: once(child, 'exit'),
  };
}

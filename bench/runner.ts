import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/**
 * Runs commands for the driver and times them: one request a line on stdin, one answer a line on stdout, both JSON. A peer that needs
 * another mount namespace has its runner there, so that all pay the same for a spawn.
 */
export interface RunnerRequest {
  readonly commands: readonly (readonly string[])[];
  /** All at once, and to the end of each; otherwise one after the other, up to the first that fails. */
  readonly together: boolean;
}

export interface RunnerAnswer {
  /** Milliseconds: of whole processes, added up; of those that run together, from the first spawn to the last end. */
  readonly ms: number;
  /** Each command that did not end with status 0, with its stderr. */
  readonly failed: readonly string[];
}

const scratch = mkdtempSync(join(tmpdir(), 'turf-runner-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));

/** @returns milliseconds, and what it said where it failed */
async function run(
  [file = '', ...args]: readonly string[],
  number: number,
): Promise<{ ms: number; failed?: string }> {
  const errors = join(scratch, `stderr-${number}`);
  const stderr = openSync(errors, 'w');
  const began = performance.now();
  const child = spawn(file, args, { stdio: ['ignore', 'ignore', stderr] });
  const [status] = (await once(child, 'exit')) as [number | null];
  const ms = performance.now() - began;
  closeSync(stderr);
  return status === 0 ? { ms } : { ms, failed: `${file} ${args.join(' ')}: ${readFileSync(errors, 'utf8')}` };
}

async function answer({ commands, together }: RunnerRequest): Promise<RunnerAnswer> {
  if (together) {
    const began = performance.now();
    const results = await Promise.all(commands.map(run));
    const ms = performance.now() - began;
    return { ms, failed: results.flatMap(({ failed }) => failed ?? []) };
  }
  let total = 0;
  for (const command of commands) {
    const { ms, failed } = await run(command, 0);
    total += ms;
    if (failed !== undefined) return { ms: total, failed: [failed] };
  }
  return { ms: total, failed: [] };
}

for await (const line of createInterface({ input: process.stdin }))
  process.stdout.write(`${JSON.stringify(await answer(JSON.parse(line) as RunnerRequest))}\n`);

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/**
 * Runs commands for the driver and times them: one JSON array of argument vectors a line on stdin, one JSON answer a line
 * on stdout. A peer that needs another mount namespace has its runner there, so that all pay the same for a spawn.
 */
export interface RunnerAnswer {
  /** Milliseconds, whole processes, one after the other. */
  readonly ms: number;
  /** First command that did not end with status 0, with its stderr. */
  readonly failed?: string;
}

const scratch = mkdtempSync(join(tmpdir(), 'turf-runner-'));
const errors = join(scratch, 'stderr');
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));

async function runAll(commands: readonly (readonly string[])[]): Promise<RunnerAnswer> {
  let ms = 0;
  for (const [file = '', ...args] of commands) {
    const stderr = openSync(errors, 'w');
    const began = performance.now();
    const child = spawn(file, args, { stdio: ['ignore', 'ignore', stderr] });
    const [status] = (await once(child, 'exit')) as [number | null];
    ms += performance.now() - began;
    closeSync(stderr);
    if (status !== 0) return { ms, failed: `${file} ${args.join(' ')}: ${readFileSync(errors, 'utf8')}` };
  }
  return { ms };
}

for await (const line of createInterface({ input: process.stdin }))
  process.stdout.write(`${JSON.stringify(await runAll(JSON.parse(line) as string[][]))}\n`);

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { patience } from './patience.js';

export interface RunOptions {
  readonly input?: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Milliseconds; the process is killed after them and the outcome has a signal. */
  readonly timeout?: number;
  /** Aborting kills the process. */
  readonly signal?: AbortSignal;
}

export interface Outcome {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  /** What was written when the command ended. */
  readonly stdout: string;
  readonly stderr: string;
  /** What has been written by now: a created container keeps the descriptors that `create` had. */
  readonly later: () => { stdout: string; stderr: string };
}

/**
 * Runs a program to its end and logs command, status and output as TAP comments. Output goes to files, not pipes: a container that
 * outlives `turf create` holds its stdio, and a pipe would never end.
 */
export async function run(
  t: Test,
  file: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Outcome> {
  const dir = mkdtempSync(join(tmpdir(), 'turf-out-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const out = openSync(join(dir, 'stdout'), 'a');
  const err = openSync(join(dir, 'stderr'), 'a');
  const child = spawn(file, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: [options.input === undefined ? 'ignore' : 'pipe', out, err],
    ...(options.signal === undefined ? {} : { signal: options.signal, killSignal: 'SIGKILL' as const }),
    timeout: patience(options.timeout ?? 30_000),
    killSignal: 'SIGKILL',
  });
  closeSync(out);
  closeSync(err);
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(options.input);
  child.on('error', () => undefined);
  const [status, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  const later = (): { stdout: string; stderr: string } => ({
    stdout: readFileSync(join(dir, 'stdout'), 'utf8'),
    stderr: readFileSync(join(dir, 'stderr'), 'utf8'),
  });
  const outcome = { status, signal, ...later(), later };
  t.comment(`${file} ${args.join(' ')} -> ${String(status ?? signal)}`);
  for (const text of [outcome.stdout, outcome.stderr])
    if (text !== '') t.comment(text.length > 2000 ? `${text.slice(0, 2000)}…` : text.trimEnd());
  return outcome;
}

import type { CliContext } from '../../../cli/context.js';
import { runCli } from '../../../cli/main.js';
import type { Operations } from '../../../cli/operations.js';
import { fakeOperations, type Call } from './fake-operations.js';

export interface Run {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly calls: readonly Call[];
}

export interface FakeRunOptions {
  readonly operations?: Partial<Operations>;
  readonly context?: Partial<CliContext>;
}

/** Runs a command line against fake operations, as a client in `/some/where` of the root `/run/turf`. */
export async function runFake(argv: readonly string[], options: FakeRunOptions = {}): Promise<Run> {
  const { operations, calls } = fakeOperations(options.operations);
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  const context: CliContext = {
    cwd: '/some/where',
    env: {},
    tty: { stdin: false, stdout: false, stderr: false },
    rows: 24,
    columns: 80,
    umask: 0o022,
    stdout: (data) => void out.push(Buffer.from(data)),
    stderr: (data) => void err.push(Buffer.from(data)),
    readStdin: () => Promise.resolve(Buffer.from('from stdin')),
    signal: new AbortController().signal,
    operations,
    root: '/run/turf',
    launcher: { launch: () => Promise.resolve(4242), succeed: () => Promise.resolve() },
    foreground: { wait: () => Promise.resolve(0) },
    consolePair: () => ({ daemonEnd: -1, clientEnd: -1 }),
    ...options.context,
  };
  const exitCode = await runCli(argv, context);
  return {
    exitCode,
    stdout: Buffer.concat(out).toString('latin1'),
    stderr: Buffer.concat(err).toString(),
    calls,
  };
}

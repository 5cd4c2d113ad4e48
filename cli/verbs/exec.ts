import { closeSync } from 'node:fs';
import { execOptions, toExecOptions } from '../exec-options.js';
import type { ExecOptions } from '../exec.js';
import type { CliContext } from '../context.js';
import { usageError } from '../options.js';
import { reportError } from '../report.js';
import { TurfError } from '../turf-error.js';
import { defineVerb } from '../verb.js';
import { exitCodeOfStatus } from '../wait-status.js';

/** What shells answer for a program that is not there, and for one that cannot be executed. */
const notFound = 127;
const notExecutable = 126;
/** runc's exit code for an exec that failed before there was a program. */
const failed = 255;

export const verb = defineVerb({
  name: 'exec',
  summary: 'run a program in a container',
  description:
    "Runs a program in a container that is there, with what the container's own process has by its config.json, or with\n" +
    'what --process says. In the foreground, waits until it ends and exits with its exit code, or 128 and the number of the\n' +
    'signal that ended it; 127 where the program is not there, 126 where it cannot be executed, 255 for other errors.',
  arguments: [
    { name: 'ID', help: 'the container' },
    {
      name: 'COMMAND',
      help: 'the program and its arguments; not with --process',
      optional: true,
      rest: true,
    },
  ],
  options: execOptions,
  examples: [
    { command: 'exec hello ps', does: 'run ps in hello' },
    { command: 'exec --tty hello sh', does: 'a shell on a terminal' },
    { command: 'exec --user 1000:1000 --cwd /tmp hello id', does: 'as another user' },
    {
      command: 'exec --detach --process process.json hello',
      does: 'what process.json says, in the background',
    },
  ],
  async run(invocation) {
    const { context, globals, options } = invocation;
    const exec = await toExecOptions(invocation);
    const terminal = exec.terminal ?? givesTerminal(exec);
    if (options.detach && terminal && exec.consoleSocket === undefined)
      throw usageError('cannot allocate tty if turf will detach without setting console socket');
    if (exec.consoleSocket !== undefined && !(options.detach && terminal))
      throw usageError('cannot use console socket if turf will not detach or allocate tty');
    try {
      if (!options.detach) return await foreground(context, exec, terminal);
      await context.operations.exec(exec);
      return 0;
    } catch (error) {
      if (context.signal.aborted || (error instanceof TurfError && error.code === 'TURF_ERR_USAGE'))
        throw error;
      await reportError(context, globals, error);
      return failureCode(error);
    }
  },
});

/** Whether the process file asks for a terminal; one that is no JSON is refused by the operation, with the place. */
function givesTerminal({ process }: ExecOptions): boolean {
  if (process === undefined) return false;
  try {
    const value: unknown = JSON.parse(process);
    return typeof value === 'object' && value !== null && Reflect.get(value, 'terminal') === true;
  } catch {
    return false;
  }
}

async function foreground(context: CliContext, exec: ExecOptions, terminal: boolean): Promise<number> {
  const console = terminal ? context.consolePair() : undefined;
  let clientEnd = console?.clientEnd;
  try {
    await context.operations.exec({
      ...exec,
      ...(console === undefined ? {} : { consoleFd: console.daemonEnd }),
    });
    const waiting = context.foreground.wait({
      terminal,
      ...(clientEnd === undefined ? {} : { terminalFd: clientEnd }),
    });
    clientEnd = undefined;
    return exitCodeOfStatus(await waiting);
  } finally {
    if (clientEnd !== undefined) closeSync(clientEnd);
  }
}

function failureCode(error: unknown): number {
  if (!(error instanceof TurfError) || error.path?.startsWith('process.args') !== true) return failed;
  const { cause } = error;
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return code === 'ENOENT' || code === 'ENOTDIR' ? notFound : code === undefined ? failed : notExecutable;
}

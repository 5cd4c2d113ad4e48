import { closeSync } from 'node:fs';
import { CAPABILITIES } from '../../oci-spec/capabilities.js';
import { execOptions, toExecOptions } from '../exec-options.js';
import type { ExecOptions } from '../exec.js';
import type { CliContext } from '../context.js';
import type { Globals } from '../globals.js';
import { usageError } from '../options.js';
import { reportError, reportWarning } from '../report.js';
import { defineVerb } from '../verb.js';
import { exitCodeOfStatus } from '../wait-status.js';

/** runc's and crun's exit code for an exec that failed before there was a program, whatever the reason. */
const failed = 255;

export const verb = defineVerb({
  name: 'exec',
  summary: 'run a program in a container',
  description:
    "Runs a program in a container that is there, with what the container's own process has by its config.json, or with\n" +
    'what --process says. In the foreground, waits until it ends and exits with its exit code, or 128 and the number of the\n' +
    'signal that ended it; with 255 where the program could not be executed.',
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
    try {
      await warnOfCapabilities(context, globals, options.cap);
      const exec = await toExecOptions(invocation);
      const terminal = exec.terminal ?? givesTerminal(exec);
      if (options.detach && terminal && exec.consoleSocket === undefined)
        throw usageError('cannot allocate tty if turf will detach without setting console socket');
      if (exec.consoleSocket !== undefined && !(options.detach && terminal))
        throw usageError('cannot use console socket if turf will not detach or allocate tty');
      if (!options.detach) return await foreground(context, exec, terminal);
      await context.operations.exec(exec);
      return 0;
    } catch (error) {
      if (context.signal.aborted) throw error;
      await reportError(context, globals, error);
      return failed;
    }
  },
});

async function warnOfCapabilities(
  context: CliContext,
  globals: Globals,
  names: readonly string[],
): Promise<void> {
  const unknown = names.filter((name) => !CAPABILITIES.has(name));
  if (unknown.length === 0) return;
  await reportWarning(
    context,
    globals,
    `ignoring unknown or unavailable capabilities: [${unknown.join(' ')}]`,
  );
}

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

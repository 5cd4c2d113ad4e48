import { closeSync } from 'node:fs';
import { wantsTerminal } from '../bundle.js';
import type { CliContext } from '../context.js';
import { createOptions, toCreateOptions } from '../create-options.js';
import type { CreateOptions, Launcher } from '../operations.js';
import { usageError } from '../options.js';
import { relayLogs } from '../relay-logs.js';
import { defineVerb } from '../verb.js';
import { exitCodeOf, exitCodeOfStatus } from '../wait-status.js';

export const verb = defineVerb({
  name: 'run',
  summary: 'create, start and wait for a container',
  description:
    'Creates and starts a container. In the foreground, waits until its process ends, deletes the container and exits\n' +
    'with its exit code, or 128 and the number of the signal that ended it.',
  arguments: [{ name: 'ID', help: 'name of the new container' }],
  options: {
    ...createOptions,
    detach: { kind: 'flag', short: 'd', help: 'exit once the container runs' },
    keep: { kind: 'flag', help: 'do not delete the container when it has ended' },
    'no-subreaper': { kind: 'flag', help: 'accepted for compatibility; the client is no subreaper' },
  },
  examples: [
    { command: 'run --bundle /srv/hello hello', does: 'run in the foreground' },
    {
      command: 'run --detach --pid-file /run/hello.pid --bundle /srv/hello hello',
      does: 'run in the background',
    },
  ],
  async run(invocation) {
    const { context, options } = invocation;
    const create = toCreateOptions(invocation);
    const terminal = create.seed === undefined && wantsTerminal(create.bundle);
    if (options.detach && terminal && create.consoleSocket === undefined) {
      throw usageError('cannot allocate tty if turf will detach without setting console socket');
    }
    if (create.consoleSocket !== undefined && !(options.detach && terminal)) {
      throw usageError('cannot use console socket if turf will not detach or allocate tty');
    }
    if (options.detach) {
      await createAndStart(context, create);
      return 0;
    }
    const exitCode = await foreground(context, create, terminal);
    if (!options.keep) await context.operations.delete(create.id, { force: true });
    return exitCode;
  },
});

async function createAndStart(context: CliContext, create: CreateOptions): Promise<void> {
  await context.operations.create(create);
  try {
    await context.operations.start(create.id);
  } catch (error) {
    await undo(context, create.id);
    throw error;
  }
}

/** Deletes what was created; a failure of that never hides the error that made it necessary. */
async function undo(context: CliContext, id: string): Promise<void> {
  try {
    await context.operations.delete(id, { force: true });
  } catch (error) {
    await context.stderr(
      `turf: ${id} could not be deleted: ${error instanceof Error ? error.message : String(error)}\n`,
    );
  }
}

async function foreground(context: CliContext, create: CreateOptions, terminal: boolean): Promise<number> {
  const console = terminal ? context.consolePair() : undefined;
  let clientEnd = console?.clientEnd;
  const watched = watchLaunch(context.launcher);
  try {
    await createAndStart(context, {
      ...create,
      launcher: watched.launcher,
      ...(console === undefined ? {} : { consoleFd: console.daemonEnd }),
    });
    // A worker is cloned from its seed and no child of the client.
    if (!watched.used()) return await waitForWorker(context, create.id);
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

function watchLaunch(launcher: Launcher): { launcher: Launcher; used: () => boolean } {
  let used = false;
  return {
    launcher: {
      launch(request) {
        used = true;
        return launcher.launch(request);
      },
      succeed: (pid) => launcher.succeed(pid),
    },
    used: () => used,
  };
}

async function waitForWorker(context: CliContext, id: string): Promise<number> {
  const [state] = await Promise.all([
    context.operations.wait(id, context.signal),
    relayLogs(context, id, { follow: true }),
  ]).catch(async (error: unknown) => {
    if (!context.signal.aborted) throw error;
    // Interrupted: the worker goes with its foreground command, as a child of the terminal would.
    await context.operations.kill(id, 'SIGKILL', true);
    return [await context.operations.wait(id)];
  });
  return exitCodeOf(state);
}

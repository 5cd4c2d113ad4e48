import { stringifyJson } from '../../oci-spec/json.js';
import type { CliContext } from '../context.js';
import { parseDuration } from '../duration.js';
import { usageError } from '../options.js';
import { TurfError } from '../turf-error.js';
import { defineVerb } from '../verb.js';

/** Longest delay that a timer takes (2^31 - 1 ms). */
const LONGEST = 2_147_483_647;

export const verb = defineVerb({
  name: 'events',
  summary: 'print what a container uses, or what happens to all of them',
  description:
    'With an ID prints, in the JSON lines of runc, what the container uses, once in each interval, and when the kernel ran out\n' +
    'of memory in it; ends with the container. Without one prints one JSON object per line for each change in the life of any\n' +
    'container: create, start, exit, delete, checkpoint, restore, seed-ready, fork, update, oom, woken, scaled-to-zero.\n' +
    'Ends with SIGINT.',
  arguments: [{ name: 'ID', help: 'the container (default: lifecycle events of all)', optional: true }],
  options: {
    interval: { kind: 'string', value: 'DURATION', help: 'time between statistics (default: 5s)' },
    stats: { kind: 'flag', help: 'print what the container uses once, and exit' },
  },
  examples: [
    { command: 'events', does: 'watch all containers' },
    { command: 'events --interval 1s hello', does: 'what hello uses, each second' },
    { command: 'events --stats hello', does: 'what hello uses now' },
  ],
  async run({ context, options, arguments: [id] }) {
    const interval = parseDuration(options.interval ?? '5s');
    if (interval === undefined)
      throw usageError(`invalid duration ${JSON.stringify(options.interval)} for -interval`);
    if (interval <= 0) throw usageError('duration interval must be greater than 0');
    if (id === undefined) {
      if (options.stats) throw usageError('--stats needs the ID of a container');
      await lifecycle(context);
    } else if (options.stats) {
      await printStats(context, id);
    } else {
      await follow(context, id, Math.min(Math.max(interval, 1), LONGEST));
    }
    return 0;
  },
});

async function lifecycle(context: CliContext): Promise<void> {
  for await (const event of context.operations.events(context.signal)) {
    if (context.signal.aborted) break;
    await context.stdout(`${JSON.stringify(event)}\n`);
  }
}

async function printStats(context: CliContext, id: string): Promise<void> {
  const data = await context.operations.stats(id);
  await context.stdout(`${stringifyJson({ type: 'stats', id, data })}\n`);
}

async function follow(context: CliContext, id: string, interval: number): Promise<void> {
  const ended = new AbortController();
  const signal = AbortSignal.any([context.signal, ended.signal]);
  const events = context.operations.events(signal)[Symbol.asyncIterator]();
  // Subscribed before the state is asked for: its end cannot be missed.
  let next = events.next();
  let failure: Error | undefined;
  let printing = Promise.resolve();
  try {
    const { status } = await context.operations.state(id);
    if (status === 'stopped') {
      throw new TurfError('TURF_ERR_STATE', `container with id ${id} is not running`, {
        operation: `events ${id}`,
      });
    }
    const timer = setInterval(() => {
      printing = printing
        .then(() => printStats(context, id))
        .catch((error: unknown) => {
          // One that has ended is told of by its exit event.
          if (!(error instanceof TurfError && ['TURF_ERR_STATE', 'TURF_ERR_NOT_FOUND'].includes(error.code)))
            failure ??= error instanceof Error ? error : new Error(String(error));
          ended.abort();
        });
    }, interval);
    try {
      for (let event = await next; event.done !== true && !signal.aborted; event = await next) {
        next = events.next();
        if (event.value.id !== id) continue;
        if (event.value.type === 'oom') await context.stdout(`${JSON.stringify({ type: 'oom', id })}\n`);
        if (event.value.type === 'exit' || event.value.type === 'delete') break;
      }
    } finally {
      clearInterval(timer);
      await printing;
    }
  } finally {
    ended.abort();
    await next.catch(() => undefined);
    await events.return?.();
  }
  if (failure !== undefined) throw failure;
}

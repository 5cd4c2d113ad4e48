import { defineVerb } from '../verb.js';

export const verb = defineVerb({
  name: 'events',
  summary: 'print lifecycle events as they happen',
  description:
    'Prints one JSON object per line: create, start, exit, delete, seed-ready, fork, oom. Ends with SIGINT.',
  arguments: [],
  options: {},
  examples: [{ command: 'events', does: 'watch all containers' }],
  async run({ context }) {
    for await (const event of context.operations.events(context.signal)) {
      if (context.signal.aborted) break;
      await context.stdout(`${JSON.stringify(event)}\n`);
    }
    return 0;
  },
});

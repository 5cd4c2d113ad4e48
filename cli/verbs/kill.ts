import { defineVerb } from '../verb.js';

export const verb = defineVerb({
  name: 'kill',
  summary: 'send a signal to a container',
  description: 'Sends a signal to the first process of a container, or to all of its processes.',
  arguments: [
    { name: 'ID', help: 'the container' },
    { name: 'SIGNAL', help: 'name with or without SIG, or number (default: SIGTERM)', optional: true },
  ],
  options: { all: { kind: 'flag', short: 'a', help: 'send it to every process of the container' } },
  examples: [
    { command: 'kill hello', does: 'ask hello to end' },
    { command: 'kill --all hello KILL', does: 'end every process of hello' },
  ],
  async run({ context, options, argument }) {
    await context.operations.kill(argument(0), argument(1) || 'SIGTERM', options.all);
    return 0;
  },
});

import { defineVerb } from '../verb.js';

export const verb = defineVerb({
  name: 'start',
  summary: 'start a created container',
  description: 'Executes the program of a container that create has made.',
  arguments: [{ name: 'ID', help: 'the container' }],
  options: {},
  examples: [{ command: 'start hello', does: 'start the container hello' }],
  async run({ context, argument }) {
    await context.operations.start(argument(0));
    return 0;
  },
});

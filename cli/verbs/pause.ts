import { defineVerb } from '../verb.js';

export const verb = defineVerb({
  name: 'pause',
  summary: 'freeze the processes of a container',
  description: 'Freezes every process of a container, until resume: its status is paused then.',
  arguments: [{ name: 'ID', help: 'the container' }],
  options: {},
  examples: [{ command: 'pause hello', does: 'freeze hello' }],
  async run({ context, argument }) {
    await context.operations.pause(argument(0));
    return 0;
  },
});

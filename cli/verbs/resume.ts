import { defineVerb } from '../verb.js';

export const verb = defineVerb({
  name: 'resume',
  summary: 'let a paused container go on',
  description: 'Lets the processes go on that pause has frozen.',
  arguments: [{ name: 'ID', help: 'the container' }],
  options: {},
  examples: [{ command: 'resume hello', does: 'let hello go on' }],
  async run({ context, argument }) {
    await context.operations.resume(argument(0));
    return 0;
  },
});

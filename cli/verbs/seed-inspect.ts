import { defineVerb } from '../verb.js';

export const verb = defineVerb({
  name: 'seed inspect',
  summary: 'print all that is known of a seed',
  description:
    'Prints a seed as JSON: what seed list shows, its code, its range of user ids, its memory and its workers.',
  arguments: [{ name: 'ID', help: 'the seed' }],
  options: {},
  examples: [{ command: 'seed inspect seed1', does: 'print what is known of seed1' }],
  async run({ context, argument }) {
    const details = await context.operations.seedInspect(argument(0));
    await context.stdout(`${JSON.stringify(details, null, 2)}\n`);
    return 0;
  },
});

import { defineVerb } from '../verb.js';

export const verb = defineVerb({
  name: 'seed rm',
  summary: 'end and remove a seed',
  description:
    'Ends a seed and removes all that is held for it. Refused while workers of it, or seeds cloned from it, live, unless\n' +
    '--force is given: they live on, as a clone needs nothing of its seed.',
  arguments: [{ name: 'ID', help: 'the seed' }],
  options: { force: { kind: 'flag', short: 'f', help: 'although clones of it live' } },
  examples: [{ command: 'seed rm seed1', does: 'end seed1, which has no workers any more' }],
  async run({ context, options, argument }) {
    await context.operations.seedRemove(argument(0), { force: options.force });
    return 0;
  },
});

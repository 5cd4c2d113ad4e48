import { defineVerb } from '../verb.js';

export const verb = defineVerb({
  name: 'features',
  summary: 'print what turf supports',
  description: 'Prints the OCI features document as JSON.',
  arguments: [],
  options: {},
  examples: [{ command: 'features', does: 'print the document' }],
  async run({ context }) {
    await context.stdout(`${JSON.stringify(await context.operations.features(), null, 2)}\n`);
    return 0;
  },
});

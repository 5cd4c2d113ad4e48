import { stateJson } from '../state-json.js';
import { defineVerb } from '../verb.js';

export const verb = defineVerb({
  name: 'state',
  summary: 'print the state of a container',
  description:
    'Prints the OCI state as JSON, with the owner, the creation time and, in the member "turf", what turf knows\n' +
    'beyond it.',
  arguments: [{ name: 'ID', help: 'the container' }],
  options: {},
  examples: [{ command: 'state hello', does: 'print the state of hello' }],
  async run({ context, argument }) {
    const state = await context.operations.state(argument(0));
    await context.stdout(`${JSON.stringify(stateJson(state), null, 2)}\n`);
    return 0;
  },
});

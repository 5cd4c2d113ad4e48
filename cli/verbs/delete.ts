import { TurfError } from '../turf-error.js';
import { defineVerb } from '../verb.js';

export const verb = defineVerb({
  name: 'delete',
  summary: 'delete a container',
  description:
    'Removes all that is held for a stopped container. With --force a container that still runs is killed first, and\n' +
    'one that does not exist is no error.',
  arguments: [{ name: 'ID', help: 'the container' }],
  options: { force: { kind: 'flag', short: 'f', help: 'kill the container first (SIGKILL)' } },
  examples: [
    { command: 'delete hello', does: 'delete the stopped container hello' },
    { command: 'delete --force hello', does: 'delete hello, whatever it does' },
  ],
  async run({ context, options, argument }) {
    try {
      await context.operations.delete(argument(0), { force: options.force });
    } catch (error) {
      const missing = error instanceof TurfError && error.code === 'TURF_ERR_NOT_FOUND';
      if (!missing || !options.force) throw error;
    }
    return 0;
  },
});

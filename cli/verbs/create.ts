import { createOptions, toCreateOptions } from '../create-options.js';
import { defineVerb } from '../verb.js';

export const verb = defineVerb({
  name: 'create',
  summary: 'create a container',
  description:
    'Creates a container from a bundle: a directory with config.json and, for OCI containers, a root file\n' +
    'system. The program of the container does not run before start.',
  arguments: [{ name: 'ID', help: 'name of the new container' }],
  options: createOptions,
  examples: [
    { command: 'create --bundle /srv/hello hello', does: 'create from the bundle /srv/hello' },
    { command: 'create --seed seed1 --bundle /srv/fn w1', does: 'clone a worker, held until start' },
  ],
  async run(invocation) {
    await invocation.context.operations.create(toCreateOptions(invocation));
    return 0;
  },
});

import { resolve } from 'node:path';
import { timeoutOption } from '../time-option.js';
import { SEED_POLICY_OPTIONS } from '../seed-policy-options.js';
import { defineVerb } from '../verb.js';

export const verb = defineVerb({
  name: 'seed roll',
  summary: 'replace a seed by a new version of it',
  description:
    'Prepares a new version beside the old, under the same name. Once it has parked, new forks go to it, and the old one\n' +
    'ends; its workers live on. Where the new version does not park, the old one stays. Prints the id of the new version.',
  arguments: [{ name: 'ID', help: 'name of the seed' }],
  options: {
    bundle: {
      kind: 'string',
      short: 'b',
      value: 'DIR',
      help: 'bundle of the new version (default: the same)',
    },
    drain: SEED_POLICY_OPTIONS.drain,
    timeout: {
      kind: 'string',
      value: 'TIME',
      help: 'give up after this long (default: as when it was created)',
    },
  },
  examples: [{ command: 'seed roll seed1 --bundle /srv/fn-v2', does: 'let forks of seed1 run the new code' }],
  async run({ context, options, argument }) {
    const { drain } = options;
    const info = await context.operations.seedRoll({
      id: argument(0),
      ...(options.bundle === undefined ? {} : { bundle: resolve(context.cwd, options.bundle) }),
      ...(drain === 'now' || drain === 'idle' ? { drain } : {}),
      ...(options.timeout === undefined ? {} : { timeoutMs: timeoutOption(options.timeout) }),
    });
    await context.stdout(`${info.id}\n`);
    return 0;
  },
});

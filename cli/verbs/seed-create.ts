import { resolve } from 'node:path';
import { MOST_AHEAD } from '../../oci-spec/config-schema.js';
import { policyOf, SEED_POLICY_OPTIONS } from '../seed-policy-options.js';
import { timeoutOption } from '../time-option.js';
import { TurfError } from '../turf-error.js';
import { defineVerb } from '../verb.js';

export const verb = defineVerb({
  name: 'seed create',
  summary: 'create a seed and wait until it is parked',
  description:
    'Creates and starts a seed from a bundle whose config.json says {"turf": {"runtime": "aworker", "seed": true}}, and\n' +
    'waits until it is parked at its fork point.',
  arguments: [{ name: 'ID', help: 'name of the new seed' }],
  options: {
    bundle: {
      kind: 'string',
      short: 'b',
      value: 'DIR',
      help: 'bundle directory (default: the current directory)',
    },
    from: {
      kind: 'string',
      value: 'SEED',
      help: 'clone this runtime seed instead of starting a process (default: turf.from of the bundle)',
    },
    pool: {
      kind: 'number',
      value: 'N',
      help: 'clones to make ahead of their use (default: turf.pool of the bundle, or 1)',
    },
    ...SEED_POLICY_OPTIONS,
    timeout: { kind: 'string', value: 'TIME', help: 'give up after this long (default: 30s)' },
  },
  examples: [
    { command: 'seed create seed1 --bundle /srv/fn', does: 'initialise the function once' },
    {
      command: 'seed create seed1 --bundle /srv/fn --from base',
      does: 'made in milliseconds; what base has loaded is in memory once for all that are cloned from it',
    },
    {
      command: 'seed create seed1 --bundle /srv/fn --restart on-failure --max-age 1d --drain idle',
      does: 'replaced when it fails, and every day; a former version ends with its last worker',
    },
  ],
  async run({ context, options, argument }) {
    const policy = policyOf(options);
    await context.operations.seedCreate({
      id: argument(0),
      bundle: resolve(context.cwd, options.bundle ?? '.'),
      ...(options.from === undefined ? {} : { from: options.from }),
      ...(options.pool === undefined ? {} : { pool: poolSize(options.pool) }),
      ...(policy === undefined ? {} : { policy }),
      ...(options.timeout === undefined ? {} : { timeoutMs: timeoutOption(options.timeout) }),
    });
    return 0;
  },
});

function poolSize(value: number): number {
  if (Number.isInteger(value) && value >= 0 && value <= MOST_AHEAD) return value;
  throw new TurfError(
    'TURF_ERR_USAGE',
    `--pool: must be a whole number from 0 to ${MOST_AHEAD}, got ${value}`,
  );
}

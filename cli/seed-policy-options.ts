import { timeOption } from './time-option.js';
import type { ParsedOptions } from './options.js';
import type { SeedPolicy } from './seed-operations.js';

/** Options of `seed create` that say how a seed is kept. */
export const SEED_POLICY_OPTIONS = {
  restart: {
    kind: 'string',
    value: 'WHEN',
    choices: ['no', 'on-failure', 'always'],
    help: 'replace a seed that ended: no, on-failure or always (default: no)',
  },
  'max-restarts': {
    kind: 'integer',
    value: 'N',
    help: 'failures in a row before it is given up (default: 10)',
  },
  liveness: {
    kind: 'string',
    value: 'TIME',
    help: 'a seed that does not answer for so long hangs, and is killed; 0: never (default: 30s)',
  },
  'max-memory': { kind: 'size', value: 'N', help: 'replace a seed that holds more bytes, or with k, m, g' },
  drain: {
    kind: 'string',
    value: 'WHEN',
    choices: ['now', 'idle'],
    help: 'when a replaced version ends: now, or idle: with its last worker (default: now)',
  },
  'max-age': { kind: 'string', value: 'TIME', help: 'replace a seed that is so old, e.g. 12h' },
  'max-forks': { kind: 'integer', value: 'N', help: 'replace a seed after so many forks' },
} as const;

/** A policy of those options; undefined where none is given. */
export function policyOf(options: ParsedOptions<typeof SEED_POLICY_OPTIONS>): SeedPolicy | undefined {
  const { restart, liveness, drain } = options;
  const policy: SeedPolicy = {
    ...(restart === 'no' || restart === 'on-failure' || restart === 'always' ? { restart } : {}),
    ...(options['max-restarts'] === undefined ? {} : { maxRestarts: options['max-restarts'] }),
    ...(liveness === undefined ? {} : { livenessMs: timeOption('liveness', liveness) }),
    ...(options['max-memory'] === undefined ? {} : { maxMemory: options['max-memory'] }),
    ...(drain === 'now' || drain === 'idle' ? { drain } : {}),
    ...(options['max-age'] === undefined ? {} : { maxAgeMs: timeOption('max-age', options['max-age']) }),
    ...(options['max-forks'] === undefined ? {} : { maxForks: options['max-forks'] }),
  };
  return Object.keys(policy).length === 0 ? undefined : policy;
}

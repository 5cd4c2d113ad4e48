import { type ForkOptions } from '../../cli/operations.js';
import { TurfError } from '../../cli/turf-error.js';
import { type OciConfig } from '../../oci-spec/config.js';
import { type TurfMember } from '../../oci-spec/turf-member.js';
import { type Bundle } from '../containers/bundle.js';
import { type Container } from '../containers/container.js';
import { type Machine } from '../machine.js';
import { codeOfBundle } from './code-directory.js';
import { type ColdRequest } from './cold-spec.js';
import { askedLimits } from './worker-cgroup.js';
import { environment, limitsOf, workerSpec } from './worker-spec.js';

/**
 * What a bundle that names no seed asks for.
 *
 * @throws TurfError naming the field at fault
 */
export function requestOfBundle(
  machine: Machine,
  id: string,
  bundle: Bundle,
  member: Extract<TurfMember, { kind: 'aworker' }>,
): ColdRequest {
  const { config } = bundle;
  return {
    bundle: bundle.directory,
    config,
    configText: bundle.text,
    code: codeOfBundle(bundle.directory, config, member.code),
    env: environment(config),
    resources: limitsOf(config),
    listen: member.listen ?? `unix:${machine.store.path(id, 'http.sock')}`,
    hostNetwork: member.network === 'host',
    limits: member.limits,
    nodeModules: member.nodeModules,
  };
}

/**
 * What a fork request asks for, to be started without a clone: the seed's code in a process of its own.
 *
 * @param configOf the config that a seed was made from
 * @throws TurfError naming the option or field at fault
 */
export function coldRequest(
  machine: Machine,
  options: ForkOptions,
  configOf: (seed: Container) => OciConfig,
): ColdRequest {
  for (const path of ['maxRequests', 'ttlMs', 'onExit', 'idleMs'] as const) {
    if (options[path] !== undefined)
      throw new TurfError('TURF_ERR_UNSUPPORTED', `${path}: only a clone of a seed has it`, { path });
  }
  const { seed, ...place } = workerSpec(machine, { ...options, cold: true }, configOf);
  return {
    ...place,
    configText: place.configText ?? JSON.stringify(place.config),
    seed: seed.id,
    resources: askedLimits(machine, place.resources, options),
  };
}

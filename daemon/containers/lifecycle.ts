import { type OciStatus, type TurfState } from '../../cli/operations.js';
import { TurfError } from '../../cli/turf-error.js';
import { type Exit } from './facts.js';

/** Where a container is in its life; what exists only in one state lives only in that variant. */
export type Lifecycle =
  | { readonly state: 'creating' }
  | { readonly state: 'created' }
  | { readonly state: 'running' }
  | { readonly state: 'stopped'; readonly exit: Exit };

export type LifecycleVerb = 'start' | 'kill' | 'delete' | 'forceDelete';

/** Which verb is allowed in which state (runtime-spec, runtime.md "Lifecycle"; delete of a created container as runc does). */
const ALLOWED: Readonly<Record<LifecycleVerb, readonly Lifecycle['state'][]>> = {
  start: ['created'],
  kill: ['created', 'running'],
  delete: ['created', 'stopped'],
  forceDelete: ['created', 'running', 'stopped'],
};

/**
 * Refuses a verb that the state does not allow.
 *
 * @throws TurfError TURF_ERR_STATE, naming both
 */
export function assertAllowed(id: string, verb: LifecycleVerb, state: Lifecycle['state']): void {
  if (ALLOWED[verb].includes(state)) return;
  throw new TurfError('TURF_ERR_STATE', refusal(id, verb, state), { operation: `${verb} ${id}` });
}

function refusal(id: string, verb: LifecycleVerb, state: Lifecycle['state']): string {
  switch (verb) {
    case 'start':
      return state === 'stopped'
        ? `cannot start a container that has stopped: ${id}`
        : `cannot start a container that is not created: ${id} is ${state}`;
    case 'kill':
      return `container not running: ${id} is ${state}`;
    case 'delete':
    case 'forceDelete':
      return `cannot delete container ${id} that is not stopped: ${state}`;
  }
}

export function ociStatus(lifecycle: Lifecycle): OciStatus {
  return lifecycle.state;
}

/** Original Turf's name for the state. `parked`: a seed that has reached its fork point. */
export function turfState(
  lifecycle: Lifecycle,
  kind: 'container' | 'seed' | 'worker',
  parked: boolean,
): TurfState {
  switch (lifecycle.state) {
    case 'creating':
      return kind === 'worker' ? 'cloning' : 'starting';
    case 'created':
      return 'init';
    case 'running':
      if (kind !== 'seed') return 'running';
      return parked ? 'forkwait' : 'starting';
    case 'stopped':
      return 'stopped';
  }
}

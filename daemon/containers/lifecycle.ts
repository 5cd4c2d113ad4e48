import { type TurfState } from '../../cli/operations.js';
import { TurfError } from '../../cli/turf-error.js';
import { type Container } from './container.js';
import { type Exit } from './facts.js';

/** Where a container is in its life; what exists only in one state lives only in that variant. */
export type Lifecycle =
  | { readonly state: 'creating' }
  | { readonly state: 'created' }
  | { readonly state: 'running' }
  | { readonly state: 'stopped'; readonly exit: Exit };

/**
 * A container's state as operations see it: `paused` is asked of the freezer each time and kept nowhere; `asleep` is a worker that has
 * ended, or was never forked, until somebody connects.
 */
export type ObservedState = Lifecycle['state'] | 'paused' | 'asleep';

export type LifecycleVerb =
  'start' | 'kill' | 'delete' | 'forceDelete' | 'pause' | 'resume' | 'exec' | 'execPaused' | 'checkpoint';

/** Which verb is allowed in which state (runtime-spec, runtime.md "Lifecycle"; delete of a created container as runc does). */
const ALLOWED: Readonly<Record<LifecycleVerb, readonly ObservedState[]>> = {
  start: ['created'],
  kill: ['created', 'running', 'paused'],
  delete: ['created', 'stopped', 'asleep'],
  forceDelete: ['created', 'running', 'paused', 'stopped', 'asleep'],
  pause: ['created', 'running'],
  resume: ['paused'],
  exec: ['created', 'running'],
  execPaused: ['created', 'running', 'paused'],
  checkpoint: ['running', 'paused'],
};

/**
 * Refuses a verb that the state does not allow.
 *
 * @throws TurfError TURF_ERR_STATE, naming both
 */
export function assertAllowed(id: string, verb: LifecycleVerb, state: ObservedState): void {
  if (ALLOWED[verb].includes(state)) return;
  throw new TurfError('TURF_ERR_STATE', refusal(id, verb, state), { operation: `${verb} ${id}` });
}

function refusal(id: string, verb: LifecycleVerb, state: ObservedState): string {
  switch (verb) {
    case 'start':
      return state === 'stopped'
        ? `cannot start a container that has stopped: ${id}`
        : `cannot start a container that is not created: ${id} is ${state}`;
    case 'kill':
    case 'pause':
      return `container not running: ${id} is ${state}`;
    case 'exec':
    case 'execPaused':
      return state === 'paused'
        ? `cannot exec in a paused container (use --ignore-paused to override): ${id}`
        : `cannot exec in a ${state} container: ${id}`;
    case 'checkpoint':
      return `cannot checkpoint a container that is not running: ${id} is ${state}`;
    case 'resume':
      return `container not paused: ${id} is ${state}`;
    case 'delete':
    case 'forceDelete':
      return `cannot delete container ${id} that is not stopped: ${state}`;
  }
}

/** Where the container is in its life, `paused` where its cgroup is frozen, `asleep` where the next connection begins another. */
export function observedState({ lifecycle, cgroup, facts }: Container): ObservedState {
  const { state } = lifecycle;
  if (state === 'stopped' && facts.life?.onExit === 'sleep') return 'asleep';
  return (state === 'created' || state === 'running') && cgroup?.frozen() === true ? 'paused' : state;
}

/** Original Turf's name for the state. */
export function turfState(container: Container): TurfState {
  const { lifecycle, parked, facts } = container;
  const { kind } = facts;
  switch (lifecycle.state) {
    case 'creating':
      return kind === 'worker' ? 'cloning' : 'starting';
    case 'created':
      return 'init';
    case 'running':
      if (kind !== 'seed') return 'running';
      return parked ? 'forkwait' : 'starting';
    case 'stopped':
      return facts.life?.onExit === 'sleep' ? 'asleep' : 'stopped';
  }
}

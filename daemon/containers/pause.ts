import { type Machine } from '../machine.js';
import { type Container } from './container.js';
import { assertAllowed, observedState } from './lifecycle.js';

/**
 * Freezes every process of a created or running container; what its freezer says is its status from now on.
 *
 * @throws TurfError TURF_ERR_STATE, or TURF_ERR_CGROUP where its processes do not stop in time: none is frozen then
 */
export async function pauseContainer(machine: Machine, container: Container): Promise<void> {
  assertAllowed(container.id, 'pause', observedState(container));
  await container.cgroup?.freeze();
  publish(machine, container, 'pause');
}

/**
 * Lets a paused container go on.
 *
 * @throws TurfError TURF_ERR_STATE, TURF_ERR_CGROUP
 */
export async function resumeContainer(machine: Machine, container: Container): Promise<void> {
  assertAllowed(container.id, 'resume', observedState(container));
  await container.cgroup?.thaw();
  publish(machine, container, 'resume');
}

function publish(machine: Machine, { id, facts }: Container, type: 'pause' | 'resume'): void {
  const { process } = facts;
  machine.log.info({ id }, type === 'pause' ? 'container paused' : 'container resumed');
  machine.events.publish({ type, id, ...(process === undefined ? {} : { pid: process.pid }) });
}

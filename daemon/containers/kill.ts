import { constants } from 'node:os';
import { TurfError } from '../../cli/turf-error.js';
import { KernelError } from '../../native-shim/kernel.js';
import { signalNumber } from '../../oci-spec/signals.js';
import { type Machine } from '../machine.js';
import { type Container } from './container.js';
import { assertAllowed } from './lifecycle.js';

/**
 * Sends a signal to the container's first process, or to every process of its cgroup.
 *
 * @param signal name with or without SIG, in any case, or number
 * @throws TurfError TURF_ERR_USAGE for an unknown signal, TURF_ERR_STATE if the container does not run
 */
export async function killContainer(
  machine: Machine,
  container: Container,
  signal: string,
  all: boolean,
): Promise<void> {
  const number = signalNumber(signal);
  if (number === undefined)
    throw new TurfError('TURF_ERR_USAGE', `unknown signal "${signal}"`, { path: 'signal' });
  if (all && container.lifecycle.state === 'stopped') {
    await container.cgroup?.kill(number);
    return;
  }
  assertAllowed(container.id, 'kill', container.lifecycle.state);
  if (all && container.cgroup !== undefined) await container.cgroup.kill(number);
  else if (!signalFirstProcess(machine, container, number)) assertAllowed(container.id, 'kill', 'stopped');
  // A frozen process of a v1 cgroup does not even die; other signals wait until resume.
  if (number === constants.signals.SIGKILL && container.cgroup?.frozen() === true)
    await container.cgroup.thaw();
}

/** SIGKILL to the first process, which may have ended already. */
export function endFirstProcess(machine: Machine, container: Container): void {
  signalFirstProcess(machine, container, constants.signals.SIGKILL);
}

/** @returns false where the process has gone */
function signalFirstProcess({ kernel }: Machine, { pidfd }: Container, signal: number): boolean {
  if (pidfd === undefined) return false;
  try {
    kernel.pidfdSendSignal(pidfd, signal);
    return true;
  } catch (error) {
    if (error instanceof KernelError && error.code === 'ESRCH') return false;
    throw error;
  }
}

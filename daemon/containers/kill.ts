import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { TurfError } from '../../cli/turf-error.js';
import { signalNumber } from '../../oci-spec/signals.js';
import { type Machine } from '../machine.js';
import { type Container } from './container.js';
import { assertAllowed, observedState } from './lifecycle.js';
import { signalProcess } from './process-facts.js';

const { SIGKILL } = constants.signals;

/**
 * Sends a signal to the container's first process, or to every process of its cgroup. SIGKILL ends all of a
 * container, frozen or without a PID namespace of its own.
 *
 * @param signal name with or without SIG, in any case, or number; 0 asks whether there is a process (kill(2))
 * @throws TurfError TURF_ERR_USAGE for an unknown signal, TURF_ERR_STATE if the container does not run
 */
export async function killContainer(
  machine: Machine,
  container: Container,
  signal: string,
  all: boolean,
): Promise<void> {
  const number = signal === '0' ? 0 : signalNumber(signal);
  if (number === undefined)
    throw new TurfError('TURF_ERR_USAGE', `unknown signal "${signal}"`, { path: 'signal' });
  if (all && container.lifecycle.state === 'stopped') {
    await container.cgroup?.kill(number);
    return;
  }
  const { state } = container.lifecycle;
  assertAllowed(container.id, 'kill', state === 'stopped' ? observedState(container) : state);
  const { cgroup } = container;
  if (all && cgroup !== undefined) {
    await cgroup.kill(number);
    return;
  }
  const shared = number === SIGKILL && sharesPidNamespace(container);
  if (!signalFirstProcess(machine, container, number)) assertAllowed(container.id, 'kill', 'stopped');
  if (number !== SIGKILL || cgroup === undefined) return;
  // The end of the first process of a PID namespace ends all others in it; elsewhere the cgroup says who they are.
  if (shared) await cgroup.kill(SIGKILL);
  // A process that is frozen in a v1 cgroup, or on the way there, does not even die; other signals wait until resume.
  else await cgroup.thaw();
}

/** Whether the first process is not the init of a PID namespace of its own. */
function sharesPidNamespace({ facts }: Container): boolean {
  try {
    const status = readFileSync(`/proc/${facts.process?.pid ?? 0}/status`, 'latin1');
    const pids = /^NSpid:\s*(.*)$/m.exec(status)?.[1]?.trim().split(/\s+/);
    return pids?.at(-1) !== '1';
  } catch {
    return false;
  }
}

/** SIGKILL to the first process, which may have ended already. */
export function endFirstProcess(machine: Machine, container: Container): void {
  signalFirstProcess(machine, container, SIGKILL);
}

/** @returns false where the process has gone */
function signalFirstProcess({ kernel }: Machine, { pidfd }: Container, signal: number): boolean {
  return pidfd !== undefined && signalProcess(kernel, pidfd, signal);
}

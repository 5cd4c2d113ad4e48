import { type OciConfig } from '../../oci-spec/config.js';
import { type Machine } from '../machine.js';
import { type PlanInput } from '../plan/plan-input.js';
import { loadsFilterLast } from '../plan/process.js';
import { connectListener, containerProcessState, seccompListener } from '../seccomp/listener.js';
import { type Container } from './container.js';
import { hookState } from './oci-state.js';

/**
 * What a plan needs of linux.seccomp.listenerPath. The connection is made when the descriptor is about to exist: an agent may serve one
 * connection after the other, and a created container may wait for its start for long.
 *
 * @param own takes a descriptor that is closed after the launch
 * @throws TurfError TURF_ERR_LAUNCH where nobody listens
 */
export function prepareListener(
  machine: Machine,
  container: Container,
  { linux, process }: OciConfig,
  own: (fd: number) => number,
): PlanInput['seccompListener'] {
  const profile = linux?.seccomp;
  const path = seccompListener(profile);
  if (profile === undefined || path === undefined || process === undefined) return undefined;
  const { ociVersion } = container.facts;
  const stateJson = (pid: '@PID@', status: string): string =>
    containerProcessState(profile, ociVersion, pid, hookState(container, status, pid));
  if (!loadsFilterLast(process)) return { fd: own(connectListener(machine.kernel, path)), stateJson };
  machine.store.writeFacts(container.learn({ seccompListener: path }));
  return { stateJson };
}

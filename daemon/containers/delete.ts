import { constants } from 'node:os';
import { TurfError } from '../../cli/turf-error.js';
import { type Machine } from '../machine.js';
import { type Container } from './container.js';
import { runHooks } from './hooks.js';
import { leaveIntelRdt } from './intel-rdt.js';
import { endFirstProcess } from './kill.js';
import { assertAllowed, observedState } from './lifecycle.js';
import { hookState } from './oci-state.js';
import { removeListener } from '../seeds/listen.js';
import { storedConfig } from './stored-config.js';

const KILL_PATIENCE_MS = 10_000;

/**
 * Ends what is left of a container and removes its cgroup and its state, then runs its poststop hooks. A failing poststop hook
 * is logged and changes nothing (runtime-spec, runtime.md "Lifecycle").
 *
 * @throws TurfError TURF_ERR_STATE where it runs and `force` is false, TURF_ERR_TIMEOUT where it does not die
 */
export async function deleteContainer(machine: Machine, container: Container, force: boolean): Promise<void> {
  const { id } = container;
  assertAllowed(id, force ? 'forceDelete' : 'delete', observedState(container));
  if (container.lifecycle.state !== 'stopped') await killFirstProcess(machine, container);
  const { cgroup } = container;
  // Without a PID namespace of its own, the end of the first process ends no other.
  if (cgroup !== undefined && cgroup.procs().length > 0) await cgroup.kill(constants.signals.SIGKILL);
  await cgroup?.destroy();
  if (container.facts.rdt !== undefined) leaveIntelRdt(container.facts.rdt);
  if (container.facts.listen !== undefined) removeListener(machine.kernel, container.facts.listen);
  await poststop(machine, container);
  machine.store.remove(id);
  machine.containers.delete(id);
  machine.log.info({ id }, 'container deleted');
  machine.events.publish({ type: 'delete', id });
}

async function killFirstProcess(machine: Machine, container: Container): Promise<void> {
  endFirstProcess(machine, container);
  await container.cgroup?.thaw();
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new TurfError('TURF_ERR_TIMEOUT', `container ${container.id} does not die after SIGKILL`)),
      KILL_PATIENCE_MS,
    );
  });
  try {
    await Promise.race([container.whenStopped(), expired]);
  } finally {
    clearTimeout(timer);
  }
}

async function poststop(machine: Machine, container: Container): Promise<void> {
  if (!container.facts.hooks.includes('poststop')) return;
  try {
    const hooks = storedConfig(machine.store, container.id).hooks?.poststop;
    await runHooks('poststop', hooks, hookState(container, 'stopped', 0), container.facts.bundle);
  } catch (error) {
    machine.log.warn({ id: container.id, err: error }, 'a poststop hook failed');
  }
}

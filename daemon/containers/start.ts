import { closeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { TurfError } from '../../cli/turf-error.js';
import { type Machine } from '../machine.js';
import { connectListener } from '../seccomp/listener.js';
import { type Container } from './container.js';
import { type ExitWatch } from './exits.js';
import { runHooks } from './hooks.js';
import { endFirstProcess } from './kill.js';
import { assertAllowed, observedState } from './lifecycle.js';
import { hookState } from './oci-state.js';
import { releaseContainer } from './start-connection.js';
import { storedConfig } from './stored-config.js';

const END_PATIENCE_MS = 1000;

/**
 * Releases a created container and runs its poststart hooks. If one fails, the container is stopped (runtime-spec, runtime.md
 * "Lifecycle").
 *
 * @throws TurfError TURF_ERR_STATE, TURF_ERR_LAUNCH with the field at fault, or TURF_ERR_HOOK
 */
export async function startContainer(
  machine: Machine,
  exits: ExitWatch,
  container: Container,
): Promise<void> {
  const { id } = container;
  assertAllowed(id, 'start', observedState(container));
  const { seccompListener } = container.facts;
  const listener =
    seccompListener === undefined ? undefined : connectListener(machine.kernel, seccompListener);
  exits.hush(container);
  try {
    const socket = machine.store.path(id, 'start.sock');
    await releaseContainer(machine.kernel, socket, container.labels, listener);
  } catch (cause) {
    exits.announce(container);
    if (!(cause instanceof TurfError)) throw cause;
    // Its process reports the failure and ends: who is told of one sees the other.
    if (cause.code === 'TURF_ERR_LAUNCH')
      await Promise.race([container.whenStopped(), delay(END_PATIENCE_MS)]);
    throw new TurfError(cause.code, cause.message, { operation: `start ${id}`, cause });
  } finally {
    if (listener !== undefined) closeSync(listener);
  }
  container.enter({ state: 'running' });
  machine.log.info({ id }, 'container started');
  exits.announce(container, { type: 'start', id, ...pidOf(container) });
  if (container.facts.hooks.includes('poststart')) await poststart(machine, container);
}

async function poststart(machine: Machine, container: Container): Promise<void> {
  const { id } = container;
  const pid = container.facts.process?.pid ?? 0;
  try {
    const hooks = storedConfig(machine.store, id).hooks?.poststart;
    if (hooks === undefined) return;
    await runHooks('poststart', hooks, hookState(container, 'running', pid), container.facts.bundle);
  } catch (error) {
    machine.log.warn({ id, err: error }, 'a poststart hook failed');
    endFirstProcess(machine, container);
    await Promise.race([container.whenStopped(), delay(END_PATIENCE_MS)]);
    throw error;
  }
}

function pidOf(container: Container): { pid?: number } {
  return container.facts.process === undefined ? {} : { pid: container.facts.process.pid };
}

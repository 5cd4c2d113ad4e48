import { type OciConfig } from '../../oci-spec/config.js';
import { type Machine } from '../machine.js';
import { moveNetDevices } from '../network/net-devices.js';
import { type Container } from './container.js';
import { enterIntelRdt, resctrlRoot } from './intel-rdt.js';
import { type UndoStack } from './undo.js';

/**
 * What the host lends to a container: a class of service and network devices. The container's first process is in its namespaces,
 * and waits.
 *
 * @throws TurfError with the field at fault; what was done is on the undo stack
 */
export function lendHostResources(
  machine: Machine,
  container: Container,
  { linux = {} }: OciConfig,
  pid: number,
  undo: UndoStack,
): void {
  if (linux.intelRdt !== undefined) {
    const rdt = enterIntelRdt(resctrlRoot(), linux.intelRdt, container.id, pid, undo);
    machine.store.writeFacts(container.learn({ rdt }));
  }
  moveNetDevices(machine.kernel, linux.netDevices ?? {}, pid, undo);
}

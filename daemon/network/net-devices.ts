import { closeSync, fstatSync, openSync } from 'node:fs';
import { TurfError } from '../../cli/turf-error.js';
import { type Kernel, KernelError } from '../../native-shim/kernel.js';
import { type OciNetDevices } from '../../oci-spec/config.js';
import { type UndoStack } from '../containers/undo.js';
import { type Link, type LinkAddress, RouteSocket } from './route-socket.js';

/** linux/if_addr.h: not one that expires. */
const IFA_F_PERMANENT = 0x80;
const RT_SCOPE_UNIVERSE = 0;

interface Place {
  /** A network namespace. */
  readonly namespace: number;
  readonly route: RouteSocket;
}

/**
 * Moves devices of the host into the network namespace of a container's first process, with their permanent global addresses, and
 * brings them up (runtime-spec, config-linux.md "Network Devices"). They come back if the create fails.
 *
 * @param pid a process in that namespace
 * @throws TurfError with the entry at fault
 */
export function moveNetDevices(kernel: Kernel, devices: OciNetDevices, pid: number, undo: UndoStack): void {
  if (Object.keys(devices).length === 0) return;
  const open = (path: string): Place => {
    const namespace = openSync(path, 'r');
    undo.afterwards(() => {
      closeSync(namespace);
    });
    const route = new RouteSocket(kernel, namespace);
    undo.afterwards(() => {
      route.close();
    });
    return { namespace, route };
  };
  const host = open('/proc/self/ns/net');
  const container = open(`/proc/${pid}/ns/net`);
  if (fstatSync(host.namespace).ino === fstatSync(container.namespace).ino) {
    throw failure('linux.netDevices', "needs a network namespace other than the host's");
  }
  for (const [name, { name: wanted = '' }] of Object.entries(devices)) {
    const path = `linux.netDevices[${JSON.stringify(name)}]`;
    try {
      moveDevice(host, container, name, wanted === '' ? name : wanted, path, undo);
    } catch (cause) {
      if (!(cause instanceof KernelError)) throw cause;
      throw new TurfError('TURF_ERR_LAUNCH', `${path}: ${cause.message}`, { path, cause });
    }
  }
}

function moveDevice(
  host: Place,
  container: Place,
  from: string,
  to: string,
  path: string,
  undo: UndoStack,
): void {
  const device = host.route.link(from);
  if (device === undefined) throw failure(path, `there is no network device ${from}`);
  const isTemplate = to.includes('%d');
  if (!isTemplate && container.route.link(to) !== undefined) {
    throw failure(path, `the container's network namespace has a device ${to} already`);
  }
  const addresses = host.route.addresses(device.index).filter(isLasting);
  const before = new Set(container.route.links().map(({ index }) => index));
  host.route.moveLink(device, container.namespace, to);
  const moved = container.route
    .links()
    .find((link) => (isTemplate ? !before.has(link.index) : link.name === to));
  if (moved === undefined) throw failure(path, `${from} did not arrive in the container's network namespace`);
  undo.push(`network device ${from}`, () => {
    container.route.moveLink(moved, host.namespace, from);
    const returned = host.route.link(from);
    if (returned !== undefined) configure(host.route, returned, addresses, from, device.up);
  });
  configure(container.route, moved, addresses, from, true);
}

function isLasting({ flags, scope }: LinkAddress): boolean {
  return (flags & IFA_F_PERMANENT) !== 0 && scope === RT_SCOPE_UNIVERSE;
}

/** Addresses are lost with the move; a device is down after it. */
function configure(
  route: RouteSocket,
  link: Link,
  addresses: readonly LinkAddress[],
  oldName: string,
  up: boolean,
): void {
  for (const address of addresses) route.addAddress(link, address, oldName);
  if (up) route.setUp(link);
}

function failure(path: string, reason: string): TurfError {
  return new TurfError('TURF_ERR_CONFIG', `${path}: ${reason}`, { path });
}

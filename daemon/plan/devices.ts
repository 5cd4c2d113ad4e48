import type { OciDevice } from '../../oci-spec/config.js';
import { containerPath } from './container-path.js';

import { MOUNT_FLAG, S_IF } from './opcodes.js';
import type { PlanContext } from './plan-input.js';
import { bindKind } from './planned-mount.js';

const DEFAULT_MODE = 0o666;
const PERMISSION_BITS = 0o7777;

/** runtime-spec config-linux.md "Default Devices"; numbers of the kernel's admin-guide/devices.txt. */
const DEFAULT_DEVICES: readonly OciDevice[] = [
  { type: 'c', path: '/dev/null', major: 1, minor: 3 },
  { type: 'c', path: '/dev/zero', major: 1, minor: 5 },
  { type: 'c', path: '/dev/full', major: 1, minor: 7 },
  { type: 'c', path: '/dev/random', major: 1, minor: 8 },
  { type: 'c', path: '/dev/urandom', major: 1, minor: 9 },
  { type: 'c', path: '/dev/tty', major: 5, minor: 0 },
];

/** runtime-spec runtime-linux.md "Dev symbolic links"; /dev/core is left out: it is a door to the host's memory. */
const DEFAULT_SYMLINKS = [
  ['/proc/self/fd', '/dev/fd'],
  ['/proc/self/fd/0', '/dev/stdin'],
  ['/proc/self/fd/1', '/dev/stdout'],
  ['/proc/self/fd/2', '/dev/stderr'],
  ['pts/ptmx', '/dev/ptmx'],
] as const;

/**
 * Device nodes and symbolic links. A /dev that is a bind mount belongs to whoever bound it: nothing is made in it, as runc does.
 */
export function makeDevices({ config, linux, plan, namespaces, ownMounts }: PlanContext): void {
  const isForeign = (config.mounts ?? []).some(
    (mount) => containerPath(mount.destination) === '/dev' && bindKind(mount) !== false,
  );
  const wanted = new Map<string, { label: string; device: OciDevice }>();
  for (const device of DEFAULT_DEVICES) wanted.set(device.path, { label: device.path, device });
  (linux.devices ?? []).forEach((device, i) => {
    wanted.set(containerPath(device.path), { label: `linux.devices[${i}]`, device });
  });
  // /dev/ptmx must be the container's own devpts instance, whatever the config lists.
  wanted.delete('/dev/ptmx');

  for (const [path, { label, device }] of wanted) {
    if (isForeign && path.startsWith('/dev/')) continue;
    if (namespaces.has('user') && !ownMounts) continue;
    if (namespaces.has('user')) {
      // mknod(2) of a device needs CAP_MKNOD in the initial user namespace.
      plan.mountBind(label, { source: device.path, target: path, flags: MOUNT_FLAG.CREATE_FILE });
    } else {
      plan.mknod(label, {
        path,
        mode: fileType(device.type) | ((device.fileMode ?? DEFAULT_MODE) & PERMISSION_BITS),
        major: device.major ?? 0,
        minor: device.minor ?? 0,
        uid: device.uid ?? 0,
        gid: device.gid ?? 0,
      });
    }
  }
  if (isForeign) return;
  for (const [target, path] of DEFAULT_SYMLINKS) plan.symlink(path, target, path);
}

function fileType(type: OciDevice['type']): number {
  switch (type) {
    case 'c':
    case 'u':
      return S_IF.CHR;
    case 'b':
      return S_IF.BLK;
    case 'p':
      return S_IF.FIFO;
  }
}

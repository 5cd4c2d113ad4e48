import { closeSync, constants, fstatSync, openSync, readlinkSync, statfsSync, statSync } from 'node:fs';
import { TurfError } from '../../cli/turf-error.js';
import { type OciConfig } from '../../oci-spec/config.js';
import { NAMESPACES, type NamespaceType } from '../../oci-spec/namespaces.js';

const NSFS_MAGIC = 0x6e736673;
const NAMESPACE_LINK = /^\w+:\[\d+\]$/;

/**
 * Opens the namespaces that the config joins by path and checks that each is of the type it is named as.
 *
 * @returns type of config.json → descriptor; the caller closes them
 * @throws TurfError TURF_ERR_CONFIG with `linux.namespaces[i].path`
 */
export function openNamespaces(config: OciConfig): Map<NamespaceType, number> {
  const opened = new Map<NamespaceType, number>();
  try {
    for (const [index, namespace] of (config.linux?.namespaces ?? []).entries()) {
      if (namespace.path === undefined || namespace.path === '') continue;
      opened.set(
        namespace.type,
        openNamespace(namespace.type, namespace.path, `linux.namespaces[${index}].path`),
      );
    }
    refuseHostSysctls(config, opened.get('network'));
    return opened;
  } catch (error) {
    for (const fd of opened.values()) closeSync(fd);
    throw error;
  }
}

/** A network namespace given by path may be the host's own, whose settings are none of a container's. */
function refuseHostSysctls(config: OciConfig, network: number | undefined): void {
  const names = Object.keys(config.linux?.sysctl ?? {}).filter((name) => /^net[./]/.test(name));
  if (network === undefined || names.length === 0) return;
  const joined = fstatSync(network);
  const host = statSync('/proc/self/ns/net');
  if (joined.ino !== host.ino || joined.dev !== host.dev) return;
  const path = `linux.sysctl["${names[0] ?? ''}"]`;
  throw new TurfError('TURF_ERR_CONFIG', `${path}: needs a network namespace other than the host's`, {
    path,
  });
}

function openNamespace(type: NamespaceType, path: string, field: string): number {
  let fd: number;
  try {
    // A FIFO that nobody writes would hold the daemon.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TurfError('TURF_ERR_CONFIG', `${field}: ${reason}`, { path: field, cause });
  }
  const target = readlinkSync(`/proc/self/fd/${fd}`);
  if (target.startsWith(`${NAMESPACES[type].proc}:[`)) return fd;
  // A bind-mounted namespace file shows its path instead of its type: setns(2) compares the type then.
  if (!NAMESPACE_LINK.test(target) && statfsSync(`/proc/self/fd/${fd}`).type === NSFS_MAGIC) return fd;
  closeSync(fd);
  throw new TurfError('TURF_ERR_CONFIG', `${field}: expected a ${type} namespace, ${path} is ${target}`, {
    path: field,
  });
}

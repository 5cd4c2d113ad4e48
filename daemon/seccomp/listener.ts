import { TurfError } from '../../cli/turf-error.js';
import { type Kernel } from '../../native-shim/kernel.js';
import { type OciSeccomp } from '../../oci-spec/config.js';

/** Name of the descriptor in the container process state. */
const DESCRIPTOR = 'seccompFd';

/** Where the notification descriptor of a profile goes; undefined for a profile that hands over no call. */
export function seccompListener(profile: OciSeccomp | undefined): string | undefined {
  return profile !== undefined && notifies(profile) ? profile.listenerPath : undefined;
}

export function notifies(profile: OciSeccomp): boolean {
  return profile.syscalls?.some(({ action }) => action === 'SCMP_ACT_NOTIFY') === true;
}

/**
 * The container process state (runtime-spec, config-linux.md), as JSON with the placeholder twice.
 *
 * @param state JSON of the container's state with the same placeholder
 */
export function containerProcessState(
  { listenerMetadata = '' }: OciSeccomp,
  ociVersion: string,
  pid: '@PID@',
  state: string,
): string {
  // The placeholder comes before everything that the config's author chose.
  const head = `{"ociVersion":${JSON.stringify(ociVersion)},"fds":["${DESCRIPTOR}"],"pid":${pid},"state":${state}`;
  return listenerMetadata === '' ? `${head}}` : `${head},"metadata":${JSON.stringify(listenerMetadata)}}`;
}

/**
 * A connection that takes one container process state.
 *
 * @throws TurfError TURF_ERR_LAUNCH with `linux.seccomp.listenerPath`
 */
export function connectListener(kernel: Kernel, path: string): number {
  try {
    return kernel.connectUnix(path);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const field = 'linux.seccomp.listenerPath';
    throw new TurfError('TURF_ERR_LAUNCH', `${field}: ${reason}`, { path: field, cause });
  }
}

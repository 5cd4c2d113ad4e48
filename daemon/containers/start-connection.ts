import { Socket } from 'node:net';
import { TurfError } from '../../cli/turf-error.js';
import { type Kernel, KernelError } from '../../native-shim/kernel.js';
import { encodeFrame, FrameChannel } from '../channel/frame-channel.js';
import { planError } from './sync.js';

/** Connects by descriptor, since Node refuses socket paths of more than 107 bytes; undefined where nobody listens. */
export function connectIfListening(kernel: Kernel, path: string): Socket | undefined {
  const fd = connectFd(kernel, path);
  return fd === undefined ? undefined : new Socket({ fd, readable: true, writable: true });
}

function connectFd(kernel: Kernel, path: string): number | undefined {
  try {
    return kernel.connectUnix(path);
  } catch (error) {
    if (error instanceof KernelError && (error.code === 'ECONNREFUSED' || error.code === 'ENOENT'))
      return undefined;
    throw error;
  }
}

/**
 * Releases a created container (docs/protocol.md, "Start connection").
 *
 * @param path its `start.sock`
 * @param labels config field of each plan operation, for errors
 * @param listener a connection for the seccomp notification descriptor, which stays the caller's
 * @throws TurfError TURF_ERR_STATE if nobody waits there, TURF_ERR_LAUNCH with the field at fault
 */
export async function releaseContainer(
  kernel: Kernel,
  path: string,
  labels: readonly string[],
  listener?: number,
): Promise<void> {
  const fd = connectFd(kernel, path);
  if (fd === undefined) throw new TurfError('TURF_ERR_STATE', 'the container does not wait to be started');
  const channel = new FrameChannel(new Socket({ fd, readable: true, writable: true }));
  try {
    kernel.send(fd, encodeFrame('S'), listener === undefined ? [] : [listener]);
    const answer = await channel.next();
    if (answer?.type === 'E') throw planError(answer.payload, labels);
  } finally {
    channel.destroy();
  }
}

/** Whether a container still waits to be started: its listening socket accepts. */
export function waitsForStart(kernel: Kernel, path: string): boolean {
  const socket = connectIfListening(kernel, path);
  socket?.destroy();
  return socket !== undefined;
}

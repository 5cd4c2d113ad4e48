import { closeSync } from 'node:fs';
import { TurfError } from '../../cli/turf-error.js';
import { type Kernel } from '../../native-shim/kernel.js';

/**
 * Hands a process over to whoever listens, as a pidfd (pidfd_open(2)): unlike its pid that can never come to mean another process.
 *
 * @param path absolute, of an AF_UNIX stream socket
 * @param kind what goes with the descriptor: `standard` for the first process of a container, `setns` for one that exec started, as runc has it
 * @throws TurfError TURF_ERR_USAGE where nobody takes it
 */
export function sendPidfd(kernel: Kernel, path: string, kind: 'standard' | 'setns', pidfd: number): void {
  let socket: number | undefined;
  try {
    socket = kernel.connectUnix(path);
    kernel.send(socket, Buffer.from(kind), [pidfd]);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TurfError('TURF_ERR_USAGE', `pidfd socket: ${reason}`, { path: 'pidfdSocket', cause });
  } finally {
    if (socket !== undefined) closeSync(socket);
  }
}

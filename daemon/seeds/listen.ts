import { lookup } from 'node:dns/promises';
import { rmSync } from 'node:fs';
import { TurfError } from '../../cli/turf-error.js';
import { type Kernel } from '../../native-shim/kernel.js';
import { parseListenAddress } from '../../oci-spec/listen-address.js';
import { isServed, listenUnixUnused } from '../channel/listen-unix.js';

export interface Listener {
  /** Listening socket; owned by the caller. */
  readonly fd: number;
  /** As given, with a port of 0 replaced by the one that was free. */
  readonly address: string;
}

/**
 * Binds the socket that a worker serves on, and that is handed to it.
 *
 * @param text `unix:PATH` (absolute) or `tcp:HOST:PORT`
 * @throws TurfError TURF_ERR_USAGE for another form, TURF_ERR_SYSTEM where it cannot be bound
 */
export async function bindListener(kernel: Kernel, text: string): Promise<Listener> {
  const address = parseListenAddress(text);
  if (address === undefined) {
    throw new TurfError(
      'TURF_ERR_USAGE',
      `listen: must be unix:PATH (absolute) or tcp:HOST:PORT, got "${text}"`,
      {
        path: 'listen',
      },
    );
  }
  try {
    if (address.kind === 'unix') return { fd: listenUnixUnused(kernel, address.path, 0o660), address: text };
    const host = await lookup(address.host);
    const { fd, port } = kernel.listenTcp(host.address, address.port);
    const name = address.host.includes(':') ? `[${address.host}]` : address.host;
    return { fd, address: `tcp:${name}:${port}` };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TurfError('TURF_ERR_SYSTEM', `listen: ${reason}`, { path: 'listen', cause });
  }
}

/** Removes the socket file of a worker that has gone, unless another serves there by now. */
export function removeListener(kernel: Kernel, text: string): void {
  const address = parseListenAddress(text);
  if (address?.kind === 'unix' && !isServed(kernel, address.path)) rmSync(address.path, { force: true });
}

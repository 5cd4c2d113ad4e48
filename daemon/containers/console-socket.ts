import { TurfError } from '../../cli/turf-error.js';
import { type Kernel } from '../../native-shim/kernel.js';

/**
 * The socket that receives the console's master, where the program has a terminal.
 *
 * @param own takes the descriptor over that is opened here; one that was given stays the operation's
 * @throws TurfError TURF_ERR_USAGE where there is a terminal without a socket, or a socket without a terminal
 */
export function openConsoleSocket(
  kernel: Kernel,
  options: { readonly consoleFd?: number; readonly consoleSocket?: string },
  terminal: boolean,
  own: (fd: number) => number,
): number | undefined {
  if (options.consoleFd !== undefined) return options.consoleFd;
  const { consoleSocket } = options;
  if (terminal !== (consoleSocket !== undefined)) {
    throw new TurfError(
      'TURF_ERR_USAGE',
      terminal
        ? 'cannot allocate a terminal without a console socket'
        : 'a console socket needs process.terminal',
      { path: 'process.terminal' },
    );
  }
  if (consoleSocket === undefined) return undefined;
  try {
    return own(kernel.connectUnix(consoleSocket));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TurfError('TURF_ERR_USAGE', `console socket: ${reason}`, { path: 'consoleSocket', cause });
  }
}

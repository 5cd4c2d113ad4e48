import { constants } from 'node:os';
import { loadKernel } from '../../native-shim/libturf.js';
import { DevServer } from './dev-server.js';
import { DEV_HELP, type DevOptions, parseDevOptions } from './options.js';

/**
 * `aworker dev`: runs until a signal ends it.
 *
 * @param args what follows `dev`
 * @throws UsageError; KernelError where the port cannot be listened on
 */
export async function runDev(args: readonly string[]): Promise<void> {
  const options = parseDevOptions(args);
  if (options === 'help') {
    process.stdout.write(DEV_HELP);
    return;
  }
  await serve(options);
}

async function serve(options: DevOptions): Promise<void> {
  const { host } = options;
  // A descriptor of no event loop: this process hands the socket to its workers and never accepts.
  const { fd, port } = loadKernel().listenTcp(host, options.port);
  process.stdout.write(`aworker: listening on http://${host.includes(':') ? `[${host}]` : host}:${port}/\n`);
  const server = new DevServer(options, fd);
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.once(signal, () => void server.stop().then(() => process.exit(128 + constants.signals[signal])));
  }
  await server.start();
}

import { createServer, type Server, type Socket } from 'node:net';
import { type Logger } from 'pino';
import { type CliContext } from '../cli/context.js';
import { runCli } from '../cli/main.js';
import { type Operations } from '../cli/operations.js';
import { type Kernel } from '../native-shim/kernel.js';
import { ClientSession, socketDescriptor } from './channel/client-session.js';

export interface ClientServerOptions {
  readonly root: string;
  readonly kernel: Kernel;
  readonly operations: Operations;
  readonly log: Logger;
}

/**
 * Serves thin clients on a Unix socket: each connection is one command line, run by `cli/`.
 *
 * @param fd a listening socket, owned by the server from now on
 */
export function serveClients(fd: number, options: ClientServerOptions): Server {
  const server = createServer((socket) => {
    let permitted = false;
    try {
      permitted = isPermitted(socket, options);
    } catch (err) {
      options.log.warn({ err }, 'a client left at once');
    }
    if (permitted) void serve(socket, options);
    else socket.destroy();
  });
  server.listen({ fd });
  return server;
}

/** Root and the daemon's own user only: whoever speaks to this socket can start any program as root. */
function isPermitted(socket: Socket, { kernel, log }: ClientServerOptions): boolean {
  const { uid, pid } = kernel.peerCredentials(socketDescriptor(socket));
  const permitted = uid === 0 || uid === process.getuid?.();
  if (!permitted) log.warn({ uid, pid }, 'refused a client of another user');
  return permitted;
}

async function serve(socket: Socket, options: ClientServerOptions): Promise<void> {
  const session = new ClientSession(socket, options.kernel);
  try {
    const request = await session.request();
    if (request === undefined) {
      session.destroy();
      return;
    }
    const context: CliContext = {
      ...request,
      stdout: (data) => session.write('stdout', data),
      stderr: (data) => session.write('stderr', data),
      readStdin: () => session.readStdin(),
      signal: session.signal,
      operations: options.operations,
      root: options.root,
      launcher: session,
      foreground: { wait: ({ terminalFd }) => session.foreground(terminalFd) },
      consolePair() {
        const [daemonEnd, clientEnd] = options.kernel.socketpair();
        return { daemonEnd, clientEnd };
      },
    };
    await session.exit(await runCli(request.argv, context));
  } catch (error) {
    options.log.error({ err: error }, 'a client session failed');
    await session.write('stderr', `turf: ${error instanceof Error ? error.message : String(error)}\n`);
    await session.exit(1);
  }
}

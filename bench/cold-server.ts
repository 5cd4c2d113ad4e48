import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';

/** node cold-server.js MODULE SOCKET: serves `export default { fetch }` the way a plain Node.js program would. */
interface Fetcher {
  fetch(request: Request, env: Readonly<Record<string, string>>): Response | Promise<Response>;
}

const [, , module = '', socket = ''] = process.argv;
const { default: handler } = (await import(pathToFileURL(module).href)) as { default: Fetcher };

const server = createServer((incoming, outgoing) => {
  const request = new Request(new URL(incoming.url ?? '/', 'http://localhost'), {
    method: incoming.method ?? 'GET',
  });
  void Promise.resolve(handler.fetch(request, {})).then(async (response) => {
    outgoing.writeHead(response.status, Object.fromEntries(response.headers));
    outgoing.end(Buffer.from(await response.arrayBuffer()));
  });
});
server.listen(socket, () => process.stdout.write('listening\n'));

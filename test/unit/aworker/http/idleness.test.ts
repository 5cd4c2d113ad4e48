import { once } from 'node:events';
import { Agent, createServer, get, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { performance } from 'node:perf_hooks';
import { type Test, t } from 'tap';
import { endWhenIdle } from '../../../../aworker/http/idleness.js';

const IDLE_MS = 150;

/** A server that ends when it is idle. */
async function idling(
  t: Test,
  busy: () => boolean = () => false,
): Promise<{ port: number; ended: Promise<number>; server: Server; answered: readonly number[] }> {
  const answered: number[] = [];
  const server = createServer((request, out) => {
    const answer = (): void => {
      answered.push(performance.now());
      out.end('ok');
    };
    setTimeout(answer, request.url === '/slow' ? IDLE_MS * 2 : 0);
  });
  const active = { count: 0 };
  server.on('request', (_request, out) => {
    active.count += 1;
    out.on('close', () => (active.count -= 1));
  });
  const ended = new Promise<number>((resolve) =>
    endWhenIdle(
      server,
      IDLE_MS,
      () => active.count > 0 || busy(),
      () => resolve(performance.now()),
    ),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  return { port: (server.address() as AddressInfo).port, ended, server, answered };
}

/** When the answer was there. */
function ask(port: number, path: string, agent = new Agent()): Promise<number> {
  return new Promise((resolve, reject) => {
    get({ port, path, agent }, (incoming) => {
      incoming.resume().on('end', () => resolve(performance.now()));
    }).on('error', reject);
  });
}

void t.test('it ends after the idle time, not before, where nobody comes', async (t) => {
  const began = performance.now();
  const { ended } = await idling(t);
  t.ok((await ended) - began >= IDLE_MS);
});

void t.test('a request begins the time anew, when it is answered', async (t) => {
  const { port, ended, answered } = await idling(t);
  await ask(port, '/slow');
  t.equal(answered.length, 1);
  // By the server's clock: a client that is late to see the answer would see the end come too early.
  for (const time of answered) t.ok((await ended) - time >= IDLE_MS - 20);
});

void t.test('a connection begins it anew, and being open does not hold it up', async (t) => {
  const { port, ended } = await idling(t);
  const agent = new Agent({ keepAlive: true });
  const socket = connect(port, '127.0.0.1');
  t.teardown(() => {
    agent.destroy();
    socket.destroy();
  });
  await once(socket, 'connect');
  const answered = await ask(port, '/', agent);
  t.ok((await ended) - answered >= IDLE_MS - 20);
  t.notOk(socket.destroyed, 'the connection is still there');
});

void t.test('work that goes on holds it up', async (t) => {
  const until = performance.now() + IDLE_MS * 3;
  const { ended } = await idling(t, () => performance.now() < until);
  t.ok((await ended) >= until);
});

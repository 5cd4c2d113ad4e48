import { once } from 'node:events';
import { Agent, createServer, get, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { type Test, t } from 'tap';
import { endWhenIdle } from '../../../../aworker/http/idleness.js';

const IDLE_MS = 150;
/** For clients that have connected, and not asked yet. */
const PATIENCE_MS = 600;

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
      PATIENCE_MS,
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

void t.test('a connection that is merely kept does not hold it up', async (t) => {
  const { port, ended } = await idling(t);
  const agent = new Agent({ keepAlive: true });
  t.teardown(() => agent.destroy());
  const answered = await ask(port, '/', agent);
  const took = (await ended) - answered;
  t.ok(took >= IDLE_MS - 20 && took < PATIENCE_MS, `${took} ms`);
});

void t.test('one that is new does, for a time, and so does a part of a request', async (t) => {
  const { port, ended } = await idling(t);
  const began = performance.now();
  const socket = connect(port, '127.0.0.1');
  t.teardown(() => socket.destroy());
  await once(socket, 'connect');
  await delay(IDLE_MS * 2);
  socket.write('GET / HTTP/1.1\r\n');
  await delay(IDLE_MS * 2);
  socket.write('host: x\r\n\r\n');
  const [answer] = (await once(socket, 'data')) as [Buffer];
  t.match(answer.toString(), 'HTTP/1.1 200 OK');
  t.ok(performance.now() - began >= IDLE_MS * 4);
  t.ok((await ended) - began >= IDLE_MS * 5 - 20);
  t.notOk(socket.destroyed);
});

void t.test('one that never asks holds it up no longer than that', async (t) => {
  const { port, ended } = await idling(t);
  const socket = connect(port, '127.0.0.1');
  t.teardown(() => socket.destroy());
  await once(socket, 'connect');
  const connected = performance.now();
  t.ok((await ended) - connected >= PATIENCE_MS - 20);
  t.notOk(socket.destroyed, 'the connection is still there');
});

void t.test('work that goes on holds it up', async (t) => {
  const until = performance.now() + IDLE_MS * 3;
  const { ended } = await idling(t, () => performance.now() < until);
  t.ok((await ended) >= until);
});

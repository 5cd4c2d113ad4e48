import { once } from 'node:events';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { parseWorkerConfig, type WorkerConfig } from '../config/config.js';
import { FetchEvent } from '../scope/events.js';
import { listening } from '../http/server.js';
import { raise } from '../lifecycle/phases.js';
import { addEventListener, setListenersAside } from '../scope/scope-events.js';
import { type Runtime } from '../lifecycle/runtime.js';
import { resumeOptimizing } from './tiering.js';
import { warmFetch } from '../web/fetch-family.js';
import { loadFraming } from '../websocket/connection.js';

const HANDLER = fileURLToPath(new URL('warm-handler.js', import.meta.url));
const ROUNDS = 12;
const HEAD = 'host: worker\r\nuser-agent: warm\r\naccept: */*\r\n';
const REQUESTS = [
  `GET /json?a=1 HTTP/1.1\r\n${HEAD}connection: close\r\n\r\n`,
  `GET /text HTTP/1.1\r\n${HEAD}connection: close\r\n\r\n`,
  `POST /json HTTP/1.1\r\n${HEAD}connection: close\r\ncontent-length: 4\r\n\r\nwarm`,
  `GET /stream HTTP/1.1\r\n${HEAD}connection: close\r\n\r\n`,
  `GET /text HTTP/1.1\r\n${HEAD}\r\nHEAD /text HTTP/1.1\r\n${HEAD}connection: close\r\n\r\n`,
  `GET /text HTTP/1.1\r\n${HEAD}\r\n`,
];

async function ask(path: string, request: string): Promise<void> {
  const socket = connect({ path });
  // A client that keeps its connection closes it once it has its answer.
  const keeps = !request.includes('connection: close');
  if (keeps) socket.write(request);
  else socket.end(request);
  let answer = '';
  socket.setEncoding('latin1');
  socket.on('data', (text: string) => {
    answer += text;
    if (keeps) socket.end();
  });
  await once(socket, 'close');
  if (!answer.startsWith('HTTP/1.1 200 '))
    throw new Error(`Warming failed: ${answer.split('\r\n', 1).join('')}`);
}

/** Has timers run. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1));
}

/** A worker without identity, and without limits, which would start clocks. */
function noWorker(): WorkerConfig {
  const worker = parseWorkerConfig('{"id":"","env":{},"listenFd":200}');
  return { ...worker, limits: { ...worker.limits, startMs: 0, turnMs: 0, cpuMs: 0 } };
}

/** The other way to answer: a listener of `fetch`. */
function answerEvent(event: Event): void {
  if (event instanceof FetchEvent) event.respondWith(new Response(event.request.url));
}

/**
 * Takes every step that a clone will take, with real requests over a socket, so that Node's lazy parts are loaded and the code is compiled
 * before the fork. Leaves no open descriptor.
 *
 * @param listener where to listen: a descriptor as a clone has it, and the path to reach it
 */
export async function warm(runtime: Runtime, listener: { fd: number; path: string }): Promise<void> {
  await runtime.load(HANDLER, []);
  // What a clone does once, on its way to its first request.
  resumeOptimizing();
  runtime.onFirstRequest(() => undefined);
  runtime.begin(noWorker());
  await raise('deserialize');
  await runtime.serve();
  const server = runtime.createServer();
  await listening(server, { fd: listener.fd });
  for (let round = 0; round < ROUNDS; round++)
    for (const request of REQUESTS) await ask(listener.path, request);
  addEventListener('fetch', answerEvent);
  for (let round = 0; round < ROUNDS / 2; round++) await ask(listener.path, REQUESTS[0] ?? '');
  setListenersAside();
  await warmFetch(listener.path);
  loadFraming();
  const timer = setInterval(() => undefined, 1000);
  clearInterval(timer);
  await Promise.all([turn(), turn()]);
  const closed = once(server, 'close');
  server.close();
  await closed;
  runtime.unload();
}

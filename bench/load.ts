/**
 * Keeps an HTTP server busy from a process of its own, with raw sockets, so that it costs less than what it measures.
 *
 *   node load.js PORT CONNECTIONS SECONDS REQUEST
 *
 * Each connection is kept alive and has one request under way. The answers must all be 200 and of one length. Prints JSON.
 */
import { connect } from 'node:net';

export interface LoadResult {
  readonly requests: number;
  readonly seconds: number;
  /** Milliseconds from a request's first byte to its answer's last. */
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

const [port = '', connections = '', seconds = '', request = ''] = process.argv.slice(2);
const bytes = Buffer.from(request);
const latencies: number[] = [];
let counting = false;
let stopped = false;

/** Length of an answer with Content-Length, its head included. */
function lengthOf(answer: Buffer): number {
  const end = answer.indexOf('\r\n\r\n');
  if (end < 0) return Infinity;
  const head = answer.toString('latin1', 0, end);
  if (!head.startsWith('HTTP/1.1 200 ')) throw new Error(`an answer that is no 200: ${head}`);
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length === undefined) throw new Error(`an answer without Content-Length: ${head}`);
  return end + 4 + Number(length);
}

function keepBusy(): void {
  const socket = connect(Number(port), '127.0.0.1');
  let began = 0;
  let expected = Infinity;
  let pending = Buffer.alloc(0);
  const ask = (): void => {
    began = performance.now();
    socket.write(bytes);
  };
  socket.setNoDelay(true);
  socket.on('connect', ask);
  socket.on('error', (error) => {
    if (!stopped) throw error;
  });
  socket.on('close', () => {
    if (!stopped) throw new Error('the server closed a connection');
  });
  socket.on('data', (chunk) => {
    // Whole answers are the rule; they need no copy.
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    if (expected === Infinity) expected = lengthOf(pending);
    if (pending.length < expected) return;
    if (pending.length > expected || pending[9] !== 0x32)
      throw new Error(`unexpected: ${pending.toString('latin1')}`);
    pending = Buffer.alloc(0);
    if (counting) latencies.push(performance.now() - began);
    if (stopped) socket.destroy();
    else ask();
  });
}

for (let i = 0; i < Number(connections); i++) keepBusy();
const warmUp = Math.min(3, Number(seconds));
setTimeout(() => {
  counting = true;
  const began = performance.now();
  setTimeout(
    () => {
      counting = false;
      stopped = true;
      const took = (performance.now() - began) / 1000;
      latencies.sort((a, b) => a - b);
      const at = (share: number): number =>
        latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? NaN;
      const result: LoadResult = {
        requests: latencies.length,
        seconds: took,
        p50: at(0.5),
        p99: at(0.99),
        max: at(1),
      };
      process.stdout.write(`${JSON.stringify(result)}\n`);
      setTimeout(() => process.exit(0), 100);
    },
    Number(seconds) * 1000,
  );
}, warmUp * 1000);

import { Buffer } from 'node:buffer';
import { type Server } from 'node:http';
import process from 'node:process';
import { Duplex } from 'node:stream';

const REQUEST = Buffer.from(
  'GET /json?a=1 HTTP/1.1\r\nhost: worker\r\nuser-agent: warm\r\naccept: */*\r\nconnection: close\r\n\r\n',
);
/** The event loop must not turn, since timers of user code would run: what is not done after so many ticks stays undone. */
const MOST_TICKS = 100;

/** A connection in memory: one request to read, and a place for the answer. */
class Connection extends Duplex {
  answered = false;

  override _read(): void {
    // Everything was pushed at the start.
  }

  override _write(_chunk: unknown, _encoding: string, done: () => void): void {
    this.answered = true;
    done();
  }

  override _final(done: () => void): void {
    this.answered = true;
    done();
  }
}

function tick(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}

/**
 * Has a server answer one request, without a socket and without turning the event loop: the clone has then read and written what its
 * first real request will.
 *
 * @returns whether there was an answer
 */
export async function exercise(server: Server): Promise<boolean> {
  const connection = new Connection();
  server.emit('connection', connection);
  connection.push(REQUEST);
  for (let n = 0; n < MOST_TICKS && !connection.writableFinished; n++) await tick();
  connection.destroy();
  await tick();
  return connection.answered;
}

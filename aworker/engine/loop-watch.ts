/** Ends a worker that blocks its event loop: nothing in JavaScript could, as long as it does. */
import { Buffer } from 'node:buffer';
import { type IncomingMessage } from 'node:http';
import { loadWatchdog, type Watchdog } from '../../native-shim/watchdog.js';
import { type Limits } from '../config/limits.js';

const REPORT_BYTES = 1024;

let watchdog: Watchdog | undefined;
let report: Buffer | undefined;
let prefix = '';

/** Loads what `watchLoop` needs: its file is out of reach for a clone. */
export function prepareLoopWatch(): Watchdog {
  watchdog ??= loadWatchdog();
  return watchdog;
}

/**
 * Watches from now on, by the shorter of the limits for a turn and for a request: a turn that takes what a request may take is over both.
 *
 * @throws KernelError
 */
export function watchLoop({ turnMs, cpuMs }: Limits): void {
  const name = turnMs > 0 && (cpuMs === 0 || turnMs <= cpuMs) ? 'turnMs' : 'cpuMs';
  const limit = name === 'turnMs' ? turnMs : cpuMs;
  if (limit === 0) return;
  report = Buffer.alloc(REPORT_BYTES);
  prefix = `The event loop was blocked for more than ${limit} ms of CPU time (limit ${name})`;
  report.write(`${prefix}\n`);
  prepareLoopWatch().start(limit, report);
}

/** Remembers the request that came last: the likely cause of a loop that does not return. */
export function noteRequest({ method = '', url = '' }: IncomingMessage): void {
  if (report === undefined) return;
  const text = `${prefix}; the last request was ${method} ${url}`;
  const end = report.write(text.slice(0, REPORT_BYTES - 2), 'latin1');
  report[end] = 10;
  report[end + 1] = 0;
}

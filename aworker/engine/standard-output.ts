import { Buffer } from 'node:buffer';
import { Console } from 'node:console';
import { writeSync } from 'node:fs';
import { Writable } from 'node:stream';

const RETRY_MS = 1;
let pause = (): void => undefined;

/** Takes for the runtime itself what user code must not have: `Atomics.wait`. An engine that builds a startup snapshot has neither that nor shared memory. */
export function preparePause(): void {
  const { wait } = Atomics;
  const sleeper = new Int32Array(new SharedArrayBuffer(4));
  pause = () => void wait(sleeper, 0, 0, RETRY_MS);
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

/** Writes all of `text` before it returns: a worker may end at any time. A reader that went away is no error. */
export function writeText(fd: 1 | 2, text: string): void {
  let rest = Buffer.from(text, 'utf8');
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(fd, rest));
    } catch (error) {
      if (!isCode(error, 'EAGAIN')) return;
      pause();
    }
  }
}

function streamOn(fd: 1 | 2): Writable {
  return new Writable({
    decodeStrings: false,
    write(chunk: unknown, _encoding, done) {
      writeText(fd, String(chunk));
      done();
    },
  });
}

/** A console with Node's formatting on descriptors 1 and 2. */
export function createConsole(): Console {
  return new Console({ stdout: streamOn(1), stderr: streamOn(2), colorMode: false, ignoreErrors: false });
}

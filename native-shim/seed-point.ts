import { Buffer } from 'node:buffer';
import { constants } from 'node:os';
import koffi from 'koffi';
import { kernelError, LIBTURF_PATH } from './libturf.js';

/** Longest control frame with its header (native-shim/lib/park.h). */
const PARK_BUFFER = 160 * 1024 + 8;
const MESSAGE_BUFFER = 256;

/** The fork point of a seed, native-shim/lib/park.h. */
export interface SeedPoint {
  /**
   * Blocks the process on its listening control socket until a fork request made it a clone.
   *
   * @returns in the clone: the `info` text that came with its plan (docs/protocol.md, "Seed control connection"), or
   * `{"ahead":true}` in one that nobody needs yet
   * @throws KernelError in the seed, when it is not fit to be forked: nothing was parked
   */
  park(controlFd: number): string;
  /** In a clone that nobody needed yet: blocks until somebody does. @returns the `info` text */
  resume(): string;
  /** Ends the process at once, without exit handlers and without joining Node's threads, which a clone lacks. */
  exit(code: number): never;
  /** getpid(2). */
  pid(): number;
  /** A listening Unix socket on an abstract address; `path` as node:net takes it. The caller owns the descriptor. */
  warmListener(): { fd: number; path: string };
}

function text(buffer: Buffer): string {
  const end = buffer.indexOf(0);
  return buffer.toString('utf8', 0, end < 0 ? buffer.length : end);
}

/**
 * Loads `libturf.so` and binds the fork point.
 *
 * @param path the library; default: where the build puts it
 * @throws Error if the library cannot be loaded
 */
export function loadSeedPoint(path: string = LIBTURF_PATH): SeedPoint {
  const lib = koffi.load(path);
  const park = lib.func(
    'int turf_seed_park(void *point, int control_fd, uint8_t *buffer, uint32_t capacity, uint8_t *message, uint32_t message_size)',
  );
  const resume = lib.func('int turf_seed_resume(void *point)');
  const point: unknown = lib.func('void *turf_seed_point_new()')();
  if (point === null) throw kernelError('make a fork point', constants.errno.ENOMEM);
  const exit = lib.func('void turf_exit(int code)');
  const pid = lib.func('int turf_pid()');
  const listener = lib.func('int turf_seed_warm_listener(uint8_t *name, uint32_t size)');
  const buffer = Buffer.alloc(PARK_BUFFER);
  const message = Buffer.alloc(MESSAGE_BUFFER);

  return {
    park(controlFd) {
      const length = Number(park(point, controlFd, buffer, buffer.length, message, message.length));
      if (length < 0) throw kernelError(`park the seed: ${text(message)}`, -length);
      return buffer.toString('utf8', 0, length);
    },
    resume: () => buffer.toString('utf8', 0, Number(resume(point))),
    exit(code) {
      exit(code);
      throw new Error('turf_exit returned');
    },
    pid: () => Number(pid()),
    warmListener() {
      const name = Buffer.alloc(108);
      const fd = Number(listener(name, name.length));
      if (fd < 0) throw kernelError('listen on an abstract address', -fd);
      return { fd, path: `\0${text(name)}` };
    },
  };
}

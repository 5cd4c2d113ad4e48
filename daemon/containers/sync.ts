import { Socket } from 'node:net';
import { TurfError } from '../../cli/turf-error.js';
import { kernelError } from '../../native-shim/libturf.js';
import { type Frame, FrameChannel } from '../channel/frame-channel.js';
import { PayloadReader, PayloadWriter } from '../channel/payload.js';
import { describePlanFailure } from '../plan/describe-error.js';

/** A clone of a seed is not trusted: its frames stay small. */
const FRAME_LIMIT = 64 << 10;
const LONGEST_TEXT = 1000;
/** More than any plan has: each costs the daemon work. */
const MOST_SYNCS = 8;

/** The daemon's end of a sync channel (docs/protocol.md, "Sync channel"). */
export class SyncChannel {
  readonly #channel: FrameChannel;

  /** @param fd the daemon's end, owned by the channel from now on, or a connected socket */
  constructor(end: number | Socket) {
    const socket = typeof end === 'number' ? new Socket({ fd: end, readable: true, writable: true }) : end;
    this.#channel = new FrameChannel(socket, FRAME_LIMIT);
  }

  /** The next frame that is not a hello; undefined once the other end has gone. */
  async next(): Promise<Frame | undefined> {
    for (;;) {
      const frame = await this.#channel.next();
      if (frame?.type !== 'H') return frame;
    }
  }

  /**
   * Waits until the process has done its plan up to READY, answering its syncs.
   *
   * @param labels config field of each operation, for errors
   * @param onSync runs what the daemon has to do at a sync point; the container waits meanwhile
   * @param ready the frame that says so
   * @throws TurfError TURF_ERR_LAUNCH with the field at fault, or where the other end breaks the protocol
   */
  async untilReady(
    labels: readonly string[],
    onSync: (tag: number) => Promise<string>,
    ready: 'K' | 'R' = 'K',
  ): Promise<void> {
    for (let syncs = 0; ; syncs++) {
      const frame = await this.next();
      if (frame === undefined) {
        throw new TurfError('TURF_ERR_LAUNCH', 'the first process ended before the container was set up');
      }
      if (frame.type === ready) return;
      await this.#answerSync(frame, syncs, labels, onSync);
    }
  }

  /**
   * Waits until the process has executed a program that knows nothing of the channel, answering its syncs.
   *
   * @throws TurfError TURF_ERR_LAUNCH with the field at fault
   */
  async untilReplaced(labels: readonly string[], onSync: (tag: number) => Promise<string>): Promise<void> {
    let syncs = 0;
    for (let frame = await this.next(); frame !== undefined; frame = await this.next())
      await this.#answerSync(frame, syncs++, labels, onSync);
  }

  async #answerSync(
    frame: Frame,
    syncs: number,
    labels: readonly string[],
    onSync: (tag: number) => Promise<string>,
  ): Promise<void> {
    if (frame.type === 'E') throw planError(frame.payload, labels);
    if (frame.type !== 'S' || syncs === MOST_SYNCS)
      throw new TurfError('TURF_ERR_LAUNCH', `unexpected frame ${printable(frame.type)} while setting up`);
    const answer = await onSync(read(frame.payload, (reader) => reader.u32()));
    await this.#channel.send('G', new PayloadWriter().str(answer).finish());
  }

  /** True once the other end has gone. */
  get ended(): boolean {
    return this.#channel.ended;
  }

  /**
   * Waits until a process that joins a container has executed its program, which closes its end.
   *
   * @param onChild called with the number of the child that goes on with the plan, once it is known
   * @returns that number
   * @throws TurfError TURF_ERR_LAUNCH with the field at fault
   */
  async untilExecuted(labels: readonly string[], onChild: (pid: number) => Promise<void>): Promise<number> {
    let pid = 0;
    for (let frame = await this.next(); frame !== undefined; frame = await this.next()) {
      if (frame.type === 'E') throw planError(frame.payload, labels);
      if (frame.type !== 'P' || pid !== 0)
        throw new TurfError('TURF_ERR_LAUNCH', `unexpected frame ${frame.type} while joining a container`);
      pid = new PayloadReader(frame.payload).i32();
      await onChild(pid);
    }
    if (pid === 0) throw new TurfError('TURF_ERR_LAUNCH', 'the process ended before it joined the container');
    return pid;
  }

  close(): void {
    this.#channel.destroy();
  }
}

/** What a payload says. @throws TurfError TURF_ERR_LAUNCH where it is cut short */
export function read<T>(payload: Buffer, decode: (reader: PayloadReader) => T): T {
  try {
    return decode(new PayloadReader(payload));
  } catch (cause) {
    throw new TurfError('TURF_ERR_LAUNCH', 'a frame is cut short', { cause });
  }
}

/** Text of a process that is not trusted, for a terminal and a log: without control characters, and not long. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, '?').slice(0, LONGEST_TEXT);
}

/** The error of an `E` frame: `mounts[3]: mount proc on /proc: operation not permitted`. */
export function planError(payload: Buffer, labels: readonly string[]): TurfError {
  const failure = read(payload, (reader) => ({
    ...{ errno: reader.i32(), opIndex: reader.u32(), opcode: reader.u32() },
    detail: printable(reader.str()),
  }));
  const label = labels[failure.opIndex];
  return new TurfError('TURF_ERR_LAUNCH', describePlanFailure(labels, failure), {
    operation: failure.detail,
    ...(label === undefined ? {} : { path: label }),
    cause: kernelError(failure.detail, failure.errno),
  });
}

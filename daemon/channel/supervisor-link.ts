import { EventEmitter } from 'node:events';
import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import { type LaunchRequest } from '../../cli/operations.js';
import { TurfError } from '../../cli/turf-error.js';
import { type Kernel, KernelError } from '../../native-shim/kernel.js';
import { kernelError } from '../../native-shim/libturf.js';
import { encodeFrame, FrameChannel } from './frame-channel.js';
import { decodeLaunchAnswer, encodeLaunchRequest, type LaunchAnswer } from './launch-request.js';
import { PayloadReader, PayloadWriter } from './payload.js';

/** A frame without payload. */
const ANSWER_BYTES = 8;

export interface ProcessEnd {
  readonly pid: number;
  /** Field 22 of /proc/PID/stat, in clock ticks since boot. */
  readonly startTime: bigint;
  /** As waitpid(2) gives it; -1 where nobody could learn it. */
  readonly waitStatus: number;
}

/**
 * The daemon's end of the supervisor channel: launching containers and learning how they ended, and sockets that wait there for their
 * next connection (`connection`, with the name of the socket).
 */
export class SupervisorLink extends EventEmitter<{ died: [ProcessEnd]; connection: [string]; lost: [] }> {
  readonly #fd: number;
  readonly #kernel: Kernel;
  readonly #channel: FrameChannel;
  readonly #launches = new Map<number, (answer: LaunchAnswer | undefined) => void>();
  #nextRequest = 1;

  /** @param fd the channel's descriptor, owned by the link from now on */
  constructor(fd: number, kernel: Kernel) {
    super();
    this.#fd = fd;
    this.#kernel = kernel;
    this.#channel = new FrameChannel(new Socket({ fd, readable: true, writable: true }));
    void this.#read();
  }

  /** Tells the supervisor that the daemon serves: from now on it is started again when it dies. */
  ready(): void {
    this.#kernel.send(this.#fd, encodeFrame('Y'), []);
  }

  /** Tells the supervisor that the daemon is about to exit on purpose. */
  quit(): void {
    this.#kernel.send(this.#fd, encodeFrame('Q'), []);
  }

  /** Has the supervisor report the end of that process, its own child or not. The pidfd stays the caller's. */
  watch(pid: number, startTime: bigint, pidfd: number): void {
    const payload = new PayloadWriter().u32(pid).u64(startTime).finish();
    this.#kernel.send(this.#fd, encodeFrame('A', payload), [pidfd]);
  }

  /** Leaves a copy of a listening socket with the supervisor, under that name; it outlives the daemon. `fd` stays the caller's. */
  holdListener(name: string, fd: number): void {
    this.#kernel.send(this.#fd, encodeFrame('H', Buffer.from(name)), [fd]);
  }

  /** Has the supervisor tell once, by `connection`, that a connection waits on the socket of that name; nobody accepts it there. */
  watchListener(name: string): void {
    this.#kernel.send(this.#fd, encodeFrame('W', Buffer.from(name)), []);
  }

  /** Has the supervisor close its copy of the socket of that name; it has when this returns. */
  releaseListener(name: string): void {
    this.#ask('R', name);
  }

  /** A copy of the socket of that name, the caller's; undefined where the supervisor holds none. */
  takeListener(name: string): number | undefined {
    return this.#ask('T', name)[0];
  }

  /** Sends a request with a connection for the answer, and waits for that, or for the connection's end. @returns its descriptors */
  #ask(type: string, name: string): readonly number[] {
    const [ours, theirs] = this.#kernel.socketpair();
    try {
      this.#kernel.send(this.#fd, encodeFrame(type, Buffer.from(name)), [theirs]);
    } finally {
      closeSync(theirs);
    }
    try {
      return this.#kernel.receive(ours, ANSWER_BYTES).fds;
    } finally {
      closeSync(ours);
    }
  }

  /** Has the supervisor clone the container's first process; resolves to its pid. The descriptors stay the caller's. */
  async launch(request: LaunchRequest): Promise<number> {
    const requestId = this.#nextRequest++;
    const answer = new Promise<LaunchAnswer | undefined>((resolve) => this.#launches.set(requestId, resolve));
    this.#kernel.send(this.#fd, encodeFrame('L', encodeLaunchRequest(requestId, request)), request.fds);
    return launchedPid(await answer);
  }

  /** The supervisor reaps every child that it has: nothing to tell. */
  succeed(): Promise<void> {
    return Promise.resolve();
  }

  async #read(): Promise<void> {
    for (let frame = await this.#channel.next(); frame !== undefined; frame = await this.#channel.next()) {
      if (frame.type === 'P') {
        const answer = decodeLaunchAnswer(frame.payload);
        this.#launches.get(answer.requestId)?.(answer);
        this.#launches.delete(answer.requestId);
      } else if (frame.type === 'D') {
        const reader = new PayloadReader(frame.payload);
        this.emit('died', { pid: reader.u32(), startTime: reader.u64(), waitStatus: reader.i32() });
      } else if (frame.type === 'C') {
        this.emit('connection', frame.payload.toString());
      }
    }
    for (const resolve of this.#launches.values()) resolve(undefined);
    this.#launches.clear();
    this.emit('lost');
  }
}

/** The pid of a launch answer; a refused or lost launch is an error. */
export function launchedPid(answer: LaunchAnswer | undefined): number {
  if (answer === undefined)
    throw new TurfError('TURF_ERR_LAUNCH', 'the launcher went away before it cloned the container');
  if (answer.result > 0) return answer.result;
  const cause: KernelError = kernelError(answer.step, -answer.result);
  throw new TurfError('TURF_ERR_LAUNCH', cause.message, { operation: answer.step, cause });
}

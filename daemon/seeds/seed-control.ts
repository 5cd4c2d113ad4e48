import { closeSync, readlinkSync } from 'node:fs';
import { TurfError } from '../../cli/turf-error.js';
import { type Kernel, KernelError } from '../../native-shim/kernel.js';
import { encodeFrame, FrameChannel } from '../channel/frame-channel.js';
import { PayloadWriter } from '../channel/payload.js';
import { openProcess } from '../containers/process-facts.js';
import { connectIfListening } from '../containers/start-connection.js';
import { planError, read, SyncChannel } from '../containers/sync.js';
import { Socket } from 'node:net';

/** What a seed answers while it is not trusted: small frames only. */
const FRAME_LIMIT = 4096;

/** What a seed tells once it has parked. */
export interface Parked {
  /** Pages that its clones find ready, learnt in a rehearsal; 0: none, they only take longer. */
  readonly warmPages: number;
}

/**
 * Asks a seed whether it has parked (docs/protocol.md, "Seed control connection"); the answer comes once it has.
 *
 * @param path its `control.sock`
 * @param abandoned aborts when waiting has no sense any more
 * @returns undefined where the seed went away, or nobody waits any more
 */
export async function seedParks(
  kernel: Kernel,
  path: string,
  abandoned: AbortSignal,
): Promise<Parked | undefined> {
  const socket = connectIfListening(kernel, path);
  if (socket === undefined) return undefined;
  const channel = new FrameChannel(socket, FRAME_LIMIT);
  const give = (): void => channel.destroy();
  abandoned.addEventListener('abort', give, { once: true });
  try {
    await channel.send('?');
    const frame = await channel.next();
    if (frame?.type !== 'K') return undefined;
    return { warmPages: read(frame.payload, (reader) => reader.u32()) };
  } finally {
    abandoned.removeEventListener('abort', give);
    channel.destroy();
  }
}

/** A clone that is being made: what it is to become follows in `become`, once the seed has answered. */
export class CloneRequest {
  readonly #fd: number;
  readonly #kernel: Kernel;
  /** The channel to the clone; closing it ends a clone that has not become a worker. */
  readonly sync: SyncChannel;

  /**
   * Asks a seed to clone itself. The answer need not be waited for: the daemon prepares meanwhile.
   *
   * @param path `control.sock` of the seed
   * @param unshareFlags CLONE_NEW* that the clone is born into
   * @throws TurfError TURF_ERR_SEED where the seed takes no requests
   */
  constructor(kernel: Kernel, path: string, unshareFlags: number) {
    this.#kernel = kernel;
    this.#fd = connectOrRefuse(kernel, path);
    this.sync = new SyncChannel(new Socket({ fd: this.#fd, readable: true, writable: true }));
    const payload = new PayloadWriter().u32(unshareFlags).finish();
    if (this.#send('F', payload, [])) return;
    this.sync.close();
    throw goneAway();
  }

  /**
   * The clone's pid as the seed says it: not to be trusted.
   *
   * @throws TurfError TURF_ERR_SEED where the seed is gone or refuses
   */
  async pid(): Promise<number> {
    const frame = await this.sync.next();
    if (frame?.type === 'E') throw planError(frame.payload, []);
    if (frame?.type !== 'P') throw goneAway();
    return read(frame.payload, (reader) => reader.i32());
  }

  /** Sends a plan that does not make the clone a worker yet; `ahead` answers. @param fds the plan's own, in its order */
  prepare(planFd: number, fds: readonly number[]): void {
    this.#send('A', undefined, [planFd, ...fds]);
  }

  /**
   * Waits until the clone has done the plan of `prepare`, and waits itself for the next.
   *
   * @throws TurfError as SyncChannel.untilReady
   */
  ahead(labels: readonly string[], onSync: () => Promise<string>): Promise<void> {
    return this.sync.untilReady(labels, onSync, 'R');
  }

  /** Sends the clone its last plan; `pid` says so where there is no clone to receive it. @param info JSON for its JavaScript */
  become(info: string, planFd: number, fds: readonly number[]): void {
    this.#send('L', new PayloadWriter().str(info).finish(), [planFd, ...fds]);
  }

  /** The same for a clone that becomes a seed itself. */
  becomeSeed(info: string, planFd: number, fds: readonly number[]): void {
    this.#send('N', new PayloadWriter().str(info).finish(), [planFd, ...fds]);
  }

  /** @returns false where the other end has been closed */
  #send(type: string, payload: Buffer | undefined, fds: readonly number[]): boolean {
    try {
      this.#kernel.send(this.#fd, encodeFrame(type, payload), fds);
      return true;
    } catch (error) {
      if (error instanceof KernelError && (error.code === 'EPIPE' || error.code === 'ECONNRESET'))
        return false;
      throw error;
    }
  }
}

function goneAway(): TurfError {
  return new TurfError('TURF_ERR_SEED', 'the seed went away before it cloned itself');
}

function connectOrRefuse(kernel: Kernel, path: string): number {
  try {
    return kernel.connectUnix(path);
  } catch (cause) {
    throw new TurfError('TURF_ERR_SEED', 'the seed does not take requests', { cause });
  }
}

/**
 * Opens the clone that a seed names, and checks that it is one: a seed that runs hostile code may name any process. What passes
 * lives in the seed's own user namespace and is nobody else's first process, so that only the seed's own tenant is at stake.
 *
 * @param taken whether a process is a container's first process already
 * @returns a pidfd that the caller owns, and the start time
 * @throws TurfError TURF_ERR_SEED
 */
export function openClone(
  kernel: Kernel,
  pid: number,
  seedPid: number,
  taken: (pid: number, startTime: bigint) => boolean,
): { pidfd: number; startTime: bigint } | undefined {
  if (pid <= 1 || pid === seedPid)
    throw new TurfError('TURF_ERR_SEED', `the seed names process ${pid} as its clone`);
  const opened = openProcess(kernel, pid);
  if (opened === undefined) return undefined;
  const { pidfd, facts } = opened;
  // The process behind the pidfd cannot change any more: what is read of the pid now is its own while it lives.
  const users = userNamespace(pid);
  if (users !== undefined && users === userNamespace(seedPid) && !taken(pid, facts.startTime))
    return { pidfd, startTime: facts.startTime };
  closeSync(pidfd);
  if (users === undefined) return undefined;
  throw new TurfError('TURF_ERR_SEED', `process ${pid} is not a clone of the seed`);
}

/** undefined where the process has gone. */
function userNamespace(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/user`);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ESRCH') return undefined;
    throw error;
  }
}

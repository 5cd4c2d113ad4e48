import { closeSync, readlinkSync } from 'node:fs';
import { TurfError } from '../../cli/turf-error.js';
import { type Kernel } from '../../native-shim/kernel.js';
import { encodeFrame, FrameChannel } from '../channel/frame-channel.js';
import { PayloadReader, PayloadWriter } from '../channel/payload.js';
import { openProcess } from '../containers/process-facts.js';
import { connectIfListening } from '../containers/start-connection.js';
import { SyncChannel, planError } from '../containers/sync.js';
import { Socket } from 'node:net';

/** What a seed answers while it is not trusted: small frames only. */
const FRAME_LIMIT = 4096;

/**
 * Asks a seed whether it has parked (docs/protocol.md, "Seed control connection"); the answer comes once it has.
 *
 * @param path its `control.sock`
 * @param abandoned aborts when waiting has no sense any more
 * @returns false where the seed went away, or nobody waits any more
 */
export async function seedParks(kernel: Kernel, path: string, abandoned: AbortSignal): Promise<boolean> {
  const socket = connectIfListening(kernel, path);
  if (socket === undefined) return false;
  const channel = new FrameChannel(socket, FRAME_LIMIT);
  const give = (): void => channel.destroy();
  abandoned.addEventListener('abort', give, { once: true });
  try {
    await channel.send('?');
    return (await channel.next())?.type === 'K';
  } finally {
    abandoned.removeEventListener('abort', give);
    channel.destroy();
  }
}

export interface CloneRequest {
  /** `control.sock` of the seed. */
  readonly path: string;
  /** CLONE_NEW* that the clone is born into. */
  readonly unshareFlags: number;
  readonly planFd: number;
  /** Descriptors of the plan, in its order. */
  readonly fds: readonly number[];
  /** JSON for the clone's JavaScript. */
  readonly info: string;
  /** Aborts when the seed has had its time: the connection closes. */
  readonly expired: AbortSignal;
}

/** A clone that a seed says it has made: its pid, unchecked, and the channel to it. */
export interface Clone {
  readonly pid: number;
  readonly sync: SyncChannel;
}

/**
 * Has a seed clone itself.
 *
 * @throws TurfError TURF_ERR_SEED where the seed is gone or refuses
 */
export async function requestClone(kernel: Kernel, request: CloneRequest): Promise<Clone> {
  const fd = connectOrRefuse(kernel, request.path);
  const sync = new SyncChannel(new Socket({ fd, readable: true, writable: true }));
  request.expired.addEventListener('abort', () => sync.close(), { once: true });
  try {
    const payload = new PayloadWriter()
      .u32(request.unshareFlags)
      .u32(request.fds.length + 1)
      .str(request.info)
      .finish();
    kernel.send(fd, encodeFrame('F', payload), [request.planFd, ...request.fds]);
    const frame = await sync.next();
    if (frame?.type === 'E') throw planError(frame.payload, []);
    if (frame?.type !== 'P')
      throw new TurfError('TURF_ERR_SEED', 'the seed went away before it cloned itself');
    return { pid: new PayloadReader(frame.payload).i32(), sync };
  } catch (error) {
    sync.close();
    throw error;
  }
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

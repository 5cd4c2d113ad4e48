import { closeSync } from 'node:fs';
import { type Socket } from 'node:net';
import { type Launcher, type LaunchRequest } from '../../cli/operations.js';
import { TurfError } from '../../cli/turf-error.js';
import { type Kernel, KernelError } from '../../native-shim/kernel.js';
import { splitVariable } from '../environment.js';
import { encodeFrame, type Frame, FrameChannel } from './frame-channel.js';
import { decodeLaunchAnswer, encodeLaunchRequest, type LaunchAnswer } from './launch-request.js';
import { PayloadReader, PayloadWriter } from './payload.js';
import { launchedPid } from './supervisor-link.js';

const PROTOCOL_VERSION = 1;

/** What the thin client sends first: docs/protocol.md, `R`. */
export interface ClientRequest {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly tty: { readonly stdin: boolean; readonly stdout: boolean; readonly stderr: boolean };
  readonly rows: number;
  readonly columns: number;
  readonly umask: number;
}

/**
 * One connection of the thin client. The daemon answers with output, and may ask it to clone the container's first process,
 * which so descends from whoever called `turf`.
 */
export class ClientSession implements Launcher {
  readonly #socket: Socket;
  readonly #kernel: Kernel;
  readonly #channel: FrameChannel;
  readonly #gone = new AbortController();
  #nextRequest = 1;
  #lastRequest = 0;
  #answer: ((frame: Frame | undefined) => void) | undefined;
  #stdin: { chunks: Uint8Array[]; resolve: (data: Uint8Array) => void } | undefined;

  /** @param socket an accepted connection of the client socket */
  constructor(socket: Socket, kernel: Kernel) {
    this.#socket = socket;
    this.#kernel = kernel;
    this.#channel = new FrameChannel(socket);
  }

  /** Aborts when the client goes away or is interrupted. */
  get signal(): AbortSignal {
    return this.#gone.signal;
  }

  /** Reads the request; undefined where the client left without one. */
  async request(): Promise<ClientRequest | undefined> {
    const frame = await this.#channel.next();
    if (frame?.type !== 'R') return undefined;
    const request = decodeRequest(frame.payload);
    void this.#serve();
    return request;
  }

  async write(stream: 'stdout' | 'stderr', data: string | Uint8Array): Promise<void> {
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    // Frames have a limit, and a large one would hold up every other on the connection.
    for (let at = 0; at < bytes.length; at += 1 << 16) {
      await this.#channel.send(stream === 'stdout' ? 'O' : 'E', bytes.subarray(at, at + (1 << 16)));
    }
  }

  async launch(request: LaunchRequest): Promise<number> {
    const requestId = this.#nextRequest++;
    this.#lastRequest = requestId;
    await this.#channel.flushed();
    const frame = await this.#ask(encodeFrame('L', encodeLaunchRequest(requestId, request)), request.fds);
    const decoded: LaunchAnswer | undefined =
      frame?.type === 'P' ? decodeLaunchAnswer(frame.payload) : undefined;
    return launchedPid(decoded);
  }

  async succeed(pid: number): Promise<void> {
    await this.#channel.send('C', new PayloadWriter().u32(this.#lastRequest).u32(pid).finish());
  }

  /**
   * Has the client wait for the process it launched last, forwarding signals to it.
   *
   * @param consoleFd socket on which the console master arrives; owned by the callee
   * @returns the wait status, as waitpid(2) gives it
   */
  async foreground(consoleFd: number | undefined): Promise<number> {
    const payload = new PayloadWriter()
      .u32(this.#lastRequest)
      .u32(consoleFd === undefined ? 0 : 1)
      .finish();
    let answer: Promise<Frame | undefined>;
    try {
      await this.#channel.flushed();
      answer = this.#ask(encodeFrame('F', payload), consoleFd === undefined ? [] : [consoleFd]);
    } finally {
      if (consoleFd !== undefined) closeSync(consoleFd);
    }
    const frame = await answer;
    if (frame?.type !== 'W')
      throw new TurfError('TURF_ERR_UNAVAILABLE', 'the client went away while its container ran');
    const reader = new PayloadReader(frame.payload);
    reader.u32();
    return reader.i32();
  }

  /** Everything on the client's standard input. */
  async readStdin(): Promise<Uint8Array> {
    if (this.#channel.ended) return new Uint8Array();
    const data = new Promise<Uint8Array>((resolve) => (this.#stdin = { chunks: [], resolve }));
    await this.#channel.send('i');
    return data;
  }

  /** Ends the session without an answer. */
  destroy(): void {
    this.#channel.destroy();
  }

  /** Ends the session with the exit code of the command. */
  async exit(code: number): Promise<void> {
    await this.#channel.send('X', new PayloadWriter().u32(code).finish());
    this.#channel.close();
  }

  /** Sends a frame with descriptors, at once; resolves to the answer, or undefined where the client goes or has gone. */
  #ask(frame: Buffer, fds: readonly number[]): Promise<Frame | undefined> {
    // The number of a closed descriptor may be somebody else's by now.
    if (this.#channel.ended || this.#socket.destroyed) return Promise.resolve(undefined);
    const answer = new Promise<Frame | undefined>((resolve) => (this.#answer = resolve));
    try {
      this.#kernel.send(socketDescriptor(this.#socket), frame, fds);
    } catch (error) {
      if (!(error instanceof KernelError)) throw error;
      return Promise.resolve(undefined);
    }
    return answer;
  }

  async #serve(): Promise<void> {
    for (let frame = await this.#channel.next(); frame !== undefined; frame = await this.#channel.next()) {
      if (frame.type === 'P' || frame.type === 'W') this.#answer?.(frame);
      else if (frame.type === 'I') this.#acceptStdin(frame.payload);
      else if (frame.type === 'S') this.#gone.abort();
    }
    this.#gone.abort();
    this.#answer?.(undefined);
    this.#finishStdin();
  }

  #acceptStdin(data: Buffer): void {
    if (data.length === 0) this.#finishStdin();
    else this.#stdin?.chunks.push(data);
  }

  #finishStdin(): void {
    this.#stdin?.resolve(Buffer.concat(this.#stdin.chunks));
    this.#stdin = undefined;
  }
}

function decodeRequest(payload: Buffer): ClientRequest {
  const reader = new PayloadReader(payload);
  const version = reader.u32();
  if (version !== PROTOCOL_VERSION) {
    throw new TurfError(
      'TURF_ERR_UNAVAILABLE',
      `the client speaks protocol ${version}, the daemon ${PROTOCOL_VERSION}`,
    );
  }
  const argv = reader.strings();
  const cwd = reader.str();
  const env = Object.fromEntries(reader.strings().map(splitVariable));
  const bits = reader.u32();
  return {
    argv,
    cwd,
    env,
    tty: { stdin: (bits & 1) !== 0, stdout: (bits & 2) !== 0, stderr: (bits & 4) !== 0 },
    rows: reader.u32(),
    columns: reader.u32(),
    umask: reader.u32(),
  };
}

/** The descriptor of a socket that Node accepted, which its types do not show but sending descriptors needs. */
export function socketDescriptor(socket: Socket): number {
  const handle: unknown = Reflect.get(socket, '_handle');
  const fd: unknown = typeof handle === 'object' && handle !== null ? Reflect.get(handle, 'fd') : undefined;
  if (typeof fd !== 'number' || fd < 0) throw new Error('the socket has no descriptor');
  return fd;
}

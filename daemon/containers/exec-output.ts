import { closeSync } from 'node:fs';
import { constants } from 'node:os';
import { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { type ExecOutput, type ExecOutputOptions } from '../../cli/exec.js';
import { type ProcessEnd, type SupervisorLink } from '../channel/supervisor-link.js';
import { type Machine } from '../machine.js';
import { type Container } from './container.js';
import { execInContainer } from './exec.js';
import { openProcess, signalProcess } from './process-facts.js';
import { decodeWaitStatus } from './wait-status.js';

/** How long output is read on when the program has ended: what it left running may hold the pipes for ever. */
const DRAIN_MS = 500;

/**
 * Runs a program in a container, and reads what it writes.
 *
 * @param signal kills the program
 * @throws TurfError as execInContainer, before anything is yielded
 */
export async function* execWithOutput(
  machine: Machine,
  container: Container,
  { stdin, ...options }: ExecOutputOptions,
  signal?: AbortSignal,
): AsyncGenerator<ExecOutput> {
  const { kernel } = machine;
  const ends = new ChildEnds(machine.supervisor);
  const [theirInput, ourInput] = kernel.pipe();
  const [ourOutput, theirOutput] = kernel.pipe();
  const [ourErrors, theirErrors] = kernel.pipe();
  const input = new Socket({ fd: ourInput, readable: false, writable: true });
  const output = new Socket({ fd: ourOutput, readable: true, writable: false });
  const errors = new Socket({ fd: ourErrors, readable: true, writable: false });
  // A program need not read its input.
  input.on('error', () => undefined);
  let pidfd: number | undefined;
  try {
    let pid: number;
    try {
      ({ pid } = await execInContainer(machine, container, options, [theirInput, theirOutput, theirErrors]));
    } finally {
      for (const fd of [theirInput, theirOutput, theirErrors]) closeSync(fd);
    }
    pidfd = openProcess(kernel, pid)?.pidfd;
    const kill = (): void => {
      // Reaped already, where the news of its end is still on the way.
      if (pidfd !== undefined && !ends.has(pid)) signalProcess(kernel, pidfd, constants.signals.SIGKILL);
    };
    if (signal?.aborted === true) kill();
    signal?.addEventListener('abort', kill, { once: true });
    try {
      input.end(stdin ?? '');
      yield { type: 'started', pid };
      yield* merged({ stdout: output, stderr: errors }, ends.of(pid));
      yield { type: 'ended', ...decodeWaitStatus(await ends.of(pid)) };
    } finally {
      signal?.removeEventListener('abort', kill);
      // Whoever listened has left.
      kill();
    }
  } finally {
    ends.stop();
    for (const socket of [input, output, errors]) socket.destroy();
    if (pidfd !== undefined) closeSync(pidfd);
  }
}

/** What both streams give, as it comes, at the pace of the reader. */
async function* merged(
  streams: Readonly<Record<'stdout' | 'stderr', Socket>>,
  ended: Promise<unknown>,
): AsyncGenerator<ExecOutput> {
  const names = ['stdout', 'stderr'] as const;
  const iterators = { stdout: chunks(streams.stdout), stderr: chunks(streams.stderr) };
  const next = (stream: (typeof names)[number]) =>
    iterators[stream].next().then((result) => ({ stream, result }));
  const pending = new Map(names.map((stream) => [stream, next(stream)]));
  const drained = ended.then(() => delay(DRAIN_MS, undefined, { ref: false }));
  while (pending.size > 0) {
    const first = await Promise.race([...pending.values(), drained]);
    if (first === undefined) return;
    const { stream, result } = first;
    if (result.done === true) pending.delete(stream);
    else {
      yield { type: 'output', stream, data: result.value };
      pending.set(stream, next(stream));
    }
  }
}

async function* chunks(socket: Socket): AsyncGenerator<Buffer, undefined> {
  for await (const chunk of socket) yield chunk as Buffer;
  return undefined;
}

/** How children of the supervisor end, from before their numbers are known. */
class ChildEnds {
  readonly #supervisor: SupervisorLink;
  readonly #seen = new Map<number, number>();
  readonly #waiting = new Map<number, (status: number) => void>();
  readonly #hear = ({ pid, waitStatus }: ProcessEnd): void => {
    this.#seen.set(pid, waitStatus);
    this.#waiting.get(pid)?.(waitStatus);
  };

  constructor(supervisor: SupervisorLink) {
    this.#supervisor = supervisor;
    supervisor.on('died', this.#hear);
  }

  has(pid: number): boolean {
    return this.#seen.has(pid);
  }

  /** The wait status of that child, once it has ended. */
  of(pid: number): Promise<number> {
    const status = this.#seen.get(pid);
    if (status !== undefined) return Promise.resolve(status);
    return new Promise((resolve) => {
      const others = this.#waiting.get(pid);
      this.#waiting.set(pid, (late) => {
        others?.(late);
        resolve(late);
      });
    });
  }

  stop(): void {
    this.#supervisor.off('died', this.#hear);
  }
}

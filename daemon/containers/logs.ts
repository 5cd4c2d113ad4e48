import { createReadStream, existsSync, readFileSync, statSync, watch } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { type LogChunk, type LogsOptions } from '../../cli/operations.js';
import { TurfError } from '../../cli/turf-error.js';
import { type Machine } from '../machine.js';
import { type Container } from './container.js';

const STREAMS = ['stdout', 'stderr'] as const;
const NEWLINE = 0x0a;
/** inotify(7) may coalesce or, on some file systems, miss writes: how often a follower looks by itself. */
const LOOK_MS = 500;

/**
 * What a container wrote, first all of stdout, then all of stderr, then, if asked for, what it writes until it ends.
 *
 * @throws TurfError TURF_ERR_STATE for a container whose output went to its caller
 */
export async function* readLogs(
  machine: Machine,
  container: Container,
  options: LogsOptions,
): AsyncGenerator<LogChunk> {
  if (!container.facts.logs) {
    throw new TurfError('TURF_ERR_STATE', `the output of ${container.id} went to whoever created it`);
  }
  const offsets = new Map<string, number>();
  for (const stream of STREAMS) {
    const path = machine.store.logPath(container.id, stream);
    const data = existsSync(path) ? readFileSync(path) : Buffer.alloc(0);
    offsets.set(stream, data.length);
    const shown = options.tail === undefined ? data : lastLines(data, options.tail);
    if (shown.length > 0) yield { stream, data: shown };
  }
  if (options.follow === true) yield* follow(machine, container, offsets, options.signal);
}

/** The last `count` lines; a final newline ends a line and starts none. */
export function lastLines(data: Buffer, count: number): Buffer {
  if (count === 0) return Buffer.alloc(0);
  let at = data.length;
  if (data[at - 1] === NEWLINE) at--;
  for (let line = 0; line < count; line++) {
    at = data.lastIndexOf(NEWLINE, at - 1);
    if (at <= 0) return at === 0 && line === count - 1 ? data.subarray(1) : data;
  }
  return data.subarray(at + 1);
}

async function* follow(
  machine: Machine,
  container: Container,
  offsets: Map<string, number>,
  signal: AbortSignal | undefined,
): AsyncGenerator<LogChunk> {
  const state = { ended: false };
  let wake: () => void = () => undefined;
  void container.whenStopped().then(() => {
    state.ended = true;
    wake();
  });
  const watcher = watch(machine.store.path(container.id), () => wake());
  watcher.on('error', () => wake());
  try {
    while (signal?.aborted !== true) {
      const last = state.ended;
      for (const stream of STREAMS) {
        const chunk = await readFrom(machine.store.logPath(container.id, stream), offsets.get(stream) ?? 0);
        if (chunk.length === 0) continue;
        offsets.set(stream, (offsets.get(stream) ?? 0) + chunk.length);
        yield { stream, data: chunk };
      }
      if (last) return;
      const woken = new Promise<void>((resolve) => (wake = resolve));
      await Promise.race([woken, delay(LOOK_MS)]);
    }
  } finally {
    watcher.close();
  }
}

async function readFrom(path: string, offset: number): Promise<Buffer> {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size <= offset) return Buffer.alloc(0);
  const parts: Buffer[] = [];
  for await (const part of createReadStream(path, { start: offset, end: size - 1 }))
    parts.push(part as Buffer);
  return Buffer.concat(parts);
}

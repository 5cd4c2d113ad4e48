import { closeSync, createReadStream, fstatSync, openSync, readSync, statSync, watch } from 'node:fs';
import { open } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { type LogChunk, type LogsOptions } from '../../cli/operations.js';
import { TurfError } from '../../cli/turf-error.js';
import { type StateStore } from './state-store.js';
import { type Container } from './container.js';

const STREAMS = ['stdout', 'stderr'] as const;
const NEWLINE = 0x0a;
const BLOCK_BYTES = 64 << 10;
/** inotify(7) may coalesce or, on some file systems, miss writes: how often a follower looks by itself. */
const LOOK_MS = 500;

/**
 * Standard streams of a process whose output no caller holds: it goes to its log files.
 *
 * @param own takes each descriptor over
 */
export function logStdio(
  store: StateStore,
  id: string,
  own: (fd: number) => number,
): [stdin: number, stdout: number, stderr: number] {
  return [
    own(openSync('/dev/null', 'r')),
    own(store.openLog(id, 'stdout')),
    own(store.openLog(id, 'stderr')),
  ];
}

/**
 * What a container wrote, first all of stdout, then all of stderr, then, if asked for, what it writes until it ends. Read as it is
 * asked for: a log may be larger than memory.
 *
 * @throws TurfError TURF_ERR_STATE for a container whose output went to its caller
 */
export async function* readLogs(
  store: StateStore,
  container: Container,
  options: LogsOptions,
): AsyncGenerator<LogChunk, void> {
  if (!container.facts.logs) {
    throw new TurfError('TURF_ERR_STATE', `the output of ${container.id} went to whoever created it`);
  }
  const offsets = new Map<string, number>();
  for (const stream of STREAMS) {
    const path = store.logPath(container.id, stream);
    const size = sizeOf(path);
    offsets.set(stream, size);
    const start = options.tail === undefined || size === 0 ? 0 : await tailOffset(path, size, options.tail);
    for await (const data of readRange(path, start, size)) yield { stream, data };
  }
  if (options.follow === true) yield* follow(store, container, offsets, options.signal);
}

/** Where the last `count` lines of a file's first `size` bytes start; a final newline ends a line and starts none. */
export async function tailOffset(path: string, size: number, count: number): Promise<number> {
  if (count === 0) return size;
  const file = await open(path, 'r');
  try {
    const block = Buffer.alloc(BLOCK_BYTES);
    let left = count;
    for (let end = size - 1; end > 0;) {
      const start = Math.max(0, end - BLOCK_BYTES);
      const { bytesRead } = await file.read(block, 0, end - start, start);
      const data = block.subarray(0, bytesRead);
      for (
        let at = data.lastIndexOf(NEWLINE);
        at >= 0;
        at = at === 0 ? -1 : data.lastIndexOf(NEWLINE, at - 1)
      )
        if (--left === 0) return start + at + 1;
      end = start;
    }
    return 0;
  } finally {
    await file.close();
  }
}

/** The last `bytes` of a log, however long it is. */
export function readEnd(path: string, bytes: number): string {
  const fd = openSync(path, 'r');
  try {
    const { size } = fstatSync(fd);
    const block = Buffer.alloc(Math.min(size, bytes));
    return block.toString('utf8', 0, readSync(fd, block, 0, block.length, size - block.length));
  } finally {
    closeSync(fd);
  }
}

async function* follow(
  store: StateStore,
  container: Container,
  offsets: Map<string, number>,
  signal: AbortSignal | undefined,
): AsyncGenerator<LogChunk, void> {
  const state = { ended: false };
  let wake: () => void = () => undefined;
  const forget = container.onStopped(() => {
    state.ended = true;
    wake();
  });
  const stop = watchDirectory(store.path(container.id), () => wake());
  const aborted = (): void => wake();
  signal?.addEventListener('abort', aborted);
  try {
    while (signal?.aborted !== true) {
      const woken = new Promise<void>((resolve) => (wake = resolve));
      const last = state.ended;
      for (const stream of STREAMS) {
        const path = store.logPath(container.id, stream);
        const size = sizeOf(path);
        for await (const data of readRange(path, offsets.get(stream) ?? 0, size)) yield { stream, data };
        offsets.set(stream, Math.max(size, offsets.get(stream) ?? 0));
      }
      if (last) return;
      await Promise.race([woken, delay(LOOK_MS)]);
    }
  } finally {
    signal?.removeEventListener('abort', aborted);
    forget();
    stop();
  }
}

/** Returns how to stop; a directory that has gone already is none to watch. */
function watchDirectory(path: string, changed: () => void): () => void {
  try {
    const watcher = watch(path, changed);
    watcher.on('error', changed);
    return () => watcher.close();
  } catch (error) {
    if (isMissing(error)) return () => undefined;
    throw error;
  }
}

/** A log that is deleted meanwhile ends there. */
async function* readRange(path: string, start: number, end: number): AsyncGenerator<Buffer, void> {
  if (end <= start) return;
  try {
    for await (const part of createReadStream(path, { start, end: end - 1 })) yield part as Buffer;
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

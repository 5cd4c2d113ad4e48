import { appendFileSync, mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { LogChunk, LogsOptions } from '../../../../cli/operations.js';
import { type Container } from '../../../../daemon/containers/container.js';
import { readEnd, readLogs, tailOffset } from '../../../../daemon/containers/logs.js';
import { StateStore } from '../../../../daemon/containers/state-store.js';
import { someContainer } from './some-container.js';

function logged(t: Test, stdout: string, stderr: string): { store: StateStore; container: Container } {
  const store = new StateStore(t.testdir());
  const container = someContainer({ logs: true });
  mkdirSync(store.path(container.id));
  writeFileSync(store.logPath(container.id, 'stdout'), stdout);
  writeFileSync(store.logPath(container.id, 'stderr'), stderr);
  return { store, container };
}

async function collect(store: StateStore, container: Container, options: LogsOptions): Promise<string[]> {
  const chunks: string[] = [];
  for await (const { stream, data } of readLogs(store, container, options))
    chunks.push(`${stream}: ${Buffer.from(data).toString()}`);
  return chunks;
}

async function next(stream: AsyncGenerator<LogChunk, void>): Promise<string | undefined> {
  const result = await stream.next();
  return result.done === true ? undefined : Buffer.from(result.value.data).toString();
}

/** The same by definition: split, keep the last, join. */
function byDefinition(text: string, count: number): string {
  const lines = text.split(/(?<=\n)/).filter((line) => line !== '');
  return count === 0 ? '' : lines.slice(-count).join('');
}

void t.test('the last lines are what split and join give', async (t) => {
  const dir = t.testdir();
  const file = join(dir, 'log');
  const words = [
    '',
    'a',
    '\n',
    '\n\n',
    'b\n',
    'line\n',
    'x'.repeat(70_000),
    `${'y'.repeat(65_535)}\n`,
    `${'z'.repeat(65_536)}\n`,
  ];
  let seed = 1;
  const next = (bound: number): number => (seed = (seed * 48_271) % 0x7fffffff) % bound;
  for (let round = 0; round < 300; round++) {
    const text = Array.from({ length: next(8) }, () => words[next(words.length)] ?? '').join('');
    writeFileSync(file, text);
    for (const count of [0, 1, 2, 3, 7, 100]) {
      const found = text.slice(await tailOffset(file, text.length, count));
      if (found !== byDefinition(text, count))
        t.fail(`${count} lines of ${JSON.stringify(text).slice(0, 100)}`);
    }
  }
});

void t.test('the end of a log is read alone', (t) => {
  const file = join(t.testdir({ log: '' }), 'log');
  t.equal(readEnd(file, 3), '');
  writeFileSync(file, '12345');
  t.equal(readEnd(file, 3), '345');
  t.equal(readEnd(file, 10), '12345');
  truncateSync(file, 5 * 2 ** 30);
  t.equal(readEnd(file, 2), '\0\0', 'a sparse file that no buffer could hold');
  t.end();
});

void t.test('stdout first, then stderr; a tail of each', async (t) => {
  const { store, container } = logged(t, '1\n2\n3', 'e1\ne2\n');
  t.strictSame(await collect(store, container, {}), ['stdout: 1\n2\n3', 'stderr: e1\ne2\n']);
  t.strictSame(await collect(store, container, { tail: 2 }), ['stdout: 2\n3', 'stderr: e1\ne2\n']);
  t.strictSame(await collect(store, container, { tail: 0 }), []);
  rmSync(store.logPath(container.id, 'stdout'));
  t.strictSame(await collect(store, container, { tail: 1 }), ['stderr: e2\n'], 'a log that never was');
});

void t.test('output that went to the caller is not ours to show', async (t) => {
  const { store } = logged(t, '', '');
  await t.rejects(collect(store, someContainer({ logs: false }), {}), { code: 'TURF_ERR_STATE' });
});

void t.test('following shows what is written until the container ends, all of it', async (t) => {
  const { store, container } = logged(t, 'old\n', '');
  const stream = readLogs(store, container, { follow: true });
  t.equal(await next(stream), 'old\n');
  appendFileSync(store.logPath(container.id, 'stdout'), 'new\n');
  t.equal(await next(stream), 'new\n');
  appendFileSync(store.logPath(container.id, 'stderr'), 'last\n');
  container.stop({ stoppedAt: '' });
  t.equal(await next(stream), 'last\n');
  t.equal(await next(stream), undefined);
});

void t.test('following ends when nobody listens any more, or the container is deleted', async (t) => {
  const { store, container } = logged(t, '', '');
  const listener = new AbortController();
  const stream = collect(store, container, { follow: true, signal: listener.signal });
  listener.abort();
  t.strictSame(await stream, []);
  rmSync(store.path(container.id), { recursive: true });
  container.stop({ stoppedAt: '' });
  t.strictSame(await collect(store, container, { follow: true }), []);
});

import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { RestClient } from '../../../../cli/rest-client.js';
import type { LifecycleEvent } from '../../../../cli/lifecycle-event.js';
import type { LogChunk, Operations } from '../../../../cli/operations.js';
import { TurfError } from '../../../../cli/turf-error.js';
import { buildRestServer } from '../../../../daemon/rest/server.js';
import {
  execOutputs,
  fakeOperations,
  forkResult,
  lifecycleEvents,
  logChunks,
  runningState,
  seed,
  seedDetails,
  treeNodes,
  workerState,
} from '../../cli/fake-operations.js';

const execute = promisify(execFile);

async function listen(t: Test, overrides: Partial<Operations> = {}) {
  const fake = fakeOperations(overrides);
  const app = buildRestServer({ operations: fake.operations, version: '0.1.0', heartbeatMs: 5 });
  // Short: sun_path takes 107 bytes.
  const directory = await mkdtemp(join(tmpdir(), 'turf-rest-'));
  const socketPath = join(directory, 's');
  await app.listen({ path: socketPath });
  const client = new RestClient(socketPath);
  t.teardown(async () => {
    client.close();
    await app.close();
    await rm(directory, { recursive: true });
  });
  return { client, calls: fake.calls, socketPath };
}

/** Yields the events, then stays open until the subscriber has gone. */
function openEvents(gone: () => void) {
  return async function* (signal?: AbortSignal): AsyncGenerator<LifecycleEvent> {
    yield* lifecycleEvents;
    if (signal !== undefined && !signal.aborted) await once(signal, 'abort');
    gone();
  };
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

void t.test('the typed client is the operations, over a socket', async (t) => {
  const { client, calls } = await listen(t);
  t.same(await client.create({ id: 'c1', bundle: '/b' }), { id: 'c1', pid: 4242 });
  await client.start('c1');
  t.same(await client.state('c1'), runningState);
  await client.kill('c1', 'KILL', true);
  await client.delete('c1', { force: true });
  t.same(await collect(client.execOutput({ id: 'c1', args: ['x'] })), execOutputs);
  t.same(await client.list(), [runningState, workerState]);
  t.match(await client.wait('w1'), { id: 'w1', turf: { exitCode: 3 } });
  t.same(await client.seedCreate({ id: 's1', bundle: '/srv/s1' }), seed);
  t.same(await client.seedList(), [seed]);
  t.same(await client.seedInspect('s1'), seedDetails);
  t.match(await client.seedRoll({ id: 's1' }), { id: 's1+2', name: 's1' });
  await client.seedRemove('s1', { force: true });
  t.same(await client.tree(), treeNodes);
  t.same(await client.fork({ seed: 's1', id: 'w1' }), forkResult);
  const answer = await client.invoke({
    id: 'w1',
    method: 'POST',
    path: '/',
    headers: [['a', 'b']],
    body: Uint8Array.of(0, 255),
  });
  t.equal(Buffer.from(answer.body).toString(), 'hello');
  t.same((await client.version()).version, '0.1.0');
  t.same((await client.check()).ok, true);
  t.same((await client.health()).status, 'ok');
  t.match(await client.features(), { ociVersionMin: '1.0.0' });
  t.same(
    calls.map(({ name }) => name),
    [
      ...[
        'create',
        'start',
        'state',
        'kill',
        'delete',
        'execOutput',
        'list',
        'wait',
        'seedCreate',
        'seedList',
      ],
      ...['seedInspect', 'seedRoll', 'seedRemove', 'tree', 'fork'],
      ...['invoke', 'version', 'check', 'health', 'features'],
    ],
  );
  t.same(calls[3]?.arguments, ['c1', 'KILL', true]);
  t.match(calls[15]?.arguments, [{ id: 'w1', headers: [['a', 'b']], body: Buffer.from([0, 255]) }]);
});

void t.test('errors arrive as the TurfError that was thrown', async (t) => {
  const { client } = await listen(t);
  await t.rejects(client.state('missing'), {
    name: 'TurfError',
    code: 'TURF_ERR_NOT_FOUND',
    message: 'container does not exist',
    operation: 'state missing',
  });
  await t.rejects(collect(client.logs('missing')), { code: 'TURF_ERR_NOT_FOUND' });
  await t.rejects(client.state('../x'), { code: 'TURF_ERR_INVALID_ID' });
  await t.rejects(client.create({ id: 'c', bundle: '/b', preserveFds: 1 }), { code: 'TURF_ERR_UNSUPPORTED' });
  const nobody = new RestClient('/nowhere/none.sock');
  await t.rejects(nobody.list(), { code: 'TURF_ERR_UNAVAILABLE' });
});

void t.test('logs keep stream, order and bytes', async (t) => {
  const { client, calls, socketPath } = await listen(t);
  const chunks = await collect(client.logs('c1', { tail: 5, follow: true }));
  t.same(
    chunks.map(({ stream, data }) => ({ stream, data: Buffer.from(data) })),
    logChunks.map(({ stream, data }) => ({ stream, data: Buffer.from(data) })),
  );
  t.match(calls.at(-1)?.arguments, ['c1', { tail: 5, follow: true }]);
  const url = 'http://localhost/v1/containers/c1/logs?stream=';
  for (const [stream, expected] of [
    ['stdout', 'out 1\n'],
    ['stderr', '\xff\0\n'],
    ['all', 'out 1\n\xff\0\n'],
  ] as const) {
    const { stdout } = await execute('curl', ['-sS', '--unix-socket', socketPath, url + stream], {
      encoding: 'latin1',
    });
    t.equal(stdout, expected, stream);
  }
});

void t.test('a log stream that breaks says why', async (t) => {
  const { client } = await listen(t, {
    async *logs(): AsyncGenerator<LogChunk> {
      yield { stream: 'stdout', data: Buffer.from('x') };
      await Promise.resolve();
      throw new TurfError('TURF_ERR_SYSTEM', 'read log: EIO');
    },
  });
  await t.rejects(collect(client.logs('c1')), { code: 'TURF_ERR_SYSTEM', message: 'read log: EIO' });
});

void t.test('events stream until the client leaves, and the subscription ends with it', async (t) => {
  let gone: () => void = () => undefined;
  const left = new Promise<void>((resolve) => (gone = resolve));
  const { client } = await listen(t, {
    events: openEvents(() => {
      gone();
    }),
  });
  const controller = new AbortController();
  const seen: LifecycleEvent[] = [];
  for await (const event of client.events(controller.signal)) {
    seen.push(event);
    if (seen.length === lifecycleEvents.length) controller.abort();
  }
  t.same(seen, lifecycleEvents);
  await left;
});

void t.test('the event stream is server-sent events with heartbeats', async (t) => {
  const { socketPath } = await listen(t, { events: openEvents(() => undefined) });
  const controller = new AbortController();
  const curl = execFile('curl', ['-sSNi', '--unix-socket', socketPath, 'http://localhost/v1/events'], {
    signal: controller.signal,
  });
  curl.once('error', () => undefined);
  const closed = once(curl, 'close').catch(() => undefined);
  let text = '';
  for await (const chunk of curl.stdout ?? []) {
    text += String(chunk);
    if (text.includes(': heartbeat\n\n')) break;
  }
  controller.abort();
  await closed;
  t.match(text, /^content-type: text\/event-stream/im);
  const [create] = lifecycleEvents;
  t.ok(text.includes(`event: create\ndata: ${JSON.stringify(create)}\n\n`));
});

void t.test('an abandoned wait aborts', async (t) => {
  let aborted: () => void = () => undefined;
  const done = new Promise<void>((resolve) => (aborted = resolve));
  const started = new AbortController();
  const { client } = await listen(t, {
    wait: (_id, signal) =>
      new Promise((_resolve, reject) => {
        signal?.addEventListener('abort', () => {
          aborted();
          reject(new TurfError('TURF_ERR_UNAVAILABLE', 'gone'));
        });
        started.abort();
      }),
  });
  const controller = new AbortController();
  const waiting = client.wait('c1', controller.signal);
  started.signal.addEventListener('abort', () => controller.abort());
  await t.rejects(waiting);
  await done;
});

import { closeSync, fstatSync, openSync } from 'node:fs';
import t, { type Test } from 'tap';
import { ClientSession } from '../../../../daemon/channel/client-session.js';
import { FrameChannel } from '../../../../daemon/channel/frame-channel.js';
import { PayloadReader, PayloadWriter } from '../../../../daemon/channel/payload.js';
import { kernel, socketPair } from './socket-pair.js';

const request = {
  cloneFlags: 0,
  flags: 0,
  preserveFds: 0,
  cgroupFd: -1,
  userNsFd: -1,
  pidNsFd: -1,
  stdinFd: -1,
  stdoutFd: -1,
  stderrFd: -1,
  fds: [0],
};

function hello(version = 1): Buffer {
  return new PayloadWriter()
    .u32(version)
    .u32(2)
    .str('list')
    .str('--quiet')
    .str('/home')
    .u32(2)
    .str('TERM=a=b')
    .str('BARE')
    .u32(5)
    .u32(24)
    .u32(80)
    .u32(0o22)
    .finish();
}

async function connected(t: Test): Promise<{ session: ClientSession; client: FrameChannel }> {
  const [near, far] = socketPair(t);
  const session = new ClientSession(near, kernel);
  const client = new FrameChannel(far);
  await client.send('R', hello());
  await session.request();
  return { session, client };
}

void t.test('the request is decoded', async (t) => {
  const [near, far] = socketPair(t);
  const session = new ClientSession(near, kernel);
  await new FrameChannel(far).send('R', hello());
  t.strictSame(await session.request(), {
    argv: ['list', '--quiet'],
    cwd: '/home',
    env: { TERM: 'a=b', BARE: '' },
    tty: { stdin: true, stdout: false, stderr: true },
    rows: 24,
    columns: 80,
    umask: 0o22,
  });
});

void t.test('another version, another first frame, a short one, none at all', async (t) => {
  for (const [type, payload] of [
    ['R', hello(2)],
    ['R', hello().subarray(0, 20)],
  ] as const) {
    const [near, far] = socketPair(t);
    const session = new ClientSession(near, kernel);
    await new FrameChannel(far).send(type, payload);
    await t.rejects(session.request());
  }
  const [near, far] = socketPair(t);
  const session = new ClientSession(near, kernel);
  await new FrameChannel(far).send('S');
  t.equal(await session.request(), undefined);
  const [gone, client] = socketPair(t);
  client.destroy();
  t.equal(await new ClientSession(gone, kernel).request(), undefined);
});

void t.test('launch resolves to the pid that the client reports', async (t) => {
  const { session, client } = await connected(t);
  const launched = session.launch(request);
  const frame = await client.next();
  t.equal(frame?.type, 'L');
  const id = new PayloadReader(frame?.payload ?? Buffer.alloc(0)).u32();
  await client.send('P', new PayloadWriter().u32(id).i32(4242).str('').finish());
  t.equal(await launched, 4242);
});

void t.test('a launch that the client refuses names step and errno', async (t) => {
  const { session, client } = await connected(t);
  const launched = session.launch(request);
  await client.next();
  await client.send('P', new PayloadWriter().u32(1).i32(-1).str('clone3').finish());
  await t.rejects(launched, { code: 'TURF_ERR_LAUNCH', message: 'clone3: operation not permitted' });
});

void t.test('a client that goes ends whatever waits for it', async (t) => {
  const { session, client } = await connected(t);
  const waiting = session.launch(request);
  client.destroy();
  await t.rejects(waiting, { code: 'TURF_ERR_LAUNCH' });
  while (!session.signal.aborted) await new Promise((resolve) => setImmediate(resolve));
  await t.rejects(session.launch(request), { code: 'TURF_ERR_LAUNCH' }, 'also later');
  t.equal((await session.readStdin()).length, 0);
  await session.write('stdout', 'nobody reads this');
});

void t.test('foreground takes the console over, also when the client has gone', async (t) => {
  const { session, client } = await connected(t);
  const open = (fd: number): boolean => {
    try {
      return fstatSync(fd).isCharacterDevice();
    } catch {
      return false;
    }
  };
  const first = openSync('/dev/null', 'r');
  const waiting = session.foreground(first);
  t.match(await client.next(), { type: 'F' });
  t.notOk(open(first));
  await client.send('W', new PayloadWriter().u32(0).i32(9).finish());
  t.equal(await waiting, 9);
  client.destroy();
  while (!session.signal.aborted) await new Promise((resolve) => setImmediate(resolve));
  const second = openSync('/dev/null', 'r');
  await t.rejects(session.foreground(second), { code: 'TURF_ERR_UNAVAILABLE' });
  if (open(second)) {
    t.fail('the console is still open');
    closeSync(second);
  }
});

void t.test('standard input up to its end; output in frames of 64 KiB; the exit code last', async (t) => {
  const { session, client } = await connected(t);
  const data = session.readStdin();
  t.match(await client.next(), { type: 'i' });
  for (const part of ['one ', 'two', '']) await client.send('I', Buffer.from(part));
  t.equal(Buffer.from(await data).toString(), 'one two');
  void session.write('stderr', Buffer.alloc(70_000, 1)).then(() => session.exit(3));
  const frames = [await client.next(), await client.next(), await client.next()];
  t.strictSame(
    frames.map((frame) => [frame?.type, frame?.payload.length]),
    [
      ['E', 65_536],
      ['E', 4464],
      ['X', 4],
    ],
  );
  t.equal(frames[2]?.payload.readUInt32LE(), 3);
  t.equal(await client.next(), undefined);
});

void t.test('a signal aborts the session', async (t) => {
  const { session, client } = await connected(t);
  const aborted = new Promise((resolve) => session.signal.addEventListener('abort', resolve));
  await client.send('S', new PayloadWriter().u32(2).finish());
  await aborted;
  t.ok(session.signal.aborted);
});

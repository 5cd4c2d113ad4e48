import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import t from 'tap';
import { encodeFrame, FrameChannel } from '../../../../daemon/channel/frame-channel.js';
import { socketPair } from './socket-pair.js';

void t.test('a frame is length, type, payload, little-endian', (t) => {
  t.strictSame([...encodeFrame('S', Buffer.from([9]))], [1, 0, 0, 0, 83, 0, 0, 0, 9]);
  t.end();
});

void t.test('frames of every awkward length arrive whole, split or merged', async (t) => {
  const lengths = [0, 1, 127, 128, 255, 256, 65_535, 65_536];
  const bytes = Buffer.concat(lengths.map((length) => encodeFrame('O', Buffer.alloc(length, length % 251))));
  for (const step of [1, 7, bytes.length]) {
    const [near, far] = socketPair(t);
    const channel = new FrameChannel(near);
    void (async () => {
      // The first frames byte by byte, the rest as large pieces of that size.
      for (let at = 0; at < bytes.length;) {
        const size = at < 600 ? step : Math.max(step, 9001);
        far.write(bytes.subarray(at, at + size));
        at += size;
        await turn();
      }
    })();
    for (const length of lengths) {
      const frame = await channel.next();
      t.equal(frame?.type, 'O');
      t.ok(frame?.payload.equals(Buffer.alloc(length, length % 251)), `${length} bytes in pieces of ${step}`);
    }
  }
});

void t.test('a frame at the limit passes, one past it ends the channel', async (t) => {
  const [near, far] = socketPair(t);
  const channel = new FrameChannel(near, 10);
  far.write(Buffer.concat([encodeFrame('a', Buffer.alloc(10)), encodeFrame('b', Buffer.alloc(11))]));
  t.equal((await channel.next())?.payload.length, 10);
  t.equal(await channel.next(), undefined);
  t.ok(channel.ended);
  t.equal(await channel.send('x'), false, 'nothing can be sent either');
});

void t.test('what came before the end can still be read; then it is undefined for ever', async (t) => {
  const [near, far] = socketPair(t);
  const channel = new FrameChannel(near);
  far.end(Buffer.concat([encodeFrame('a'), encodeFrame('b'), encodeFrame('c').subarray(0, 5)]));
  await once(near, 'close');
  t.equal((await channel.next())?.type, 'a');
  t.equal((await channel.next())?.type, 'b');
  t.equal(await channel.next(), undefined);
  t.equal(await channel.next(), undefined);
});

void t.test('everybody who waits learns of the end', async (t) => {
  const [near] = socketPair(t);
  const channel = new FrameChannel(near);
  const waiting = [channel.next(), channel.next()];
  channel.destroy();
  t.strictSame(await Promise.all(waiting), [undefined, undefined]);
});

void t.test('a peer that sends without end is not read from until somebody asks', async (t) => {
  const [near, far] = socketPair(t);
  const channel = new FrameChannel(near);
  const many = Buffer.concat(Array.from({ length: 8192 }, () => encodeFrame('S', Buffer.alloc(4))));
  let accepted = 0;
  for (let round = 0; round < 200 && accepted === round; round++) {
    far.write(many, () => accepted++);
    for (let pause = 0; pause < 50 && accepted === round; pause++) await turn();
  }
  t.ok(accepted < 20, `it waits: ${accepted} writes were taken`);
  const before = accepted;
  for (let count = 0; count < 8192 * 4; count++) if ((await channel.next())?.type !== 'S') t.fail();
  await turn();
  t.ok(accepted > before, 'reading goes on');
});

void t.test('flushed resolves when the kernel has what was queued', async (t) => {
  const [near, far] = socketPair(t);
  const channel = new FrameChannel(near, 64 << 20);
  let sent = false;
  void channel.send('O', Buffer.alloc(16 << 20)).then(() => (sent = true));
  const flushed = channel.flushed().then(() => t.ok(sent));
  far.resume();
  await flushed;
  t.equal(near.writableLength, 0);
});

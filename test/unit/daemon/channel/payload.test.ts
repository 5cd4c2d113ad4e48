import t from 'tap';
import { decodeLaunchAnswer, encodeLaunchRequest } from '../../../../daemon/channel/launch-request.js';
import { PayloadReader, PayloadWriter } from '../../../../daemon/channel/payload.js';

const LENGTHS = [0, 1, 127, 128, 255, 256, 65_535, 65_536];

void t.test('what is written is read back, at every length', (t) => {
  for (const length of LENGTHS) {
    const text = 'é'.repeat(length);
    const payload = new PayloadWriter()
      .u32(0xffffffff)
      .i32(-1)
      .u64(2n ** 64n - 1n)
      .str(text)
      .u32(7)
      .finish();
    const reader = new PayloadReader(payload);
    t.strictSame([reader.u32(), reader.i32(), reader.u64()], [0xffffffff, -1, 2n ** 64n - 1n]);
    t.equal(reader.str(), text);
    t.equal(reader.u32(), 7);
  }
  t.end();
});

void t.test('a short payload is an error at every cut, never a default', (t) => {
  const whole = new PayloadWriter().u32(2).str('ab').str('c').u64(1n).finish();
  for (let length = 0; length < whole.length; length++) {
    const reader = new PayloadReader(whole.subarray(0, length));
    t.throws(() => [reader.strings(), reader.u64()], RangeError, `${length} bytes`);
  }
  const lies = new PayloadReader(new PayloadWriter().u32(0xffffffff).finish());
  t.throws(() => lies.strings(), RangeError, 'a count of four thousand million costs nothing');
  t.end();
});

void t.test('a launch request is what docs/protocol.md says', (t) => {
  const request = {
    cloneFlags: 0x7e020000,
    flags: 2,
    preserveFds: 3,
    cgroupFd: 4,
    userNsFd: -1,
    pidNsFd: 5,
    stdinFd: -1,
    stdoutFd: 6,
    stderrFd: 7,
    fds: [10, 11, 12],
  };
  const reader = new PayloadReader(encodeLaunchRequest(9, request));
  t.strictSame([reader.u32(), reader.u64(), reader.u32(), reader.u32()], [9, 0x7e020000n, 2, 3]);
  t.strictSame(
    Array.from({ length: 6 }, () => reader.i32()),
    [4, -1, 5, -1, 6, 7],
  );
  t.equal(reader.u32(), 3);
  t.throws(() => reader.u32(), RangeError, 'and nothing else');
  t.end();
});

void t.test('a launch answer', (t) => {
  const payload = new PayloadWriter().u32(1).i32(-13).str('clone3').finish();
  t.strictSame(decodeLaunchAnswer(payload), { requestId: 1, result: -13, step: 'clone3' });
  t.throws(() => decodeLaunchAnswer(payload.subarray(0, 9)), RangeError);
  t.end();
});

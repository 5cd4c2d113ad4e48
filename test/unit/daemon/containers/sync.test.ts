import t, { type Test } from 'tap';
import { FrameChannel } from '../../../../daemon/channel/frame-channel.js';
import { PayloadWriter } from '../../../../daemon/channel/payload.js';
import { SyncChannel } from '../../../../daemon/containers/sync.js';
import { socketPair } from '../channel/socket-pair.js';

const pair = (t: Test): { sync: SyncChannel; init: FrameChannel } => {
  const [near, far] = socketPair(t);
  return { sync: new SyncChannel(near), init: new FrameChannel(far) };
};

const tag = (number: number): Buffer => new PayloadWriter().u32(number).finish();

void t.test('hellos are skipped, syncs are answered, ready ends it', async (t) => {
  const { sync, init } = pair(t);
  const tags: number[] = [];
  const ready = sync.untilReady([], (number) => {
    tags.push(number);
    return Promise.resolve('42');
  });
  await init.send('H');
  await init.send('S', tag(1));
  t.equal((await init.next())?.payload.toString('utf8', 4), '42');
  await init.send('K');
  await ready;
  t.strictSame(tags, [1]);
});

void t.test('an error names the field of the operation', async (t) => {
  const { sync, init } = pair(t);
  const error = new PayloadWriter().i32(1).u32(1).u32(11).str('mount proc on /proc').finish();
  void init.send('E', error);
  await t.rejects(
    sync.untilReady(['hostname', 'mounts[0]'], () => Promise.resolve('')),
    {
      code: 'TURF_ERR_LAUNCH',
      path: 'mounts[0]',
      message: /mounts\[0\].*mount proc on \/proc.*operation not permitted/i,
    },
  );
});

void t.test('an end, garbage, an unknown frame, a huge one', async (t) => {
  const huge = Buffer.alloc(65_537);
  for (const [type, payload] of [
    [undefined, undefined],
    ['S', Buffer.alloc(1)],
    ['E', Buffer.alloc(2)],
    ['Z', undefined],
    ['S', huge],
  ] as const) {
    const { sync, init } = pair(t);
    if (type === undefined) init.close();
    else void init.send(type, payload);
    await t.rejects(
      sync.untilReady([], () => Promise.resolve('')),
      type ?? 'end',
    );
  }
});

void t.test('a process that syncs without end is refused', async (t) => {
  const { sync, init } = pair(t);
  let answered = 0;
  const ready = sync.untilReady([], () => Promise.resolve(String(answered++)));
  for (let count = 0; count < 100; count++) void init.send('S', tag(1));
  await t.rejects(ready, { code: 'TURF_ERR_LAUNCH' });
  t.ok(answered <= 8);
});

const child = (pid: number): Buffer => new PayloadWriter().i32(pid).finish();

void t.test(
  'a program that joins: the number of its child, then the end that execve(2) brings',
  async (t) => {
    const { sync, init } = pair(t);
    const told: number[] = [];
    const executed = sync.untilExecuted([], (pid) => Promise.resolve(void told.push(pid)));
    await init.send('P', child(77));
    init.close();
    t.equal(await executed, 77);
    t.strictSame(told, [77]);
  },
);

void t.test(
  'a program that joins: an end without a child, a second child, another frame, an error',
  async (t) => {
    const failure = new PayloadWriter().i32(2).u32(0).u32(11).str('find x').finish();
    for (const [frames, expected] of [
      [[], { code: 'TURF_ERR_LAUNCH', message: /ended before it joined/ }],
      [
        [
          ['P', child(7)],
          ['P', child(8)],
        ],
        { code: 'TURF_ERR_LAUNCH', message: /unexpected frame P/ },
      ],
      [[['K', Buffer.alloc(0)]], { code: 'TURF_ERR_LAUNCH', message: /unexpected frame K/ }],
      [
        [
          ['P', child(7)],
          ['E', failure],
        ],
        { code: 'TURF_ERR_LAUNCH', path: 'process.args[0]' },
      ],
    ] as const) {
      const { sync, init } = pair(t);
      const executed = sync.untilExecuted(['process.args[0]'], () => Promise.resolve());
      for (const [type, payload] of frames) void init.send(type, payload);
      init.close();
      await t.rejects(executed, expected);
    }
  },
);

void t.test(
  'a program that takes the place of turf-init: syncs are answered, its start ends it',
  async (t) => {
    const { sync, init } = pair(t);
    const tags: number[] = [];
    const replaced = sync.untilReplaced(['criu'], (number) => {
      tags.push(number);
      return Promise.resolve('');
    });
    await init.send('S', tag(1));
    t.equal((await init.next())?.type, 'G');
    init.close();
    await replaced;
    t.strictSame(tags, [1]);
  },
);

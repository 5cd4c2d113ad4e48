import t from 'tap';
import { KeyedLock } from '../../../../daemon/containers/lock.js';

void t.test(
  'calls of one key run one after the other, in order, also after a failure; other keys do not wait',
  async (t) => {
    const lock = new KeyedLock();
    const log: string[] = [];
    let open = (): void => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    const first = lock.run('a', async () => {
      log.push('a1');
      await gate;
      log.push('a1 ends');
      throw new Error('on purpose');
    });
    const second = lock.run('a', () => Promise.resolve(log.push('a2')));
    const third = lock.run('a', () => Promise.resolve(log.push('a3')));
    await lock.run('b', () => Promise.resolve(log.push('b')));
    t.strictSame(log, ['a1', 'b']);
    open();
    await t.rejects(first, { message: 'on purpose' });
    await Promise.all([second, third]);
    t.strictSame(log, ['a1', 'b', 'a1 ends', 'a2', 'a3']);
    t.equal(await lock.run('a', () => Promise.resolve(7)), 7, 'the result passes through');
  },
);

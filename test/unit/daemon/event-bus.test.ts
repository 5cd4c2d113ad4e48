import t from 'tap';
import { abortable } from '../../../daemon/abortable.js';
import { EventBus } from '../../../daemon/event-bus.js';

void t.test(
  'a stream has the events since it was asked for the first, in order, and ends with its signal',
  async (t) => {
    const bus = new EventBus();
    const listener = new AbortController();
    const stream = bus.stream(listener.signal);
    const first = stream.next();
    bus.publish({ type: 'create', id: 'c1', pid: 7 });
    bus.publish({ type: 'start', id: 'c1' });
    t.match((await first).value, { type: 'create', id: 'c1', pid: 7, time: /^\d{4}-\d\d-\d\dT.*Z$/ });
    t.match(await stream.next(), { value: { type: 'start' } });
    const last = stream.next();
    listener.abort();
    t.strictSame(await last, { value: undefined, done: true });
    bus.publish({ type: 'exit', id: 'c1' });
    t.equal((await bus.stream(listener.signal).next()).done, true, 'a signal that has aborted already');
  },
);

void t.test('subscribers are called until they leave', (t) => {
  const bus = new EventBus();
  const seen: string[] = [];
  const leave = bus.subscribe(({ id }) => seen.push(id));
  bus.publish({ type: 'create', id: 'one' });
  leave();
  bus.publish({ type: 'create', id: 'two' });
  t.strictSame(seen, ['one']);
  t.end();
});

void t.test('waiting ends with its signal, before or during it, and leaves no listener behind', async (t) => {
  const listener = new AbortController();
  const never = new Promise<never>(() => undefined);
  t.equal(await abortable(Promise.resolve(7), listener.signal), 7);
  t.equal(await abortable(Promise.resolve(7), undefined), 7);
  await t.rejects(abortable(Promise.reject(new Error('on purpose')), listener.signal), {
    message: 'on purpose',
  });
  const waiting = abortable(never, listener.signal);
  listener.abort(new Error('gone'));
  await t.rejects(waiting, { message: 'gone' });
  await t.rejects(abortable(never, listener.signal), { message: 'gone' });
});

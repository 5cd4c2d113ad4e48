import t from 'tap';
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

void t.test(
  'a stream that nobody reads ends where it would fill the memory, with what had waited before',
  async (t) => {
    const bus = new EventBus();
    const stream = bus.stream(undefined, 3);
    const first = stream.next();
    for (let number = 1; number <= 6; number++) bus.publish({ type: 'create', id: `c${number}` });
    t.match((await first).value, { id: 'c1' });
    for (const id of ['c2', 'c3']) t.match((await stream.next()).value, { id });
    await t.rejects(stream.next(), {
      code: 'TURF_ERR_UNAVAILABLE',
      message: 'more than 3 events wait for a listener that does not read them',
    });
    t.strictSame(await stream.next(), { value: undefined, done: true });
    t.equal(bus.listeners, 0, 'it has left');
  },
);

void t.test('a listener that leaves between two events is none', async (t) => {
  const bus = new EventBus();
  const stream = bus.stream();
  const first = stream.next();
  t.equal(bus.listeners, 1);
  bus.publish({ type: 'create', id: 'c1' });
  await first;
  await stream.return();
  t.equal(bus.listeners, 0);
});

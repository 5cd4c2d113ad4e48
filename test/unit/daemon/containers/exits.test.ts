import { EventEmitter } from 'node:events';
import { pino } from 'pino';
import t, { type Test } from 'tap';
import type { LifecycleEvent } from '../../../../cli/lifecycle-event.js';
import { type SupervisorLink, type ProcessEnd } from '../../../../daemon/channel/supervisor-link.js';
import { type Container } from '../../../../daemon/containers/container.js';
import { ExitWatch } from '../../../../daemon/containers/exits.js';
import { StateStore } from '../../../../daemon/containers/state-store.js';
import { EventBus } from '../../../../daemon/event-bus.js';
import { someContainer, someFacts } from './some-container.js';

class FakeSupervisor extends EventEmitter<{ died: [ProcessEnd]; lost: [] }> {
  readonly watched: number[] = [];

  watch(pid: number): void {
    this.watched.push(pid);
  }
}

function setUp(t: Test) {
  const supervisor = new FakeSupervisor();
  const store = new StateStore(t.testdir());
  const events = new EventBus();
  const seen: Omit<LifecycleEvent, 'time'>[] = [];
  events.subscribe(({ type, id, exitCode }) =>
    seen.push({ type, id, ...(exitCode === undefined ? {} : { exitCode }) }),
  );
  const containers = new Map<string, Container>();
  const log = pino({ level: 'silent' });
  const exits = new ExitWatch({
    supervisor: supervisor as unknown as SupervisorLink,
    store,
    events,
    log,
    containers,
  });
  const add = (): Container => {
    const container = someContainer({ process: { pid: 7, startTime: '99' } });
    containers.set('c1', container);
    store.writeFacts(someFacts());
    exits.watch(container, 7, 99n, -1);
    return container;
  };
  const die = (waitStatus: number): boolean =>
    supervisor.emit('died', { pid: 7, startTime: 99n, waitStatus });
  store.reserve('c1');
  return { exits, store, seen, add, die, containers };
}

void t.test('an end stops the container, is written down and published', async (t) => {
  const { add, die, store, seen, exits } = setUp(t);
  const container = add();
  t.ok(exits.watches(7, 99n));
  t.notOk(exits.watches(7, 98n));
  die(3 << 8);
  t.match(await container.whenStopped(), { exitCode: 3 });
  t.match(store.readExit('c1'), { exitCode: 3 });
  t.strictSame(seen, [{ type: 'exit', id: 'c1', exitCode: 3 }]);
  t.notOk(exits.watches(7, 99n));
  die(0);
  t.equal(seen.length, 1, 'once');
});

void t.test('no event comes after exit, however early that is', (t) => {
  const { add, die, seen, exits } = setUp(t);
  const container = add();
  exits.hush(container);
  die(0);
  t.strictSame(seen, []);
  t.equal(container.lifecycle.state, 'stopped', 'waiters know at once');
  exits.announce(container, { type: 'start', id: 'c1' });
  t.strictSame(seen, [
    { type: 'start', id: 'c1' },
    { type: 'exit', id: 'c1', exitCode: 0 },
  ]);
  t.end();
});

void t.test('a container that lives on is announced without its end', (t) => {
  const { add, die, seen, exits } = setUp(t);
  const container = add();
  exits.hush(container);
  exits.announce(container, { type: 'create', id: 'c1' });
  t.strictSame(seen, [{ type: 'create', id: 'c1' }]);
  die(-1);
  t.strictSame(seen.at(-1), { type: 'exit', id: 'c1' }, 'an end of which nobody knows the status');
  t.end();
});

void t.test('the late end of a failed create is not written into the next container of that id', (t) => {
  const { add, die, store, exits, containers } = setUp(t);
  exits.hush(add());
  containers.set('c1', someContainer());
  die(0);
  t.equal(store.readExit('c1'), undefined);
  t.end();
});

void t.test('an end that cannot be written down ends the container all the same', (t) => {
  const { add, die, store } = setUp(t);
  const container = add();
  store.remove('c1');
  die(0);
  t.equal(container.lifecycle.state, 'stopped');
  t.end();
});

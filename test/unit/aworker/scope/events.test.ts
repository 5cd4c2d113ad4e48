import t from 'tap';
import {
  ExtendableEvent,
  FetchEvent,
  followExtensions,
  responseOf,
  settled,
  whileDispatching,
} from '../../../../aworker/scope/events.js';
import { handleFetch } from '../../../../aworker/lifecycle/fetch-handler.js';
import { raise } from '../../../../aworker/lifecycle/phases.js';
import {
  addEventListener,
  dispatchCollecting,
  removeEventListener,
} from '../../../../aworker/scope/scope-events.js';

const request = new Request('http://worker/');

void t.test('a phase lasts until every waitUntil promise has settled, also later ones', async (t) => {
  const order: string[] = [];
  const listener = (event: Event): void => {
    if (!(event instanceof ExtendableEvent)) return;
    event.waitUntil(
      Promise.resolve().then(() => {
        event.waitUntil(Promise.resolve().then(() => order.push('second')));
        order.push('first');
      }),
    );
  };
  addEventListener('install', listener);
  await raise('install');
  removeEventListener('install', listener);
  t.same(order, ['first', 'second']);
});

void t.test('a phase fails with what a listener throws or a promise rejects with', async (t) => {
  const thrower = (): void => {
    throw new Error('thrown');
  };
  addEventListener('activate', thrower);
  await t.rejects(raise('activate'), { message: 'thrown' });
  removeEventListener('activate', thrower);
  const event = new ExtendableEvent('install');
  whileDispatching(event, () => event.waitUntil(Promise.reject(new Error('rejected'))));
  await t.rejects(settled(event), { message: 'rejected' });
});

void t.test('the methods of an event work only while it is dispatched', (t) => {
  const event = new FetchEvent('fetch', { request });
  t.throws(() => event.waitUntil(null), { name: 'InvalidStateError' });
  t.throws(() => event.respondWith(new Response()), { name: 'InvalidStateError' });
  whileDispatching(event, () => event.respondWith(new Response()));
  t.ok(responseOf(event));
  t.throws(() => whileDispatching(event, () => event.respondWith(new Response())), {
    name: 'InvalidStateError',
  });
  t.end();
});

void t.test('a response that is here is the answer itself, and the event goes on for a moment', async (t) => {
  const response = new Response();
  const event = new FetchEvent('fetch', { request });
  whileDispatching(event, () => event.respondWith(response));
  t.equal(responseOf(event), response);
  t.doesNotThrow(() => event.waitUntil(null));
  await new Promise((resolve) => setImmediate(resolve));
  t.throws(() => event.waitUntil(null), { name: 'InvalidStateError' });
});

void t.test('what is given to waitUntil is followed one by one', async (t) => {
  const event = new ExtendableEvent('x');
  const followed: unknown[] = [];
  followExtensions(event, (promise) => followed.push(promise));
  whileDispatching(event, () => {
    event.waitUntil(5);
    event.waitUntil(Promise.resolve(6));
  });
  t.same(await Promise.all(followed), [5, 6]);
});

void t.test('an event that a listener dispatches has exceptions of its own', (t) => {
  const inner = (): void => {
    throw new Error('inner');
  };
  const outer = (): void => {
    t.match(dispatchCollecting(new Event('inner')), [{ message: 'inner' }]);
    throw new Error('outer');
  };
  addEventListener('inner', inner);
  addEventListener('outer', outer);
  t.match(dispatchCollecting(new Event('outer')), [{ message: 'outer' }]);
  removeEventListener('inner', inner);
  removeEventListener('outer', outer);
  t.end();
});

void t.test('exceptions of listeners belong to the event that was raised', (t) => {
  const listener = {
    handleEvent(): void {
      throw new Error('mine');
    },
  };
  addEventListener('x', listener, { once: true });
  t.match(dispatchCollecting(new Event('x')), [{ message: 'mine' }]);
  t.same(dispatchCollecting(new Event('x')), []);
  t.end();
});

void t.test('a fetch listener goes before the default export; without both there is no answer', async (t) => {
  const answer = async (fallback?: () => unknown): Promise<unknown> => {
    const given = await handleFetch(request, fallback, {});
    return given instanceof Response ? given.text() : given;
  };
  const fallback = (): Response => new Response('default');
  t.equal(await answer(), undefined);
  t.equal(await answer(fallback), 'default');
  t.equal(await answer(() => 5), 5);
  const listener = (event: Event): void => {
    if (event instanceof FetchEvent) event.respondWith(new Response('listener'));
  };
  addEventListener('fetch', listener);
  t.equal(await answer(fallback), 'listener');
  removeEventListener('fetch', listener);
  const cancel = (event: Event): void => event.preventDefault();
  addEventListener('fetch', cancel);
  await t.rejects(answer(fallback), TypeError);
  removeEventListener('fetch', cancel);
});

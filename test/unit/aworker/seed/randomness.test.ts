import { randomInt } from 'node:crypto';
import t from 'tap';
import { installRandomness, randomFillAhead, reseed } from '../../../../aworker/seed/randomness.js';

void t.test('Math.random and crypto.randomUUID are replaced by generators without inherited state', (t) => {
  const native = Object.getOwnPropertyDescriptor(Math, 'random');
  installRandomness();
  const own = Object.getOwnPropertyDescriptor(Math, 'random');
  t.match(own, {
    enumerable: native?.enumerable,
    configurable: native?.configurable,
    writable: native?.writable,
  });
  t.equal(Math.random.name, 'random');
  const values = Array.from({ length: 10_000 }, () => Math.random());
  t.ok(values.every((value) => value >= 0 && value < 1));
  t.equal(new Set(values).size, values.length);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  t.ok(Math.abs(mean - 0.5) < 0.05, `mean ${mean}`);
  reseed();
  t.notOk(values.includes(Math.random()));
  t.match(crypto.randomUUID(), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  t.not(crypto.randomUUID(), crypto.randomUUID());
  t.end();
});

void t.test("fetch's own random numbers come from a generator without values made ahead", async (t) => {
  installRandomness();
  // The named import is a live binding of the module's own function, which stays; fetch asks the module object.
  const { default: nodeCrypto } = await import('node:crypto');
  t.not(nodeCrypto.randomInt, randomInt);
  const values = Array.from({ length: 1000 }, () => nodeCrypto.randomInt(3, 8));
  t.same([...new Set(values)].sort(), [3, 4, 5, 6, 7]);
  const boundary = (): string | null => {
    const form = new FormData();
    form.set('a', 'b');
    return new Response(form).headers.get('content-type');
  };
  t.match(boundary(), /^multipart\/form-data; boundary=/);
  t.not(boundary(), boundary());
});

void t.test('what a library draws ahead is drawn anew', (t) => {
  const buffer = randomFillAhead(new Uint8Array(64));
  const before = buffer.toString();
  t.not(before, new Uint8Array(64).toString());
  reseed();
  t.not(buffer.toString(), before);
  t.end();
});

void t.test('node:crypto has no UUIDs made ahead for who imports it', async (t) => {
  const { default: nodeCrypto } = await import('node:crypto');
  const native = Object.getOwnPropertyDescriptor(nodeCrypto, 'randomUUID');
  installRandomness();
  t.match(native, { enumerable: true, writable: true });
  t.equal(nodeCrypto.randomUUID.name, 'randomUUID');
  t.match(nodeCrypto.randomUUID(), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  t.not(nodeCrypto.randomUUID({}), nodeCrypto.randomUUID());
  t.end();
});

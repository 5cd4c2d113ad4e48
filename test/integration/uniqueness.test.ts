import t, { type Test } from 'tap';
import { workerBundle } from './harness/bundle.js';
import { http } from './harness/http.js';
import { openFiles } from './harness/processes.js';
import { requires } from './harness/requires.js';
import { Turfd } from './harness/turfd.js';

/** `TURF_TEST_FULL=1`: as many workers as the figures in docs/warmfork.md; otherwise enough to see a generator that repeats. */
const WORKERS = process.env['TURF_TEST_FULL'] === '1' ? 1000 : 20;
const AT_ONCE = 10;

// Uses every generator before the fork: what was drawn ahead, or cached, would repeat in the clones.
const PROBE = `
const hex = (bytes) => [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
const bytes = (count) => hex(crypto.getRandomValues(new Uint8Array(count)));
let firedAt;
async function probe() {
  const form = new FormData();
  form.set('a', 'b');
  const aes = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, true, ['encrypt']);
  const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
  return {
    mathRandom: [Math.random(), Math.random()].join(),
    randomValues: bytes(16),
    randomUUID: crypto.randomUUID(),
    aesKey: hex(await crypto.subtle.exportKey('raw', aes)),
    ecKey: hex(await crypto.subtle.exportKey('raw', pair.publicKey)),
    signature: hex(await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, pair.privateKey, new Uint8Array(1))),
    formBoundary: new Response(form).headers.get('content-type'),
    temporaryName: 'tmp-' + Math.random().toString(36).slice(2),
    hostname: aworker.hostname,
    id: aworker.id,
  };
}
await probe();
export default {
  async fetch() {
    const timer = await new Promise((resolve) => { const t0 = performance.now(); setTimeout(() => resolve(performance.now() - t0), 20); });
    return Response.json({
      unique: await probe(),
      pid: aworker.pid,
      timeOrigin: performance.timeOrigin,
      now: performance.now(),
      wall: Date.now(),
      timer,
    });
  },
};`;

interface Answer {
  readonly unique: Readonly<Record<string, string>>;
  readonly pid: number;
  readonly timeOrigin: number;
  readonly now: number;
  readonly wall: number;
  readonly timer: number;
}

/** Asks so many workers, some at a time, each made by `make`. */
async function ask(
  turfd: Turfd,
  kind: string,
  make: (id: string) => Promise<unknown>,
): Promise<{ answers: Answer[]; sockets: string[]; born: number[] }> {
  const answers: Answer[] = [];
  const sockets: string[] = [];
  const born: number[] = [];
  const one = async (index: number): Promise<void> => {
    const id = turfd.id(`${kind}${index}`);
    const before = Date.now();
    await make(id);
    const { turf, pid } = await turfd.state(id);
    sockets.push(...[...openFiles(pid).values()].filter((link) => link.startsWith('socket:')));
    answers.push(JSON.parse((await http(turf.listen ?? '', '/')).body) as Answer);
    born.push(before);
    await turfd.rest(`/containers/${id}?force=true`, { method: 'DELETE' });
  };
  for (let first = 0; first < WORKERS; first += AT_ONCE) {
    const count = Math.min(AT_ONCE, WORKERS - first);
    await Promise.all(Array.from({ length: count }, (_, index) => one(first + index)));
  }
  return { answers, sockets, born };
}

function compare(t: Test, { answers, sockets, born }: Awaited<ReturnType<typeof ask>>): void {
  t.equal(answers.length, WORKERS);
  for (const name of Object.keys(answers[0]?.unique ?? {})) {
    const values = answers.map(({ unique }) => unique[name]);
    t.equal(new Set(values).size, WORKERS, `${name}: no two alike, such as ${String(values[0])}`);
  }
  t.ok(
    answers.every(({ pid }) => pid === 1),
    'each is PID 1 of its namespace, and tells nobody which process it is',
  );
  for (const [index, { timeOrigin, now, wall, timer }] of answers.entries()) {
    // A clock that went on from the seed's start would begin before the worker was asked for.
    if (timeOrigin < (born[index] ?? 0) - 1000) t.fail(`the time origin ${timeOrigin} lies before its birth`);
    if (Math.abs(timeOrigin + now - wall) > 1000)
      t.fail(`its clocks differ: ${timeOrigin} + ${now}, ${wall}`);
    // One that counts from the time of the seed would fire at once.
    if (timer < 15) t.fail(`a timer of 20 ms took ${timer}`);
  }
  t.equal(new Set(sockets).size, sockets.length, 'no socket is in two of them');
}

await t.test(`no two of ${WORKERS} workers share an identity or a random value`, requires(), async (t) => {
  const turfd = await Turfd.start(t);

  for (const mode of ['userland', 'runtime'] as const) {
    await t.test(`clones of a ${mode} seed`, async (t) => {
      const seed = turfd.id(mode);
      const { path } = workerBundle(t, PROBE, { turf: { seed: { mode } } });
      await turfd.ok(['seed', 'create', '--bundle', path, seed]);
      compare(
        t,
        await ask(turfd, mode, (id) =>
          turfd.rest(`/seeds/${seed}/fork`, { method: 'POST', body: JSON.stringify({ id }) }),
        ),
      );
      await turfd.ok(['delete', '--force', seed]);
    });
  }
});

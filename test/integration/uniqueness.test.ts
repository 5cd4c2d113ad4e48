import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import t, { type Test } from 'tap';
import { workerBundle } from './harness/bundle.js';
import { http, type HttpAnswer } from './harness/http.js';
import { openFiles } from './harness/processes.js';
import { requires } from './harness/requires.js';
import { type State, Turfd } from './harness/turfd.js';

/** `TURF_TEST_FULL=1`: 1,000 workers of each kind; otherwise enough to see a generator that repeats. */
const WORKERS = process.env['TURF_TEST_FULL'] === '1' ? 1000 : 20;
const AT_ONCE = 10;

// Uses every generator before the fork: what was drawn ahead, or cached, would repeat in the clones.
const probe = (beforeTheFork: string): string => `
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
${beforeTheFork}
export default {
  async fetch() {
    const timer = await new Promise((resolve) => { const t0 = performance.now(); setTimeout(() => resolve(performance.now() - t0), 20); });
    const { ask } = aworker.env;
    if (ask !== undefined) for (const url of ask.split(' ')) await fetch(url).catch(() => undefined);
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
  make: (id: string) => Promise<HttpAnswer>,
): Promise<{ answers: Answer[]; sockets: string[]; born: number[]; machineIds: number }> {
  const answers: Answer[] = [];
  const sockets: string[] = [];
  const born: number[] = [];
  let machineIds = 0;
  const one = async (index: number): Promise<void> => {
    const id = turfd.id(`${kind}${index}`);
    const before = Date.now();
    const { status, body } = await make(id);
    if (status !== 201) throw new Error(`fork of ${id}: ${status} ${body}`);
    // Over REST: a process for each question would take longer than all else.
    const { turf, pid } = JSON.parse((await turfd.rest(`/containers/${id}`)).body) as State;
    sockets.push(...[...openFiles(pid).values()].filter((link) => link.startsWith('socket:')));
    if (existsSync(`/proc/${pid}/root/etc/machine-id`)) machineIds += 1;
    answers.push(JSON.parse((await http(turf.listen ?? '', '/')).body) as Answer);
    born.push(before);
    await turfd.rest(`/containers/${id}?force=true`, { method: 'DELETE' });
  };
  for (let first = 0; first < WORKERS; first += AT_ONCE) {
    const count = Math.min(AT_ONCE, WORKERS - first);
    await Promise.all(Array.from({ length: count }, (_, index) => one(first + index)));
  }
  return { answers, sockets, born, machineIds };
}

function compare(t: Test, { answers, sockets, born, machineIds }: Awaited<ReturnType<typeof ask>>): void {
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
  t.equal(machineIds, 0, 'no machine id is to be seen');
}

/** What a TLS client says first (RFC 8446, section 4.1.2), and what of it must never repeat. */
class Hellos {
  readonly server = createTcpServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', (data) => {
      // Record header 5, handshake header 4, version 2; then 32 random bytes, and the session id with its length before it.
      this.randoms.push(data.subarray(11, 43).toString('hex'));
      this.sessions.push(data.subarray(44, 44 + (data[43] ?? 0)).toString('hex'));
      socket.destroy();
    });
  });
  readonly randoms: string[] = [];
  readonly sessions: string[] = [];
}

async function listen(t: Test, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}

await t.test(`no two of ${WORKERS} workers share an identity or a random value`, requires(), async (t) => {
  const turfd = await Turfd.start(t);

  for (const [kind, mode, pool] of [
    ['made ahead, in a pool', 'userland', AT_ONCE],
    ['made on request by a runtime seed', 'runtime', 0],
    ['made on request by a userland seed', 'userland', 0],
  ] as const)
    await t.test(`clones ${kind}`, async (t) => {
      const seed = turfd.id(`${mode}${pool}`);
      const { path } = workerBundle(t, probe(''), { turf: { seed: { mode }, pool } });
      await turfd.ok(['seed', 'create', '--bundle', path, seed]);
      compare(
        t,
        await ask(turfd, `${mode}${pool}`, (id) =>
          turfd.rest(`/seeds/${seed}/fork`, { method: 'POST', body: JSON.stringify({ id }) }),
        ),
      );
      await turfd.ok(['delete', '--force', seed]);
    });

  await t.test('clones in the host network: TLS, HTTP connections, nothing cached', async (t) => {
    const hellos = new Hellos();
    const connections = new Set<unknown>();
    const server = createServer((request, out) => {
      connections.add(request.socket);
      out.end('kept');
    });
    const urls = [
      `https://127.0.0.1:${await listen(t, hellos.server)}/`,
      `http://127.0.0.1:${await listen(t, server)}/`,
    ];
    t.teardown(() => server.closeAllConnections());
    const seed = turfd.id('host');
    // The seed has been there: agents, connections and sessions of its own would be in every clone.
    const visits = urls.map((url) => `await fetch('${url}').catch(() => undefined);`).join('\n');
    const { path } = workerBundle(t, probe(visits), { turf: { seed: true, network: 'host' } });
    await turfd.ok(['seed', 'create', '--bundle', path, seed]);
    t.equal(hellos.randoms.length, 1);
    t.equal(connections.size, 1);
    compare(
      t,
      await ask(turfd, 'host', (id) =>
        turfd.rest(`/seeds/${seed}/fork`, {
          method: 'POST',
          body: JSON.stringify({ id, network: 'host', env: { ask: urls.join(' ') } }),
        }),
      ),
    );
    t.equal(connections.size, 1 + WORKERS, "a connection of its own for each, the seed's for none");
    t.equal(hellos.randoms.length, 1 + WORKERS);
    t.equal(new Set(hellos.randoms).size, 1 + WORKERS, 'TLS: no random of a handshake twice');
    t.equal(new Set(hellos.sessions).size, 1 + WORKERS, 'TLS: no session twice, none resumed');
    await turfd.ok(['delete', '--force', seed]);
  });
});

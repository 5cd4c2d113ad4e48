import { existsSync, readFileSync } from 'node:fs';
import process from 'node:process';
import type { Test } from 'tap';
import { http } from './http.js';
import { openFiles } from './processes.js';
import { type State, type Turfd } from './turfd.js';

/** How many workers of each kind, if the environment says so: `TURF_TEST_CLONES`; 1,000 with `TURF_TEST_FULL=1`. */
export const CLONES =
  process.env['TURF_TEST_CLONES'] ?? (process.env['TURF_TEST_FULL'] === '1' ? '1000' : undefined);
export const AT_ONCE = 10;

/**
 * A module that uses every generator when a seed loads it, so that what is drawn ahead, or cached, would repeat in clones; its workers answer
 * with what they draw and see.
 *
 * @param visit body of `async visit(peers)`: what a seed asks of others before it parks, and each worker when it is asked
 */
export const probe = (visit = '', peers: object = {}): string => `
import nodeCrypto from 'node:crypto';
import https from 'node:https';
const hex = (bytes) => [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
const bytes = (count) => hex(crypto.getRandomValues(new Uint8Array(count)));
const visit = async (peers) => { ${visit} };
const peers = ${JSON.stringify(peers)};
async function draw() {
  const form = new FormData();
  form.set('a', 'b');
  const aes = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, true, ['encrypt']);
  const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
  return {
    mathRandom: [Math.random(), Math.random()].join(),
    randomValues: bytes(16),
    randomUUID: crypto.randomUUID(),
    nodeUUID: nodeCrypto.randomUUID(),
    nodeBytes: nodeCrypto.randomBytes(16).toString('hex'),
    nodeInts: [1, 2, 3, 4].map(() => nodeCrypto.randomInt(2 ** 40)).join(),
    aesKey: hex(await crypto.subtle.exportKey('raw', aes)),
    ecKey: hex(await crypto.subtle.exportKey('raw', pair.publicKey)),
    signature: hex(await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, pair.privateKey, new Uint8Array(1))),
    formBoundary: new Response(form).headers.get('content-type'),
    temporaryName: 'tmp-' + Math.random().toString(36).slice(2),
    hostname: aworker.hostname,
    id: aworker.id,
  };
}
await draw();
if (aworker.id === '') await visit(peers);
export default {
  async fetch() {
    const timer = await new Promise((resolve) => { const t0 = performance.now(); setTimeout(() => resolve(performance.now() - t0), 20); });
    return Response.json({
      seen: await visit(peers),
      unique: await draw(),
      pid: aworker.pid,
      timeOrigin: performance.timeOrigin,
      now: performance.now(),
      wall: Date.now(),
      timer,
    });
  },
};`;

interface Answer {
  /** What `visit` returned. */
  readonly seen?: unknown;
  readonly unique: Readonly<Record<string, string>>;
  readonly pid: number;
  readonly timeOrigin: number;
  readonly now: number;
  readonly wall: number;
  readonly timer: number;
}

interface Asked {
  readonly answer: Answer;
  /** Sockets that it holds, as the host sees it. */
  readonly sockets: readonly string[];
  /** Milliseconds since the epoch at which it was asked for. */
  readonly born: number;
  readonly hasMachineId: boolean;
  /** Of GET /containers/ID: how it was started. */
  readonly start: string | undefined;
  /** Whether it was cloned before anybody asked. */
  readonly wasAhead: boolean;
}

/** Forks so many workers, AT_ONCE at a time, asks and removes each. @param ready awaited before each batch */
export async function askAll(
  turfd: Turfd,
  seed: string,
  wanted: number,
  fork: object,
  ready: () => Promise<void> = () => Promise.resolve(),
): Promise<Asked[]> {
  const one = async (index: number): Promise<Asked> => {
    const id = turfd.id(`w${index}`);
    const born = Date.now();
    // Over REST: a process for each question would take longer than all else.
    const { status, body } = await turfd.rest(`/seeds/${seed}/fork`, {
      method: 'POST',
      body: JSON.stringify({ id, ...fork }),
      timeout: 30_000,
    });
    if (status !== 201) throw new Error(`fork of ${id}: ${status} ${body}`);
    const { turf, pid } = JSON.parse((await turfd.rest(`/containers/${id}`)).body) as State;
    const asked = {
      sockets: [...openFiles(pid).values()].filter((link) => link.startsWith('socket:')),
      hasMachineId: ['etc', 'var/lib/dbus'].some((dir) => existsSync(`/proc/${pid}/root/${dir}/machine-id`)),
      wasAhead: readFileSync(`/proc/${pid}/cgroup`, 'utf8').includes(`${seed}~`),
      start: turf.start,
      born,
    };
    const answer = await http(turf.listen ?? '', '/', { timeout: 30_000 });
    if (answer.status !== 200) throw new Error(`${id}: ${answer.status} ${answer.body}`);
    await turfd.rest(`/containers/${id}?force=true`, { method: 'DELETE' });
    return { ...asked, answer: JSON.parse(answer.body) as Answer };
  };
  const all: Asked[] = [];
  while (all.length < wanted) {
    await ready();
    const count = Math.min(AT_ONCE, wanted - all.length);
    const first = all.length;
    all.push(...(await Promise.all(Array.from({ length: count }, (_, index) => one(first + index)))));
  }
  return all;
}

/** No two of them have anything in common that must be their own, and none has a clock or socket of its seed. */
export function compare(t: Test, asked: readonly Asked[]): void {
  const distinct = (name: string, values: readonly unknown[]): void => {
    t.equal(new Set(values).size, values.length, `${name}: no two alike, such as ${String(values[0])}`);
  };
  for (const name of Object.keys(asked[0]?.answer.unique ?? {}))
    distinct(
      name,
      asked.map(({ answer }) => answer.unique[name]),
    );
  distinct(
    'sockets',
    asked.flatMap(({ sockets }) => sockets),
  );
  t.ok(
    asked.every(({ answer }) => answer.pid === 1),
    'each is PID 1 of its namespace, and tells nobody which process it is',
  );
  t.notOk(
    asked.some(({ hasMachineId }) => hasMachineId),
    'no machine id is to be seen',
  );
  for (const { born, answer } of asked) {
    const { timeOrigin, now, wall, timer } = answer;
    // A clock that went on from the seed's start would begin before the worker was asked for.
    if (timeOrigin < born - 1000) t.fail(`the time origin ${timeOrigin} lies before its birth ${born}`);
    if (Math.abs(timeOrigin + now - wall) > 1000)
      t.fail(`its clocks differ: ${timeOrigin} + ${now}, ${wall}`);
    // One that counts from the time of the seed would fire at once.
    if (timer < 15) t.fail(`a timer of 20 ms took ${timer}`);
  }
}

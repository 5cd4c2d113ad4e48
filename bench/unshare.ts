import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { TemporaryDaemon } from './daemon.js';
import { row, type Row } from './row.js';

const COUNTS = [1, 100, 10_000];
const WORKERS = 3;
const IDLE_MS = 10_000;

/** A full collection, on request of the bench alone. */
const COLLECT = `import v8 from 'node:v8';
import vm from 'node:vm';
function collect() {
  v8.setFlagsFromString('--expose-gc');
  vm.runInNewContext('gc')();
  return new Response('');
}`;

/** What workers do with a request. */
const PROGRAMS: Readonly<Record<string, string>> = {
  hello: `${COLLECT}
export default { fetch: ({ url }) => (url.endsWith('/collect') ? collect() : new Response('hello\\n')) };`,
  // A page of 100 rows out of a table that the seed made, with a hash of it: some 200 KB of garbage a request.
  page: `${COLLECT}
const table = Array.from({ length: 20_000 }, (_, id) => ({ id, name: 'name ' + id, tags: ['a' + (id % 7), 'b' + (id % 11)] }));
let next = 0;
export default { async fetch({ url }) {
  if (url.endsWith('/collect')) return collect();
  const first = (next += 997) % 19_000;
  const rows = JSON.parse(JSON.stringify(table.slice(first, first + 100)));
  const html = rows.map(({ id, name, tags }) => \`<tr><td>\${id}<td>\${name.toUpperCase()}<td>\${tags.join(', ')}\`).join('\\n');
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(html)));
  return new Response(html, { headers: { etag: '"' + hash.slice(0, 8).join('') + '"' } });
} };`,
};

const CHUNK = 0x40000;
const ARENA = 0x4000000;

/** What a private page belongs to, by its mapping in /proc/PID/smaps. V8's heap comes in pieces that begin at multiples of 256 KiB, malloc's arenas at multiples of 64 MiB. */
function kindOf(start: number, permissions: string, file: string): string {
  if (permissions.includes('x')) return 'machine code';
  if (file === '[heap]') return 'malloc';
  if (file === '[stack]') return 'stack';
  if (file !== '') return 'data of the engine and libraries';
  if (start % ARENA === 0) return 'malloc';
  return start % CHUNK === 0 ? "JavaScript's heap" : 'malloc and other anonymous';
}

/** KiB of a process's own, by kind, with its page tables. */
export function privateByKind(smaps: string, status: string): Map<string, number> {
  const kinds = new Map<string, number>();
  let kind = '';
  for (const line of smaps.split('\n')) {
    const [, from, permissions = '', file = ''] =
      /^([0-9a-f]+)-[0-9a-f]+ (\S+) \S+ \S+ \d+ *(.*)$/.exec(line) ?? [];
    if (from !== undefined) kind = kindOf(parseInt(from, 16), permissions, file);
    const own = Number(/^Private_(?:Clean|Dirty): +(\d+) kB/.exec(line)?.[1] ?? 0);
    if (own > 0) kinds.set(kind, (kinds.get(kind) ?? 0) + own);
  }
  kinds.set('page tables', Number(/^VmPTE:\s+(\d+) kB/m.exec(status)?.[1] ?? 0));
  return kinds;
}

function lookAt(pid: number): Map<string, number> {
  return privateByKind(
    readFileSync(`/proc/${pid}/smaps`, 'utf8'),
    readFileSync(`/proc/${pid}/status`, 'utf8'),
  );
}

/**
 * Memory that workers do not share with their seed (any more): after their first answers, after a full collection, and when they have been
 * idle. Requests go over one kept connection, one after the other.
 *
 * @param directory where bundles are written
 */
export async function unshare(
  daemon: TemporaryDaemon,
  directory: string,
  progress: (what: string) => void,
): Promise<Row[]> {
  const found = new Map<string, number[]>();
  for (const [name, code] of Object.entries(PROGRAMS)) {
    const bundle = join(directory, `unshare-${name}`);
    mkdirSync(join(bundle, 'code'), { recursive: true });
    writeFileSync(join(bundle, 'code/index.js'), code);
    writeFileSync(join(bundle, 'config.json'), JSON.stringify(configOf()));
    const seed = `unshare-${name}`;
    await daemon.turf('seed', 'create', '--bundle', bundle, seed);
    for (let n = 0; n < WORKERS; n++) {
      progress(`what ${name} un-shares, worker ${n + 1} of ${WORKERS}`);
      const note = (when: string, kinds: ReadonlyMap<string, number>): void => {
        const all = [...kinds.values()].reduce((sum, kib) => sum + kib, 0);
        for (const [kind, kib] of [...kinds, ['all', all] as const]) {
          const key = `${name}, ${when}: ${kind}`;
          found.set(key, [...(found.get(key) ?? []), kib]);
        }
      };
      await life(daemon, seed, `${seed}-${n}`, note);
    }
    await daemon.rest('DELETE', `/containers/${seed}?force=true`);
  }
  return [...found].map(([what, values]) => row(what, 'turf', 'KiB', values));
}

type Note = (when: string, kinds: ReadonlyMap<string, number>) => void;

async function life(daemon: TemporaryDaemon, seed: string, id: string, note: Note): Promise<void> {
  const forked: unknown = JSON.parse((await daemon.rest('POST', `/seeds/${seed}/fork`, { id })).body);
  const { pid, listen } = forked as { pid: number; listen: string };
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const socketPath = listen.slice('unix:'.length);
  const get = (path: string): Promise<void> =>
    new Promise((resolve, reject) => {
      request({ socketPath, path, agent }, (answer) => {
        if (answer.statusCode !== 200) reject(new Error(`${id}${path}: ${answer.statusCode ?? 0}`));
        answer.resume().on('end', resolve).on('error', reject);
      })
        .on('error', reject)
        .end();
    });
  let asked = 0;
  for (const count of COUNTS) {
    for (; asked < count; asked++) await get('/');
    note(count === 1 ? 'after 1 request' : `after ${count} requests`, lookAt(pid));
  }
  await delay(IDLE_MS);
  note(`idle for ${IDLE_MS / 1000} s then`, lookAt(pid));
  await get('/collect');
  note('after a full collection then', lookAt(pid));
  agent.destroy();
  await daemon.rest('DELETE', `/containers/${id}?force=true`);
}

const configOf = (): object => ({
  ociVersion: '1.0.2',
  process: { user: { uid: 0, gid: 0 }, args: ['aworker', 'index.js'], cwd: '/' },
  turf: { runtime: 'aworker', code: 'code', seed: true, nodeModules: ['node:v8', 'node:vm'] },
});

import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { bundle, workerBundle } from './harness/bundle.js';
import type { BundleConfig } from './harness/config.js';
import { requires } from './harness/requires.js';
import { eventually, Turfd } from './harness/turfd.js';

const FAILURES = 200;

const WAYS: readonly ((config: BundleConfig, path: string) => unknown)[] = [
  (config) => (config.process.args = ['/nope']),
  (config) => (config.process.terminal = true),
  (config) => (config.linux.resources = { cpu: { cpus: '9999' } }),
  (config) => (config.linux.namespaces[1] = { type: 'network', path: '/etc/passwd' }),
  (config) => config.linux.namespaces.push({ type: 'user' }),
  (config) => config.mounts.push({ destination: '/work', type: 'nofs', source: 'x' }),
  (config, path) => {
    const userNamespace = { containerID: 0, hostID: 100_000, size: 10 };
    config.linux.namespaces.push({ type: 'user' });
    config.linux.uidMappings = [userNamespace];
    config.linux.gidMappings = [userNamespace];
    config.mounts.push({ destination: '/work', type: 'bind', source: path, options: ['bind'] });
    config.mounts.push({ destination: '/work', type: 'bind', source: '/no/source', options: ['bind'] });
  },
  (config) => (config.hooks = { prestart: [{ path: '/bin/false' }] }),
  (config) => (config.hooks = { createContainer: [{ path: '/bin/false' }] }),
  (_config, path) => {
    writeFileSync(join(path, 'config.json'), '{');
  },
];

/** Numbers of open descriptors: of the daemon, of its supervisor. */
function open(turfd: Turfd): number {
  return readdirSync(`/proc/${turfd.nodePid}/fd`).length;
}

/** Descriptors that await the collector of closed sockets are gone a moment later. */
async function unchanged(t: Test, turfd: Turfd, before: number): Promise<void> {
  await eventually(`${before} descriptors, ${open(turfd)} are open`, () => open(turfd) <= before);
  t.ok(open(turfd) <= before);
  t.strictSame(
    turfd.remains().filter((line) => !line.includes('seed')),
    [],
  );
}

await t.test(
  'failures leave no descriptor, cgroup, process or directory behind',
  requires(),
  async (outer) => {
    const turfd = await Turfd.start(outer);

    await outer.test('of create', async (t) => {
      const { path } = bundle(outer, ['true']);
      await turfd.ok(['run', '--bundle', path, turfd.id('warm')]);
      const bundles = WAYS.map((mutate) => bundle(outer, ['true'], mutate));
      writeFileSync(join(bundles.at(-1)?.path ?? '', 'config.json'), '{');
      const before = open(turfd);
      for (let count = 0; count < FAILURES; count++) {
        const body = { id: turfd.id(`c${count % 7}`), bundle: bundles[count % bundles.length]?.path };
        const { status } = await turfd.rest('/containers', { method: 'POST', body: JSON.stringify(body) });
        if (status < 400) t.fail(`${count % bundles.length}: ${status}`);
      }
      await unchanged(t, turfd, before);
    });

    await outer.test('of run, whose client goes in the middle', async (t) => {
      const bundles = WAYS.map((mutate) => bundle(outer, ['true'], mutate));
      const before = open(turfd);
      for (const [index, { path }] of bundles.entries()) {
        t.not((await turfd.turf(['run', '--bundle', path, turfd.id(`r${index}`)])).status, 0);
      }
      await unchanged(t, turfd, before);
    });

    await outer.test('of fork', async (t) => {
      const seed = turfd.id('seed');
      const code = 'export default { fetch() { return new Response("hi"); } };';
      await turfd.ok([
        'seed',
        'create',
        '--bundle',
        workerBundle(outer, code, { turf: { seed: true } }).path,
        seed,
      ]);
      const first = turfd.id('seed-first');
      const listen = `unix:${join(turfd.root, 'taken.sock')}`;
      await turfd.ok(['fork', '--listen', listen, seed, first]);
      const before = open(turfd);
      const ways = [
        { seed: turfd.id('nobody') },
        { seed, listen },
        { seed, listen: 'unix:/no/such/directory/s' },
        { seed, listen: 'tcp:203.0.113.1:80' },
        { seed, code: '/etc' },
        { seed, network: 'host' },
        { seed, memory: 1 },
      ];
      for (let count = 0; count < FAILURES; count++) {
        const { seed: from, ...options } = ways[count % ways.length] ?? { seed };
        const body = { ...options, id: turfd.id(`f${count % 5}`) };
        const { status, body: text } = await turfd.rest(`/seeds/${from}/workers`, {
          method: 'POST',
          body: JSON.stringify(body),
        });
        if (status < 400) t.fail(`${count % ways.length}: ${status} ${text}`);
      }
      t.equal((await turfd.ok(['invoke', first])).stdout, 'hi', 'its socket was not taken away');
      await unchanged(t, turfd, before);
    });
  },
);

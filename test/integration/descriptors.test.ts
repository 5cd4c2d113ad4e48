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
  (config) => (config.linux.resources = { cpu: { cpus: '9999' } }),
  (config) => (config.linux.namespaces[1] = { type: 'network', path: '/etc/passwd' }),
  (config) => config.linux.namespaces.push({ type: 'user' }),
  (config) => config.mounts.push({ destination: '/srv', type: 'nofs', source: 'x' }),
  (config, path) => {
    const mapping = { containerID: 0, hostID: 100_000, size: 10 };
    config.linux.namespaces.push({ type: 'user' });
    config.linux.uidMappings = [mapping];
    config.linux.gidMappings = [mapping];
    for (const source of [path, '/no/source'])
      config.mounts.push({ destination: '/srv', type: 'bind', source, options: ['bind'] });
  },
  (config) => (config.hooks = { prestart: [{ path: '/bin/false' }] }),
  (config) => (config.hooks = { createContainer: [{ path: '/bin/false' }] }),
];

function brokenBundles(t: Test): string[] {
  const broken = bundle(t, ['true']).path;
  writeFileSync(join(broken, 'config.json'), '{');
  return [...WAYS.map((mutate) => bundle(t, ['true'], mutate).path), broken, '/no/bundle'];
}

interface Held {
  readonly descriptors: number;
  readonly remains: readonly string[];
}

const held = (turfd: Turfd): Held => ({
  descriptors: readdirSync(`/proc/${turfd.nodePid}/fd`).length,
  remains: turfd.remains(),
});

/** Connections that their clients have closed are closed here a moment later. */
async function unchanged(t: Test, turfd: Turfd, before: Held): Promise<void> {
  await eventually(`${before.descriptors} descriptors`, () => held(turfd).descriptors <= before.descriptors);
  t.strictSame(held(turfd).remains, before.remains);
}

await t.test('failures leave no descriptor, cgroup, process or directory', requires(), async (outer) => {
  const turfd = await Turfd.start(outer);

  await outer.test('of create', async (t) => {
    const bundles = brokenBundles(outer);
    await turfd.ok(['run', '--bundle', bundle(outer, ['true']).path, turfd.id('warm')]);
    const before = held(turfd);
    for (let count = 0; count < FAILURES; count++) {
      const way = count % bundles.length;
      const body = JSON.stringify({ id: turfd.id(`c${count % 7}`), bundle: bundles[way] });
      const { status } = await turfd.rest('/containers', { method: 'POST', body });
      if (status < 400) t.fail(`${way}: ${status}`);
    }
    await unchanged(t, turfd, before);
  });

  await outer.test('of run', async (t) => {
    const before = held(turfd);
    for (const [index, path] of brokenBundles(outer).entries())
      t.not((await turfd.turf(['run', '--bundle', path, turfd.id(`r${index}`)])).status, 0);
    await unchanged(t, turfd, before);
  });

  await outer.test('of fork', async (t) => {
    const seed = turfd.id('seed');
    const code = 'export default { fetch() { return new Response("hi"); } };';
    const { path } = workerBundle(outer, code, { turf: { seed: true } });
    await turfd.ok(['seed', 'create', '--pool', '0', '--bundle', path, seed]);
    const first = turfd.id('first');
    const listen = `unix:${join(turfd.root, 'taken.sock')}`;
    await turfd.ok(['fork', '--listen', listen, seed, first]);
    const ways: readonly Record<string, unknown>[] = [
      { seed: turfd.id('nobody') },
      { listen },
      { listen: 'unix:/no/such/directory/s' },
      { listen: 'tcp:203.0.113.1:80' },
      { code: '/etc' },
      { network: 'host' },
      { memory: 1 },
    ];
    const before = held(turfd);
    for (let count = 0; count < FAILURES; count++) {
      const way = count % ways.length;
      const { seed: from = seed, ...options } = ways[way] ?? {};
      const body = JSON.stringify({ id: turfd.id(`f${count % 5}`), ...options });
      const { status, body: text } = await turfd.rest(`/seeds/${String(from)}/fork`, {
        method: 'POST',
        body,
      });
      if (status < 400) t.fail(`${way}: ${status} ${text}`);
    }
    await unchanged(t, turfd, before);
    t.equal((await turfd.ok(['invoke', first])).stdout, 'hi', 'its socket was not taken away');
  });
});

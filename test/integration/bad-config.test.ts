import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { bundle, temporary } from './harness/bundle.js';
import type { BundleConfig } from './harness/config.js';
import { requires } from './harness/requires.js';
import { Turfd } from './harness/turfd.js';

/** What is wrong, how the config gets it, and what the message must name. */
const BAD: readonly (readonly [string, (config: BundleConfig) => unknown, RegExp])[] = [
  ['no ociVersion', (config) => Reflect.deleteProperty(config, 'ociVersion'), /ociVersion/],
  ['an ociVersion of the future', (config) => (config.ociVersion = '2.0.0'), /ociVersion/],
  ['an ociVersion that is none', (config) => (config.ociVersion = 'one'), /ociVersion/],
  ['no root', (config) => Reflect.deleteProperty(config, 'root'), /root/],
  ['no process.args', (config) => (config.process.args = []), /args/],
  ['a relative cwd', (config) => (config.process.cwd = 'tmp'), /cwd/],
  [
    'an unknown rlimit',
    (config) => (config.process.rlimits = [{ type: 'RLIMIT_X', soft: 1, hard: 1 }]),
    /RLIMIT_X|rlimits/,
  ],
  [
    'a soft limit over the hard one',
    (config) => (config.process.rlimits = [{ type: 'RLIMIT_NOFILE', soft: 9, hard: 1 }]),
    /RLIMIT_NOFILE|rlimits/,
  ],
  [
    'an rlimit given twice',
    (config) => (config.process.rlimits = [1, 2].map((n) => ({ type: 'RLIMIT_NOFILE', soft: n, hard: n }))),
    /RLIMIT_NOFILE|rlimits/,
  ],
  ['an unknown namespace', (config) => config.linux.namespaces.push({ type: 'cheese' }), /cheese|namespaces/],
  ['a namespace given twice', (config) => config.linux.namespaces.push({ type: 'pid' }), /pid|namespaces/],
  [
    'a namespace path that does not exist',
    (config) => (config.linux.namespaces[1] = { type: 'network', path: '/no/ns' }),
    /\/no\/ns|namespaces/,
  ],
  [
    'a relative namespace path',
    (config) => (config.linux.namespaces[1] = { type: 'network', path: 'ns' }),
    /namespaces/,
  ],
  [
    'a hostname without a uts namespace',
    (config) => (config.linux.namespaces = [{ type: 'mount' }, { type: 'pid' }]),
    /hostname|uts/,
  ],
  [
    'mappings without a user namespace',
    (config) => (config.linux.uidMappings = [{ containerID: 0, hostID: 1, size: 1 }]),
    /uidMappings|user/,
  ],
  [
    'a device of an unknown type',
    (config) => (config.linux.devices = [{ path: '/dev/x', type: 'q', major: 1, minor: 1 }]),
    /devices/,
  ],
  [
    'a relative device path',
    (config) => (config.linux.devices = [{ path: 'x', type: 'c', major: 1, minor: 1 }]),
    /devices/,
  ],
  ['a relative masked path', (config) => (config.linux.maskedPaths = ['proc/x']), /maskedPaths/],
  ['a cgroupsPath that climbs', (config) => (config.linux.cgroupsPath = '/../../x'), /cgroupsPath/],
  [
    'a negative memory limit that is not -1',
    (config) => (config.linux.resources = { memory: { limit: -5 } }),
    /memory/,
  ],
  ['a pids limit that is text', (config) => (config.linux.resources = { pids: { limit: 'x' } }), /pids/],
  [
    'a propagation that does not exist',
    (config) => (config.linux.rootfsPropagation = 'sideways'),
    /rootfsPropagation/,
  ],
  [
    'a hook with a relative path',
    (config) => (config.hooks = { poststop: [{ path: 'x' }] }),
    /poststop|hooks/,
  ],
  ['a sysctl that climbs', (config) => (config.linux.sysctl = { 'net/../../x': '1' }), /sysctl/],
  ['a NUL in an argument', (config) => (config.process.args = ['a\u0000b']), /args/],
  ['a NUL in the environment', (config) => (config.process.env = ['A=\u0000']), /env/],
  ['an uid that is too large', (config) => (config.process.user.uid = 2 ** 33), /uid/],
  ['an oom score out of range', (config) => (config.process.oomScoreAdj = 2000), /oomScoreAdj/],
  [
    'a field that turf does not implement',
    (config) => (config.linux['intelRdt'] = { closID: 'x' }),
    /intelRdt/,
  ],
  ['a root that does not exist', (config) => (config.root = { path: 'nowhere' }), /nowhere|root/],
];

await t.test('a bad config is refused with its field, and leaves nothing', requires(), async (t) => {
  const turfd = await Turfd.start(t);
  // Records of exits are made by the first process that ends.
  const entries = (): string[] => readdirSync(turfd.root).filter((name) => name !== 'exits');
  const before = entries().sort();

  for (const [index, [what, spoil, wanted]] of BAD.entries()) {
    await t.test(what, async (t) => {
      const { path } = bundle(t, ['true'], spoil);
      const id = turfd.id(`bad${index}`);
      const outcome = await turfd.turf(['create', '--bundle', path, id]);
      t.equal(outcome.status, 1);
      t.match(outcome.stderr, wanted, 'the message names it');
      t.notMatch(outcome.stderr, /\n\s+at /, 'and has no stack trace');
      t.strictSame(turfd.remains(), []);
      await turfd.turf(['delete', '--force', id]);
    });
  }

  await t.test('a bundle without a config, with half of one, and none at all', async (t) => {
    const empty = temporary(t);
    t.match(await turfd.turf(['create', '--bundle', empty, turfd.id('empty')]), {
      status: 1,
      stderr: /config\.json/,
    });
    writeFileSync(join(empty, 'config.json'), '{"ociVersion": "1.0.2", ');
    t.match(await turfd.turf(['create', '--bundle', empty, turfd.id('half')]), {
      status: 1,
      stderr: /config\.json|JSON/,
    });
    const nowhere = await turfd.turf(['create', '--bundle', '/no/bundle', turfd.id('nowhere')]);
    t.match(nowhere, { status: 1, stderr: /\/no\/bundle/ });
  });

  t.strictSame(entries().sort(), before, 'the state directory is as it was');
});

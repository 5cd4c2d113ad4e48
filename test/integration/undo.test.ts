import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { bundle } from './harness/bundle.js';
import type { BundleConfig } from './harness/config.js';
import { requires } from './harness/requires.js';
import { Turfd } from './harness/turfd.js';

/** One failure for each step that create has, in the order of the steps. */
const STEPS: readonly (readonly [string, (config: BundleConfig, path: string) => unknown, string[]?])[] = [
  [
    'a cgroup limit that the kernel refuses',
    (config) => (config.linux.resources = { cpu: { cpus: '9999' } }),
  ],
  ['a cgroup whose parent is a file', (config) => (config.linux.cgroupsPath = '/cgroup.procs/x')],
  [
    'joining a namespace that is none',
    (config) => (config.linux.namespaces[1] = { type: 'network', path: '/etc/passwd' }),
  ],
  [
    'id mappings that overlap',
    (config) => {
      config.linux.namespaces.push({ type: 'user' });
      config.linux.uidMappings = [1, 2].map((hostID) => ({ containerID: 0, hostID, size: 10 }));
      config.linux.gidMappings = [{ containerID: 0, hostID: 1, size: 10 }];
    },
  ],
  [
    'a root that is a file',
    (config, path) => {
      writeFileSync(join(path, 'file'), '');
      config.root = { path: 'file' };
    },
  ],
  [
    'a mount with a bad option',
    (config) =>
      config.mounts.push({ destination: '/srv', type: 'tmpfs', source: 'x', options: ['size=much'] }),
  ],
  [
    'a mount of an unknown file system',
    (config) => config.mounts.push({ destination: '/srv', type: 'nofs', source: 'x' }),
  ],
  [
    'a bind source that is missing',
    (config) =>
      config.mounts.push({ destination: '/srv', type: 'bind', source: '/no/source', options: ['bind'] }),
  ],
  [
    'a mount on what cannot be made',
    (config) => config.mounts.push({ destination: '/bin/sh/x', type: 'tmpfs', source: 'x' }),
  ],
  [
    'a device where a directory is',
    (config, path) => {
      mkdirSync(join(path, 'rootfs/dev/x'), { recursive: true });
      config.mounts = config.mounts.filter(({ destination }) => !destination.startsWith('/dev'));
      config.linux.devices = [{ path: '/dev/x', type: 'c', major: 1, minor: 3 }];
    },
  ],
  ['a sysctl that does not exist', (config) => (config.linux.sysctl = { 'net.no.such': '1' })],
  [
    'a sysctl value that is refused',
    (config) => (config.linux.sysctl = { 'net.ipv4.ip_forward': 'yes please' }),
  ],
  ['a createRuntime hook', (config) => (config.hooks = { createRuntime: [{ path: '/bin/false' }] })],
  ['a createContainer hook', (config) => (config.hooks = { createContainer: [{ path: '/bin/false' }] })],
  ['a prestart hook', (config) => (config.hooks = { prestart: [{ path: '/bin/false' }] })],
  ['a working directory that is a file', (config) => (config.process.cwd = '/bin/sh')],
  ['a program that is missing', (config) => (config.process.args = ['nope'])],
  ['a program that is a directory', (config) => (config.process.args = ['/bin'])],
  ['a program that is not executable', (config) => (config.process.args = ['/etc/passwd'])],
  [
    'an rlimit over the hard limit of the caller, or of the kernel',
    (config) => (config.process.rlimits = [{ type: 'RLIMIT_NOFILE', soft: 2 ** 31, hard: 2 ** 31 }]),
  ],
  [
    'an apparmor profile that is not there',
    (config) => Object.assign(config.process, { apparmorProfile: 'no-such-profile' }),
  ],
  [
    'a console socket that is missing',
    (config) => (config.process.terminal = true),
    ['--console-socket', '/no/console.sock'],
  ],
  ['a pid file that cannot be written', () => undefined, ['--pid-file', '/no/dir/pid']],
];

await t.test('whatever step of create fails, everything before it is undone', requires(), async (t) => {
  const turfd = await Turfd.start(t);

  for (const [index, [what, spoil, flags = []]] of STEPS.entries()) {
    await t.test(what, async (t) => {
      const id = turfd.id(`u${index}`);
      const { path } = bundle(t, ['true'], spoil);
      const outcome = await turfd.turf(['create', '--bundle', path, ...flags, id]);
      t.equal(outcome.status, 1);
      t.match(outcome.stderr, /\S/, 'says why');
      t.notOk((await turfd.list()).some((one) => one.id === id));
      t.strictSame(turfd.remains(), []);
      await turfd.turf(['delete', '--force', id]);
      const good = bundle(t, ['true']);
      t.equal((await turfd.turf(['run', '--bundle', good.path, id])).status, 0, 'the id is free again');
    });
  }
});

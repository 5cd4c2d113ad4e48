import t from 'tap';
import type { OciDevice } from '../../../../oci-spec/config.js';
import { compile, withLinux } from './plan-fixture.js';

const FUSE: OciDevice = {
  type: 'c',
  path: '/dev/fuse',
  major: 10,
  minor: 229,
  fileMode: 0o100600,
  uid: 5,
  gid: 6,
};

await t.test('default devices, then those of the config, then links', (t) => {
  const { all } = compile(
    withLinux({
      devices: [FUSE, { type: 'b', path: '/dev/vda', major: 8, minor: 0 }, { type: 'p', path: '/dev/p' }],
    }),
  );
  t.match(all('MKNOD'), [
    { path: '/dev/null', mode: 0o20666, major: 1, minor: 3, uid: 0, gid: 0 },
    { path: '/dev/zero', major: 1, minor: 5 },
    { path: '/dev/full', major: 1, minor: 7 },
    { path: '/dev/random', major: 1, minor: 8 },
    { path: '/dev/urandom', major: 1, minor: 9 },
    { path: '/dev/tty', major: 5, minor: 0 },
    { path: '/dev/fuse', mode: 0o20600, major: 10, minor: 229, uid: 5, gid: 6 },
    { path: '/dev/vda', mode: 0o60666, major: 8, minor: 0 },
    { path: '/dev/p', mode: 0o10666 },
  ]);
  t.same(all('SYMLINK'), [
    { target: '/proc/self/fd', path: '/dev/fd' },
    { target: '/proc/self/fd/0', path: '/dev/stdin' },
    { target: '/proc/self/fd/1', path: '/dev/stdout' },
    { target: '/proc/self/fd/2', path: '/dev/stderr' },
    { target: 'pts/ptmx', path: '/dev/ptmx' },
  ]);
  t.end();
});

await t.test('a device of the config replaces the default of that path; ptmx never does', (t) => {
  const { all, labels } = compile(
    withLinux({
      devices: [
        { type: 'c', path: '/dev//null', major: 1, minor: 3, fileMode: 0o600 },
        { type: 'c', path: '/dev/ptmx', major: 5, minor: 2 },
      ],
    }),
  );
  const paths = all('MKNOD').map(({ path }) => path);
  t.equal(paths.filter((path) => path === '/dev/null').length, 1);
  t.equal(all('MKNOD')[0]?.['mode'], 0o20600);
  t.equal(labels('MKNOD')[0], 'linux.devices[0]');
  t.notOk(paths.includes('/dev/ptmx'));
  t.end();
});

await t.test('in a user namespace the host’s nodes are bound', (t) => {
  const { all, names } = compile(
    withLinux({ namespaces: [{ type: 'user' }, { type: 'mount' }], devices: [FUSE] }),
  );
  t.notOk(names.includes('MKNOD'));
  t.match(all('MOUNT_BIND').at(-1), { source: '/dev/fuse', target: '/dev/fuse', flags: 2 });
  t.end();
});

await t.test('nothing is made in a /dev that is a bind mount', (t) => {
  const { names, all } = compile(
    withLinux(
      { devices: [FUSE, { type: 'p', path: '/run/p' }] },
      { mounts: [{ destination: '/dev/', type: 'bind', source: '/dev', options: ['rbind'] }] },
    ),
  );
  t.match(all('MKNOD'), [{ path: '/run/p' }]);
  t.notOk(names.includes('SYMLINK'));
  t.end();
});

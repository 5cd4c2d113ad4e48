import { spawn } from 'node:child_process';
import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { bundle, script, temporary } from './harness/bundle.js';
import type { BundleConfig } from './harness/config.js';
import { mountsAbout, namespaceOf } from './harness/processes.js';
import { requires } from './harness/requires.js';
import { eventually, Turfd } from './harness/turfd.js';

const withoutMountNamespace = (config: BundleConfig, path?: string): void => {
  config.linux.namespaces = config.linux.namespaces.filter(({ type }) => type !== 'mount');
  if (path !== undefined) config.linux.namespaces.push({ type: 'mount', path });
};

/** A process in a mount namespace of its own. */
async function otherNamespace(t: Test): Promise<number> {
  const child = spawn('unshare', ['-m', 'sleep', '1000'], { stdio: 'ignore' });
  t.teardown(() => child.kill('SIGKILL'));
  const pid = child.pid ?? 0;
  await eventually('unshare', () => namespaceOf(pid, 'mnt') !== namespaceOf('self', 'mnt'));
  return pid;
}

await t.test('a container in a mount namespace of others has mounts of its own', requires(), async (t) => {
  const turfd = await Turfd.start(t);

  await t.test('in the namespace of its caller: nobody sees them, and they go with it', async (t) => {
    const host = temporary(t);
    const { path } = bundle(
      t,
      script('ls /proc/self/fd >/dev/null && echo x > /srv/seen; wc -c < /etc/passwd; touch /f; sleep 1000'),
      (config) => {
        withoutMountNamespace(config);
        config.mounts.push({ destination: '/srv', type: 'bind', source: host, options: ['bind'] });
        config.linux.maskedPaths = ['/etc/passwd'];
      },
    );
    const before = readFileSync('/proc/self/mountinfo', 'utf8');
    const id = turfd.id('caller');
    const created = await turfd.ok(['create', '--bundle', path, id]);
    const { pid } = await turfd.state(id);
    t.equal(namespaceOf(pid, 'mnt'), namespaceOf('self', 'mnt'));
    t.equal(readFileSync('/proc/self/mountinfo', 'utf8'), before, 'the mount table is undisturbed');
    await turfd.ok(['start', id]);
    await eventually('its work', () => existsSync(join(host, 'seen')) && created.later().stderr !== '');
    t.equal(created.later().stdout, '0\n', 'masked');
    t.match(created.later().stderr, /Read-only file system/, 'the root is read-only');
    t.notOk(existsSync(`/proc/${pid}/root/var/lib/dpkg`), 'its root is not that of the namespace');
    const joined = await turfd.turf(['exec', id, '/bin/sh', '-c', 'ls /; test ! -e /var/lib/dpkg']);
    t.match(joined, { status: 0, stdout: /^bin\ndev\n/ }, 'exec comes into that root');
    await turfd.ok(['delete', '--force', id]);
    t.strictSame(mountsAbout(path), []);
  });

  await t.test('in a namespace given by path', async (t) => {
    const other = await otherNamespace(t);
    const { path } = bundle(t, ['sleep', '1000'], (config) =>
      withoutMountNamespace(config, `/proc/${other}/ns/mnt`),
    );
    const before = readFileSync(`/proc/${other}/mountinfo`, 'utf8');
    const id = turfd.id('path');
    await turfd.ok(['run', '--detach', '--bundle', path, id]);
    const { pid } = await turfd.state(id);
    t.equal(namespaceOf(pid, 'mnt'), namespaceOf(other, 'mnt'));
    t.equal(readFileSync(`/proc/${other}/mountinfo`, 'utf8'), before);
    t.equal(readlinkSync(`/proc/${pid}/exe`), '/bin/busybox', 'as its own root names it');
    const joined = await turfd.turf(['exec', id, '/bin/sh', '-c', 'ls /; test ! -e /var/lib/dpkg']);
    t.match(joined, { status: 0, stdout: /^bin\ndev\n/ }, 'exec comes into that root');
    await turfd.ok(['delete', '--force', id]);
  });
});

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { bundle, script, temporary } from './harness/bundle.js';
import type { BundleConfig, Mount } from './harness/config.js';
import { mountsAbout } from './harness/processes.js';
import { requires } from './harness/requires.js';
import { Turfd } from './harness/turfd.js';

await t.test('mounts', requires(), async (t) => {
  const turfd = await Turfd.start(t);
  let number = 0;
  const inside = async (text: string, mutate?: (config: BundleConfig, path: string) => void) => {
    const { path } = bundle(t, script(text), mutate);
    return turfd.turf(['run', '--bundle', path, turfd.id(`m${++number}`)]);
  };
  const withMount = (mount: Mount) => (config: BundleConfig) => config.mounts.push(mount);
  const host = temporary(t);
  writeFileSync(join(host, 'file'), 'from the host\n');

  await t.test('a bind mount shows the host directory and can be written', async (t) => {
    const outcome = await inside(
      'cat /srv/file; echo new > /srv/written',
      withMount({ destination: '/srv', type: 'bind', source: host, options: ['bind'] }),
    );
    t.match(outcome, { status: 0, stdout: 'from the host\n' });
    t.ok(existsSync(join(host, 'written')));
  });

  await t.test('a read-only bind mount refuses writing, also by its owner', async (t) => {
    const outcome = await inside(
      'cat /srv/file; echo x > /srv/ro',
      withMount({ destination: '/srv', type: 'bind', source: host, options: ['rbind', 'ro'] }),
    );
    t.match(outcome, { stdout: 'from the host\n', stderr: /Read-only/ });
    t.not(outcome.status, 0);
    t.notOk(existsSync(join(host, 'ro')));
  });

  await t.test('bind options nosuid, nodev, noexec are set on the mount', async (t) => {
    const { stdout } = await inside(
      'grep " /srv " /proc/self/mountinfo',
      withMount({
        destination: '/srv',
        type: 'bind',
        source: host,
        options: ['bind', 'nosuid', 'nodev', 'noexec'],
      }),
    );
    t.match(stdout, /\/srv rw,nosuid,nodev,noexec/);
  });

  await t.test('a file is bound onto a file that does not exist yet', async (t) => {
    const outcome = await inside('cat /srv/deep/name', (config) => {
      if (config.root !== undefined) config.root.readonly = false;
      config.mounts.push({
        destination: '/srv/deep/name',
        type: 'bind',
        source: join(host, 'file'),
        options: ['bind'],
      });
    });
    t.match(outcome, { status: 0, stdout: 'from the host\n' });
  });

  await t.test('a relative source is looked up in the bundle', async (t) => {
    const outcome = await inside('cat /srv/x', (config, path) => {
      mkdirSync(join(path, 'data'));
      writeFileSync(join(path, 'data/x'), 'relative\n');
      config.mounts.push({ destination: '/srv', type: 'bind', source: 'data', options: ['bind'] });
    });
    t.match(outcome, { status: 0, stdout: 'relative\n' });
  });

  await t.test('tmpfs takes size and mode', async (t) => {
    const { stdout } = await inside(
      'grep " /srv " /proc/self/mountinfo; stat -c %a /srv; echo ok > /srv/f && cat /srv/f',
      withMount({
        destination: '/srv',
        type: 'tmpfs',
        source: 'tmpfs',
        options: ['nosuid', 'size=64k', 'mode=711'],
      }),
    );
    t.match(stdout, /\/srv rw,nosuid.* - tmpfs tmpfs .*size=64k.*\n711\nok\n/);
  });

  await t.test('tmpcopyup starts a tmpfs with what the image holds there', async (t) => {
    const outcome = await inside(
      'cat /data/file; echo new > /data/written; cat /data/written',
      (config, path) => {
        mkdirSync(join(path, 'rootfs', 'data'));
        writeFileSync(join(path, 'rootfs', 'data', 'file'), 'from the image\n');
        config.mounts.push({ destination: '/data', type: 'tmpfs', source: 'tmpfs', options: ['tmpcopyup'] });
      },
    );
    t.match(outcome, { status: 0, stdout: 'from the image\nnew\n' });
  });

  await t.test('the root is read-only when asked, and writable when not', async (t) => {
    t.not((await inside('touch /f')).status, 0);
    const writable = await inside(
      'touch /f',
      (config) => (config.root = { path: 'rootfs', readonly: false }),
    );
    t.equal(writable.status, 0);
  });

  await t.test('the order of mounts is kept: a later one covers an earlier', async (t) => {
    const outcome = await inside('ls /srv; ls /srv/in', (config) => {
      config.mounts.push(
        { destination: '/srv', type: 'tmpfs', source: 'tmpfs', options: [] },
        { destination: '/srv/in', type: 'bind', source: host, options: ['bind', 'ro'] },
      );
    });
    t.match(outcome, { status: 0, stdout: /^in\nfile\n/ });
  });

  await t.test('propagation is as asked', async (t) => {
    for (const [option, wanted] of [
      ['private', /\/srv rw[^-]* - /],
      ['shared', /\/srv rw.* shared:\d+ .*- /],
      ['slave', /\/srv rw.* master:\d+ .*- /],
      ['unbindable', /\/srv rw.* unbindable - /],
    ] as const) {
      const source = temporary(t);
      execFileSync('mount', ['--bind', source, source]);
      t.teardown(() => execFileSync('umount', ['-l', source]));
      execFileSync('mount', ['--make-shared', source]);
      const { stdout } = await inside(
        'grep " /srv " /proc/self/mountinfo',
        withMount({ destination: '/srv', type: 'bind', source, options: ['rbind', option] }),
      );
      t.match(stdout, wanted, option);
    }
  });

  await t.test('no mount of a container is seen on the host', async (t) => {
    const id = turfd.id('leak');
    const { path } = bundle(
      t,
      ['sleep', '1000'],
      withMount({ destination: '/srv', type: 'tmpfs', source: 'tmpfs' }),
    );
    await turfd.ok(['run', '--detach', '--bundle', path, id]);
    t.strictSame(mountsAbout(path), []);
    await turfd.ok(['delete', '--force', id]);
  });

  await t.test('a link in the root cannot send a mount to the host', async (t) => {
    const target = temporary(t);
    const outcome = await inside('ls /escape/', (config, path) => {
      config.root = { path: 'rootfs', readonly: false };
      symlinkSync(target, join(path, 'rootfs/escape'));
      config.mounts.push({ destination: '/escape/made', type: 'tmpfs', source: 'tmpfs' });
    });
    t.notOk(existsSync(join(target, 'made')), 'nothing was made on the host');
    t.ok(outcome.status === 0 || outcome.stderr !== '', 'inside the root, or refused');
  });

  await t.test('proc on a link is refused', async (t) => {
    const outcome = await inside('true', (config, path) => {
      execFileSync('rm', ['-rf', join(path, 'rootfs/proc')]);
      symlinkSync('/tmp', join(path, 'rootfs/proc'));
      config.root = { path: 'rootfs', readonly: false };
    });
    t.match(outcome, { status: 1, stderr: /\/proc/ });
  });

  await t.test('an option that the file system does not know is named', async (t) => {
    const outcome = await inside(
      'true',
      withMount({ destination: '/srv', type: 'tmpfs', source: 'tmpfs', options: ['nonsense=1'] }),
    );
    t.match(outcome, { status: 1, stderr: /nonsense|\/srv/ });
    t.strictSame(turfd.remains(), []);
  });

  await t.test('a remount changes the file system and its mount', async (t) => {
    const table = "grep ' /srv ' /proc/self/mountinfo";
    const remounted = (options: string[]) => (config: BundleConfig) => {
      config.mounts.push({ destination: '/srv', type: 'tmpfs', source: 'tmpfs', options: ['size=64k'] });
      config.mounts.push({
        destination: '/srv',
        type: 'tmpfs',
        source: 'tmpfs',
        options: ['remount', ...options],
      });
    };
    const outcome = await inside(table, remounted(['size=2m', 'nosuid', 'nofail']));
    t.match(outcome, { status: 0, stdout: /nosuid.*,size=2048k/ });
    t.match(await inside(table, remounted(['nonsense=1'])), { status: 1, stderr: /remount \/srv.*nonsense/ });
  });

  await t.test('masked paths read as nothing, read-only paths refuse writing', async (t) => {
    const outcome = await inside(
      'wc -c < /proc/keys; ls /sys/firmware | wc -l; echo x > /proc/sys/kernel/domainname || echo refused',
      (config) => {
        config.process.capabilities = {
          bounding: ['CAP_SYS_ADMIN'],
          effective: ['CAP_SYS_ADMIN'],
          permitted: ['CAP_SYS_ADMIN'],
        };
      },
    );
    t.match(outcome.stdout, /^0\n0\nrefused\n$/);
  });

  await t.test('a masked path of the image: file and directory', async (t) => {
    const outcome = await inside('wc -c < /etc/secret; ls -A /hidden | wc -l', (config, path) => {
      writeFileSync(join(path, 'rootfs/etc/secret'), 'secret');
      mkdirSync(join(path, 'rootfs/hidden'));
      writeFileSync(join(path, 'rootfs/hidden/x'), 'secret');
      config.linux.maskedPaths = ['/etc/secret', '/hidden', '/does/not/exist'];
    });
    t.match(outcome, { status: 0, stdout: '0\n0\n' });
  });
});

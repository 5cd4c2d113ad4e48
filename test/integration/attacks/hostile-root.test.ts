import { execFileSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { script } from '../harness/bundle.js';
import type { BundleConfig } from '../harness/config.js';
import { receiveConsole } from '../harness/console.js';
import { requires } from '../harness/requires.js';
import { Turfd } from '../harness/turfd.js';
import { type Entry, hostileBundle, Untouched } from './hostile.js';

await t.test('a hostile root file system', requires(), async (outer) => {
  const turfd = await Turfd.start(outer);
  let count = 0;
  const run = async (
    args: string[],
    entries: Readonly<Record<string, Entry>>,
    mutate?: (config: BundleConfig, path: string) => void,
  ) => {
    const { path } = hostileBundle(outer, args, entries, mutate);
    const outcome = await turfd.turf(['run', '--bundle', path, turfd.id(`h${++count}`)]);
    return { ...outcome, rootfs: join(path, 'rootfs') };
  };
  const withoutDev = (config: BundleConfig): void => {
    config.mounts = config.mounts.filter(({ destination }) => !destination.startsWith('/dev'));
  };

  await outer.test('/proc and /sys as links are refused (CVE-2019-19921, CVE-2023-27561)', async (t) => {
    for (const name of ['proc', 'sys'])
      for (const link of ['/tmp', '../../..', 'srv', '/etc/../srv', '/proc/self/root']) {
        const outcome = await run(['true'], { [name]: { link } });
        t.match(outcome, { status: 1, stderr: new RegExp(`/${name}`) }, `${name} -> ${link}`);
      }
    t.strictSame(turfd.remains(), []);
  });

  await outer.test('/proc as a file, a FIFO or a device is refused (CVE-2019-16884)', async (t) => {
    for (const entry of [{ file: '' }, { fifo: true }, { device: ['c', 1, 3] }] as const)
      t.match(await run(['true'], { proc: entry }), { status: 1, stderr: /\/proc/ });
  });

  await outer.test(
    'labels and scores go to the real procfs, whatever is mounted on /proc (CVE-2025-52881)',
    async (t) => {
      const outcome = await run(
        script('cat /proc/self/oom_score_adj /proc/1/attr/exec; ls /proc/self'),
        {},
        (config) => {
          config.process.oomScoreAdj = 500;
          config.linux.maskedPaths = [];
          config.linux.readonlyPaths = [];
          config.mounts = config.mounts.filter(({ destination }) => destination !== '/proc');
          config.mounts.push({ destination: '/proc', type: 'tmpfs', source: 'tmpfs' });
        },
      );
      t.notMatch(outcome.stdout, /500/, 'a false procfs shows nothing');
      const real = await run(
        script('mount -t proc proc /srv && cat /srv/self/oom_score_adj'),
        {},
        (config) => {
          const caps = ['CAP_SYS_ADMIN'];
          config.process.capabilities = { bounding: caps, effective: caps, permitted: caps };
          config.process.oomScoreAdj = 500;
          config.linux.maskedPaths = [];
          config.linux.readonlyPaths = [];
          config.mounts = config.mounts.filter(({ destination }) => destination !== '/proc');
          config.mounts.push({ destination: '/proc', type: 'tmpfs', source: 'tmpfs' });
        },
      );
      t.match(real, { status: 0, stdout: '500\n' }, 'and the kernel has the score');
    },
  );

  await outer.test('a sysctl does not follow what the image put in its way', async (t) => {
    const host = new Untouched(t);
    const outcome = await run(
      script('cat /proc/sys/net/ipv4/ip_unprivileged_port_start'),
      {
        'proc/sys/net/ipv4/ip_unprivileged_port_start': { link: join(host.path, 'x') },
      },
      (config) => (config.linux.sysctl = { 'net.ipv4.ip_unprivileged_port_start': '77' }),
    );
    t.match(outcome, { status: 0, stdout: '77\n' });
    t.strictSame(host.damage(), []);
  });

  await outer.test('/dev as a link makes no node outside of the root (CVE-2026-41579)', async (t) => {
    const host = new Untouched(t);
    for (const link of [host.path, `../../..${host.path}`, `/proc/self/root${host.path}`]) {
      await run(['true'], { dev: { link } }, withoutDev);
      await run(['true'], { dev: { link } });
      await run(['true'], { 'dev/pts': { link }, 'dev/shm': { link }, 'dev/mqueue': { link } }, (config) => {
        config.mounts = config.mounts.filter(({ destination }) => destination !== '/dev');
      });
      t.strictSame(host.damage(), [], link);
    }
  });

  await outer.test('device nodes of the image do not pass for the default ones', async (t) => {
    const disguised = { 'dev/null': { device: ['c', 1, 1] }, 'dev/zero': { link: '/etc/passwd' } } as const;
    for (const [path, entry] of Object.entries(disguised)) {
      const outcome = await run(['true'], { [path]: entry }, withoutDev);
      t.match(outcome, { status: 1, stderr: new RegExp(path) });
    }
    const { status, rootfs } = await run(['true'], { 'dev/null': { device: ['c', 1, 3] } }, withoutDev);
    t.equal(status, 0, 'the right one is left');
    t.equal(statSync(join(rootfs, 'dev/null')).rdev, 0x103);
  });

  await outer.test('a false /dev/null does not get under a masked path (CVE-2025-31133)', async (t) => {
    for (const entry of [{ file: 'shown' }, { link: '/etc/shadow-of-host' }, { fifo: true }] as const) {
      const outcome = await run(
        script('cat /secret'),
        { 'dev/null': entry, secret: { file: 'secret' } },
        (config) => {
          withoutDev(config);
          config.linux.maskedPaths = ['/secret'];
        },
      );
      t.not(outcome.status, 0);
      t.equal(outcome.stdout, '');
    }
  });

  await outer.test('masked and read-only paths that are links stay inside the root', async (t) => {
    const host = new Untouched(t);
    const outcome = await run(
      script('ls /hidden /aside'),
      {
        hidden: { link: host.path },
        aside: { link: '../../../../../..' },
        absent: { link: '/no/such/thing' },
      },
      (config) => {
        config.linux.maskedPaths = ['/hidden', '/absent'];
        config.linux.readonlyPaths = ['/aside', '/absent'];
      },
    );
    t.notMatch(outcome.stdout, /untouched/);
    t.strictSame(host.damage(), []);
  });

  await outer.test('a dangling link makes nothing on the host (CVE-2024-45310)', async (t) => {
    const host = new Untouched(t);
    for (const [path, target] of [
      ['a', `${host.path}/made`],
      ['b', `../../../../../..${host.path}/made`],
    ] as const) {
      await run(['true'], { [path]: { link: target } }, (config, dir) => {
        config.mounts.push(
          { destination: `/${path}`, type: 'tmpfs', source: 'tmpfs' },
          { destination: `/${path}/deep/er`, type: 'bind', source: dir, options: ['bind'] },
        );
        config.process.cwd = `/${path}/cwd`;
      });
      t.strictSame(host.damage(), []);
    }
  });

  await outer.test('mount destinations and the working directory cannot climb out', async (t) => {
    const host = new Untouched(t);
    await run(['true'], {}, (config) => {
      config.mounts.push({ destination: `/../../..${host.path}/m`, type: 'tmpfs', source: 'tmpfs' });
    });
    const cwd = await run(
      script('pwd'),
      { away: { link: host.path } },
      (config) => (config.process.cwd = '/away'),
    );
    t.match(
      cwd.stdout,
      cwd.status === 0 ? new RegExp(`^${host.path}\n$`) : /^$/,
      'a directory of its own by that name, or refused',
    );
    t.strictSame(host.damage(), []);
  });

  await outer.test('/etc/passwd as a link, a FIFO, a directory or a device is no way out', async (t) => {
    for (const entry of [
      { link: '/proc/self/root/etc/passwd' },
      { link: '../../../../../etc/passwd' },
      { fifo: true },
      { dir: true },
      { device: ['c', 1, 9] },
      { device: ['c', 5, 2] },
    ] as const) {
      const outcome = await run(script('echo $HOME'), { 'etc/passwd': entry });
      t.match(outcome, { status: 0, stdout: '/\n' }, JSON.stringify(entry));
    }
    const etc = await run(script('echo $HOME'), { etc: { link: '/proc/1/root/etc' } });
    t.match(etc, { status: 0, stdout: '/\n' });
  });

  await outer.test('a false ptmx is not taken for a terminal (CVE-2025-52565)', async (t) => {
    for (const entry of [
      { fifo: true },
      { file: '' },
      { link: '/dev/null' },
      { device: ['c', 5, 2] },
    ] as const) {
      const { socket } = await receiveConsole(t);
      const { path } = hostileBundle(t, ['true'], { 'dev/pts/ptmx': entry }, (config) => {
        withoutDev(config);
        config.process.terminal = true;
      });
      const outcome = await turfd.turf([
        'create',
        '--bundle',
        path,
        '--console-socket',
        socket,
        turfd.id(`pty${++count}`),
      ]);
      t.match(outcome, { status: 1, stderr: /ptmx/ }, JSON.stringify(entry));
    }
  });

  await outer.test('/dev/console as a link binds no terminal on the host', async (t) => {
    const host = new Untouched(t);
    const { socket } = await receiveConsole(t);
    const { path } = hostileBundle(
      t,
      ['true'],
      { 'dev/console': { link: `${host.path}/console` } },
      (config) => {
        config.mounts = config.mounts.filter(
          ({ destination }) => !['/dev', '/dev/shm', '/dev/mqueue'].includes(destination),
        );
        config.process.terminal = true;
      },
    );
    await turfd.turf(['run', '--detach', '--bundle', path, '--console-socket', socket, turfd.id('console')]);
    t.strictSame(host.damage(), []);
  });

  await outer.test('hooks in the container find their program inside of it', async (t) => {
    const host = new Untouched(t);
    const outcome = await run(['true'], { hook: { link: '/bin/busybox' } }, (config) => {
      config.hooks = { startContainer: [{ path: '/hook', args: ['touch', join(host.path, 'x')] }] };
    });
    t.not(outcome.status, 0);
    t.strictSame(host.damage(), []);
    t.notOk(existsSync('/hook'));
  });

  await outer.test('files of the host are as they were', (t) => {
    t.equal(statSync('/dev/null').rdev, 0x103);
    t.equal(execFileSync('stat', ['-c', '%a', '/dev/null']).toString(), '666\n');
    t.end();
  });
});

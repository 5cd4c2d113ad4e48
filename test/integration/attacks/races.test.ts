import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { script } from '../harness/bundle.js';
import { requires } from '../harness/requires.js';
import { Turfd } from '../harness/turfd.js';
import { exchange, hostileBundle, Untouched } from './hostile.js';

const ROUNDS = 8;

await t.test('entries of the root that are swapped while a container is made', requires(), async (outer) => {
  const turfd = await Turfd.start(outer);
  let count = 0;

  /** Directories (or files) and links to the host trade places; whatever comes of it must stay inside. */
  const attack = async (
    name: string,
    entry: string,
    kind: 'dir' | 'file',
    mutate: Parameters<typeof hostileBundle>[3],
  ): Promise<void> => {
    await outer.test(name, async (t) => {
      const host = new Untouched(t);
      const { path } = hostileBundle(t, script('true'), {}, mutate);
      const honest = join(path, 'rootfs', entry);
      const evil = join(path, 'rootfs', `${entry}.evil`);
      mkdirSync(join(honest, '..'), { recursive: true });
      if (kind === 'dir') mkdirSync(honest, { recursive: true });
      else writeFileSync(honest, '');
      symlinkSync(host.path, evil);
      await exchange(t, honest, evil);
      let inside = 0;
      for (let round = 0; round < ROUNDS; round++) {
        const { status, signal } = await turfd.turf(['run', '--bundle', path, turfd.id(`r${++count}`)]);
        t.equal(signal, null, 'it ends');
        inside += status === 0 ? 1 : 0;
      }
      t.comment(`${inside} of ${ROUNDS} went well`);
      t.strictSame(host.damage(), [], 'nothing came out');
      t.strictSame(turfd.remains(), []);
    });
  };

  await attack('a mount target (CVE-2021-30465)', 'data', 'dir', (config) => {
    config.mounts.push({ destination: '/data', type: 'tmpfs', source: 'tmpfs' });
  });
  await attack('the parent of a mount target that is made', 'deep', 'dir', (config, path) => {
    config.mounts.push({ destination: '/deep/a/b', type: 'bind', source: path, options: ['bind'] });
  });
  await attack('a masked path', 'secret', 'dir', (config) => {
    config.linux.maskedPaths = ['/secret'];
  });
  await attack('a read-only path', 'fixed', 'dir', (config) => {
    config.linux.readonlyPaths = ['/fixed'];
  });
  await attack('/dev while nodes are made', 'dev', 'dir', (config) => {
    config.mounts = config.mounts.filter(({ destination }) => !destination.startsWith('/dev'));
    config.linux.maskedPaths = [];
  });
  await attack('/dev/null under a masked file (CVE-2025-31133)', 'dev/null', 'file', (config) => {
    config.mounts = config.mounts.filter(({ destination }) => !destination.startsWith('/dev'));
    config.linux.maskedPaths = ['/etc/passwd'];
  });
  await attack('/proc', 'proc', 'dir', (config) => {
    config.process.oomScoreAdj = 100;
    config.linux.sysctl = { 'net.ipv4.ip_unprivileged_port_start': '77' };
  });
  await attack('the working directory', 'work', 'dir', (config) => {
    config.process.cwd = '/work';
  });
  await attack('a tmpfs that starts with what the image holds', 'copied', 'dir', (config) => {
    config.mounts.push({ destination: '/copied', type: 'tmpfs', source: 'tmpfs', options: ['tmpcopyup'] });
  });

  for (const [name, evil] of [
    ['a file with other content', (at: string): void => writeFileSync(at, 'evil', { mode: 0o755 })],
    ['a link to the host', (at: string): void => symlinkSync('/etc/passwd', at)],
    ['a FIFO', (at: string): void => void execFileSync('mkfifo', [at])],
  ] as const) {
    await outer.test(`a set-id file that trades places with ${name} while a tmpfs is filled`, async (t) => {
      // Whatever is set-id in the copy is the file that was: neither the other's content nor the host's.
      const look = script(
        '[ ! -L /copied/tool ] && [ -u /copied/tool ] && ! grep -q ^good$ /copied/tool && echo BAD',
      );
      const { path } = hostileBundle(t, look, {}, (config) => {
        const options = ['tmpcopyup'];
        config.mounts.push({ destination: '/copied', type: 'tmpfs', source: 'tmpfs', options });
      });
      const tool = join(path, 'rootfs/copied/tool');
      mkdirSync(join(tool, '..'));
      writeFileSync(tool, 'good\n');
      chmodSync(tool, 0o4755);
      evil(`${tool}.evil`);
      await exchange(t, tool, `${tool}.evil`);
      for (let round = 0; round < ROUNDS; round++) {
        const { stdout, signal } = await turfd.turf(['run', '--bundle', path, turfd.id(`r${++count}`)]);
        t.equal(signal, null, 'it ends');
        t.notMatch(stdout, /BAD/);
      }
      t.strictSame(turfd.remains(), []);
    });
  }
});

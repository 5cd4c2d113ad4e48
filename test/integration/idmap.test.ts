import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import t from 'tap';
import { bundle, script, temporary } from './harness/bundle.js';
import type { BundleConfig, Mount } from './harness/config.js';
import { isAlive, namespaceOf } from './harness/processes.js';
import { requires } from './harness/requires.js';
import { run } from './harness/run.js';
import { eventually, Turfd } from './harness/turfd.js';

const map = (hostID: number, containerID = 0) => [{ containerID, hostID, size: 1000 }];
const asRoot = { uidMappings: map(100_000), gidMappings: map(100_000) };

await t.test('id-mapped mounts', requires(), async (t) => {
  const turfd = await Turfd.start(t);
  const data = temporary(t);
  writeFileSync(join(data, 'file'), '');
  chownSync(join(data, 'file'), 5, 7);
  mkdirSync(join(data, 'sub'));
  await run(t, 'mount', ['-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', join(data, 'sub')]);
  t.teardown(() => run(t, 'umount', ['-l', join(data, 'sub')]));
  writeFileSync(join(data, 'sub/file'), '');
  chownSync(join(data, 'sub/file'), 5, 7);

  let number = 0;
  const owners = async (
    mount: Partial<Mount> & Record<string, unknown>,
    mutate?: (config: BundleConfig) => void,
    files = '/srv/file /srv/sub/file',
  ): Promise<string> => {
    const { path } = bundle(t, script(`stat -c %u:%g ${files}`), (config) => {
      config.mounts.push({ destination: '/srv', source: data, ...mount });
      mutate?.(config);
    });
    const { stdout, stderr } = await turfd.turf(['run', '--bundle', path, turfd.id(`m${++number}`)]);
    return (stdout + stderr).trim().replace(/\n/g, ' ');
  };
  const inUserNamespace = (config: BundleConfig): void => {
    config.linux.namespaces.push({ type: 'user' });
    Object.assign(config.linux, asRoot);
  };

  await t.test('mappings of the mount, for the mount alone or for the tree', async (t) => {
    const shift = { uidMappings: map(2000), gidMappings: map(3000) };
    t.equal(await owners({ options: ['rbind', 'idmap'], ...shift }), '2005:3007 5:7');
    t.equal(await owners({ options: ['rbind', 'ridmap'], ...shift }), '2005:3007 2005:3007');
    t.equal(
      await owners({ options: ['rbind'], ...shift }),
      '2005:3007 5:7',
      'without the option, as runc does',
    );
    t.equal(
      await owners(
        { options: ['bind', 'idmap', 'ro'], uidMappings: map(9, 5), gidMappings: map(9, 7) },
        undefined,
        '/srv/file',
      ),
      '9:9',
    );
  });

  await t.test('without mappings, those of the user namespace: files keep their numbers in it', async (t) => {
    t.equal(await owners({ options: ['rbind', 'ridmap'] }, inUserNamespace), '5:7 5:7');
    t.equal(await owners({ options: ['rbind'] }, inUserNamespace), '65534:65534 65534:65534');
  });

  await t.test('those of a user namespace that is joined', async (t) => {
    const holder = spawn('unshare', ['--user', 'sleep', '1000'], { stdio: 'ignore' });
    t.teardown(() => holder.kill('SIGKILL'));
    const pid = holder.pid ?? 0;
    await eventually(
      'a user namespace',
      () => isAlive(pid) && namespaceOf(pid, 'user') !== namespaceOf('self', 'user'),
    );
    for (const file of ['gid_map', 'uid_map']) writeFileSync(`/proc/${pid}/${file}`, '0 100000 1000\n');
    const joining = (config: BundleConfig): void => {
      config.linux.namespaces.push({ type: 'user', path: `/proc/${pid}/ns/user` });
    };
    t.equal(await owners({ options: ['bind', 'idmap'] }, joining, '/srv/file'), '5:7');
  });

  await t.test('files that the container makes have the mapped owner on the host', async (t) => {
    const { path } = bundle(t, script('touch /srv/made'), (config) => {
      config.mounts.push({ destination: '/srv', source: data, options: ['bind', 'idmap'] });
      inUserNamespace(config);
    });
    await turfd.ok(['run', '--bundle', path, turfd.id('makes')]);
    t.equal((await run(t, 'stat', ['-c', '%u:%g', join(data, 'made')])).stdout.trim(), '0:0');
  });

  await t.test('what cannot be mapped is refused by its field', async (t) => {
    t.match(
      await owners({ options: ['bind', 'idmap'] }),
      'mounts[7].options[1]: "idmap" needs uidMappings and gidMappings, or a user namespace',
    );
    t.match(
      await owners({ type: 'tmpfs', options: ['idmap'], ...asRoot }),
      'mounts[7].options[0]: is for bind mounts only',
    );
    t.match(
      await owners({ source: '/proc', options: ['bind', 'idmap'], ...asRoot }),
      /mounts\[7\]\.options: map the ids of a mount: invalid argument/,
    );
  });
});

import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { bundle, script } from './harness/bundle.js';
import type { BundleConfig } from './harness/config.js';
import { cgroupsAbout, isAlive, processesAbout } from './harness/processes.js';
import { requires } from './harness/requires.js';
import { eventually, Turfd } from './harness/turfd.js';

const FAMILY = script('sleep 1001 & sleep 1002 & wait');
const FREEZER = '/sys/fs/cgroup/freezer';

const withoutPidNamespace = (config: BundleConfig): void => {
  config.linux.namespaces = config.linux.namespaces.filter(({ type }) => type !== 'pid');
};

async function running(
  t: Test,
  turfd: Turfd,
  name: string,
  mutate?: (config: BundleConfig) => void,
): Promise<string> {
  const id = turfd.id(name);
  const { path } = bundle(t, FAMILY, (config) => {
    config.linux.cgroupsPath = `/${id}`;
    mutate?.(config);
  });
  await turfd.ok(['run', '--detach', '--bundle', path, id]);
  await eventually('three processes', () => pids(id).length === 3);
  return id;
}

const pids = (id: string): number[] => {
  const directory = cgroupsAbout(id).find((path) => existsSync(join(path, 'cgroup.procs')));
  return directory === undefined
    ? []
    : readFileSync(join(directory, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number);
};

await t.test('kill: what signals do before a start, and none', requires(), async (t) => {
  const turfd = await Turfd.start(t);

  for (const signal of ['HUP', 'INT', 'QUIT', 'TERM'])
    await t.test(`${signal} ends a container that is created`, async (t) => {
      const id = turfd.id(`early-${signal}`);
      await turfd.ok(['create', '--bundle', bundle(t, ['true']).path, id]);
      await turfd.ok(['kill', id, signal]);
      await turfd.until(id, 'stopped');
      t.match(await turfd.turf(['start', id]), { status: 1, stderr: /cannot start .*stopped/ });
      await turfd.ok(['delete', id]);
    });

  await t.test('the program starts with the default dispositions', async (t) => {
    const id = turfd.id('defaults');
    const out = await turfd.ok([
      'run',
      '--bundle',
      bundle(t, ['grep', 'SigCgt', '/proc/self/status']).path,
      id,
    ]);
    t.match(out.stdout, /^SigCgt:\s*0+$/m);
  });

  await t.test('0 asks whether there is a process', async (t) => {
    const id = turfd.id('asked');
    await turfd.ok(['run', '--detach', '--bundle', bundle(t, ['sleep', '1000']).path, id]);
    await turfd.ok(['kill', id, '0']);
    t.equal((await turfd.state(id)).status, 'running');
    await turfd.ok(['kill', id, 'KILL']);
    await turfd.until(id, 'stopped');
    t.match(await turfd.turf(['kill', id, '0']), { status: 1, stderr: /container not running/ });
    await turfd.ok(['delete', id]);
  });
});

await t.test('kill KILL ends all of a container', requires('cgroup-v1'), async (t) => {
  const turfd = await Turfd.start(t);
  await t.test('without a PID namespace of its own', async (t) => {
    const id = await running(t, turfd, 'nopid', withoutPidNamespace);
    const before = pids(id);
    await turfd.ok(['kill', id, 'KILL']);
    await turfd.until(id, 'stopped');
    await eventually('all to be gone', () => !before.some(isAlive));
  });

  await t.test('that is frozen', async (t) => {
    const id = await running(t, turfd, 'frozen');
    const before = pids(id);
    writeFileSync(join(FREEZER, id, 'freezer.state'), 'FROZEN');
    await turfd.ok(['kill', id, '9']);
    await turfd.until(id, 'stopped');
    await eventually('all to be gone', () => !before.some(isAlive));
  });

  await t.test('other signals reach the first process alone, with --all every one', async (t) => {
    const id = await running(t, turfd, 'all', withoutPidNamespace);
    const before = pids(id);
    await turfd.ok(['kill', '--all', id, 'SIGTERM']);
    await turfd.until(id, 'stopped');
    await eventually('all to be gone', () => !before.some(isAlive));
  });

  await t.test('by names and numbers', async (t) => {
    for (const signal of ['TERM', 'SIGTERM', 'sigterm', '15', 'RTMIN+1', 'SIGRTMAX-1', '64']) {
      const id = turfd.id(`n${signal.replace('+', 'p')}`);
      const { path } = bundle(
        t,
        script("trap 'exit 7' TERM RTMIN+1 SIGRTMAX-1 64 2>/dev/null; sleep 1000 & wait"),
        withoutPidNamespace,
      );
      await turfd.ok(['run', '--detach', '--bundle', path, id]);
      t.equal((await turfd.turf(['kill', id, signal])).status, 0, signal);
      await turfd.until(id, 'stopped');
      await turfd.ok(['delete', id]);
    }
    const id = await running(t, turfd, 'bad');
    for (const signal of ['NOPE', '00', '65', 'SIGRTMIN+99', '-1'])
      t.match(await turfd.turf(['kill', '--', id, signal]), { status: 1, stderr: /unknown signal/ }, signal);
  });
});

await t.test('delete --force leaves nothing', requires('cgroup-v1'), async (t) => {
  const turfd = await Turfd.start(t);
  const spoil = async (change: (directory: string) => void, id: string): Promise<void> => {
    const before = turfd.nodePid;
    change(join(turfd.root, id));
    await turfd.killNode();
    await turfd.untilRestarted(before);
  };
  const nothing = (t: Test, id: string): void => {
    t.strictSame(processesAbout(id), [], 'no process');
    t.strictSame(cgroupsAbout(id), [], 'no cgroup');
    t.notOk(readdirSync(turfd.root).includes(id), 'no directory');
  };

  await t.test('of a container whose state.json is corrupt', async (t) => {
    const id = await running(t, turfd, 'corrupt');
    await spoil((directory) => writeFileSync(join(directory, 'state.json'), '{"version":'), id);
    t.match(await turfd.turf(['state', id]), { status: 1 });
    await turfd.ok(['delete', '--force', id]);
    nothing(t, id);
  });

  await t.test('of a container whose state.json is missing', async (t) => {
    const id = await running(t, turfd, 'missing');
    await spoil((directory) => rmSync(join(directory, 'state.json')), id);
    await turfd.ok(['delete', '--force', id]);
    nothing(t, id);
  });

  await t.test('of a container that has neither state nor config', async (t) => {
    const id = turfd.id('bare');
    const { path } = bundle(t, FAMILY);
    await turfd.ok(['run', '--detach', '--bundle', path, id]);
    await spoil((directory) => {
      writeFileSync(join(directory, 'state.json'), '');
      writeFileSync(join(directory, 'config.json'), 'no JSON');
    }, id);
    await turfd.ok(['delete', '--force', id]);
    nothing(t, id);
  });

  await t.test('of a container whose cgroups have vanished, and with more in its directory', async (t) => {
    const id = await running(t, turfd, 'vanished');
    await turfd.ok(['kill', id, 'KILL']);
    await turfd.until(id, 'stopped');
    await eventually('empty cgroups', () => pids(id).length === 0);
    for (const path of cgroupsAbout(id)) rmdirSync(path);
    mkdirSync(join(turfd.root, id, 'more'), { mode: 0o500 });
    await turfd.ok(['delete', '--force', id]);
    nothing(t, id);
  });

  await t.test('but touches nobody else', async (t) => {
    const id = turfd.id('foreign');
    mkdirSync(join(turfd.root, id), { mode: 0o755 });
    writeFileSync(join(turfd.root, id, 'precious'), '');
    await turfd.ok(['delete', '--force', id]);
    t.ok(existsSync(join(turfd.root, id, 'precious')), 'a directory that is not ours stays');
    rmSync(join(turfd.root, id), { recursive: true });
    t.match(await turfd.turf(['delete', turfd.id('nobody')]), { status: 1, stderr: /does not exist/ });
    t.equal((await turfd.turf(['delete', '--force', turfd.id('nobody')])).status, 0);
    t.match(await turfd.turf(['delete', 'a', 'b']), { status: 1, stderr: /requires exactly 1 argument/ });
  });
});

await t.test('existing cgroups', requires('cgroup-v1'), async (t) => {
  const turfd = await Turfd.start(t);
  const id = turfd.id('e');
  const { path } = bundle(t, ['/bin/true'], (config) => (config.linux.cgroupsPath = `/${id}-parent/leaf`));
  const parent = join(FREEZER, `${id}-parent`);
  mkdirSync(join(parent, 'leaf'), { recursive: true });
  t.teardown(() => {
    for (const directory of cgroupsAbout(`${id}-parent`)) {
      if (existsSync(join(directory, 'leaf'))) rmdirSync(join(directory, 'leaf'));
      rmdirSync(directory);
    }
  });
  for (const directory of [parent, join(parent, 'leaf')]) {
    writeFileSync(join(directory, 'freezer.state'), 'FROZEN');
    t.match(await turfd.turf(['run', '--bundle', path, id]), {
      status: 1,
      stderr: /cgroupsPath: .*leaf is frozen/,
    });
    writeFileSync(join(directory, 'freezer.state'), 'THAWED');
  }
  t.match(await turfd.turf(['run', '--bundle', path, id]), { status: 0 }, 'an empty one is taken');
  t.ok(existsSync(join(parent, 'leaf')), 'and stays');
});

await t.test(
  'a container with 512 KiB of memory and one process starts',
  requires('controller:memory', 'controller:pids'),
  async (t) => {
    const turfd = await Turfd.start(t);
    for (const spec of ['1.0.2', '1.3.0']) {
      const id = turfd.id(`small${spec}`);
      const { path } = bundle(t, ['/bin/true'], (config) => {
        config.ociVersion = spec;
        config.linux.resources = { memory: { limit: 512 << 10 }, pids: { limit: spec === '1.0.2' ? 1 : 0 } };
      });
      // The program is in the page cache, as the files of an image in use are: what is first read here would be charged here.
      t.match(await turfd.turf(['run', '--bundle', path, id]), { status: 0 }, `pids.limit of ${spec}`);
    }
  },
);

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { bundle, workerBundle } from '../harness/bundle.js';
import type { BundleConfig } from '../harness/config.js';
import { requires } from '../harness/requires.js';
import { Turfd } from '../harness/turfd.js';
import { Untouched } from './hostile.js';

const BAD_IDS = [
  '',
  '.',
  '..',
  '../x',
  'a/b',
  '/etc',
  '.hidden',
  'a b',
  'a\nb',
  'a\tb',
  'a\u001b[2J',
  'ä',
  'a%2fb',
  'a\\b',
  'x'.repeat(1025),
  '-x/..',
];

await t.test('names, paths and numbers', requires(), async (outer) => {
  const turfd = await Turfd.start(outer);
  let count = 0;
  const refused = async (mutate: (config: BundleConfig, path: string) => void): Promise<string> => {
    const { path } = bundle(outer, ['true'], mutate);
    const { status, stderr } = await turfd.turf(['create', '--bundle', path, turfd.id(`n${++count}`)]);
    if (status !== 1) outer.fail(`status ${String(status)}`);
    return stderr;
  };

  await outer.test('ids are letters, digits and _ + - . only, for every verb', async (t) => {
    const { path } = bundle(t, ['true']);
    for (const id of BAD_IDS) {
      const quoted = JSON.stringify(id.slice(0, 20));
      for (const args of [
        ['create', '--bundle', path],
        ['run', '--bundle', path],
        ['state'],
        ['start'],
        ['kill'],
        ['delete'],
      ])
        t.not((await turfd.turf([...args, '--', id])).status, 0, `${args.join(' ')} ${quoted}`);
      const body = JSON.stringify({ id, bundle: path });
      const { status } = await turfd.rest('/containers', { method: 'POST', body });
      t.ok(status >= 400 && status < 500, `REST ${quoted}: ${status}`);
      const escaped = id === '' ? '%00' : encodeURIComponent(id);
      const got = await turfd.rest(`/containers/${escaped}`);
      t.ok(got.status >= 400 && got.status < 500, `REST GET ${quoted}: ${got.status}`);
    }
    t.strictSame(await turfd.list(), []);
  });

  await outer.test('cgroup paths with ".." are refused', async (t) => {
    for (const path of ['../x', '/../x', 'a/../../x', '/a/..', 'a/../../../../sys/fs/cgroup/x', 'a\u0000b'])
      t.match(
        await refused((config) => (config.linux.cgroupsPath = path)),
        /cgroupsPath/,
        JSON.stringify(path),
      );
  });

  await outer.test('code and other paths in annotations stay in the bundle', async (t) => {
    const host = new Untouched(t);
    mkdirSync(join(host.path, 'code'));
    writeFileSync(
      join(host.path, 'code/index.js'),
      'export default { fetch() { return new Response("out"); } };',
    );
    for (const code of ['..', '../..', `../../../../../../..${host.path}/code`, 'code/../..', 'a\u0000b']) {
      const { path } = workerBundle(t, '', {
        mutate: (config) => {
          config.turf = { runtime: 'aworker' };
          config.annotations = { 'dev.turf.code': code };
        },
      });
      const outcome = await turfd.turf(['create', '--bundle', path, turfd.id(`a${++count}`)]);
      t.equal(outcome.status, 1, code);
      t.match(outcome.stderr, /code/);
    }
  });

  await outer.test('paths of hooks must be absolute', async (t) => {
    for (const kind of [
      'prestart',
      'createRuntime',
      'createContainer',
      'startContainer',
      'poststart',
      'poststop',
    ] as const)
      t.match(
        await refused((config) => (config.hooks = { [kind]: [{ path: '../../bin/sh' }] })),
        new RegExp(`hooks.${kind}`),
      );
  });

  await outer.test('numbers that do not fit are refused by the name of their field', async (t) => {
    const over = 2 ** 32;
    const cases: [RegExp, (config: BundleConfig) => unknown][] = [
      [/process\.user\.uid/, (config) => (config.process.user.uid = over)],
      [/process\.user\.gid/, (config) => (config.process.user.gid = -1)],
      [/additionalGids\[0\]/, (config) => (config.process.user.additionalGids = [over])],
      [
        /rlimits\[0\]\.hard/,
        (config) => (config.process.rlimits = [{ type: 'RLIMIT_NOFILE', soft: 1, hard: 2 ** 70 }]),
      ],
      [/oomScoreAdj/, (config) => (config.process.oomScoreAdj = 10_000)],
      [
        /devices\[0\]\.(major|minor)/,
        (config) => (config.linux.devices = [{ path: '/dev/x', type: 'c', major: 2 ** 40, minor: 0 }]),
      ],
      [/memory\.limit/, (config) => (config.linux.resources = { memory: { limit: 2 ** 80 } })],
      [/pids\.limit/, (config) => (config.linux.resources = { pids: { limit: 1.5 } })],
      [
        /uidMappings\[0\]/,
        (config) => {
          config.linux.namespaces.push({ type: 'user' });
          config.linux.uidMappings = [{ containerID: 0, hostID: over - 1, size: 2 }];
          config.linux.gidMappings = [{ containerID: 0, hostID: 0, size: 1 }];
        },
      ],
      [
        /consoleSize/,
        (config) => {
          config.process.terminal = true;
          config.process.consoleSize = { height: 2 ** 40, width: 1 };
        },
      ],
    ];
    for (const [named, mutate] of cases)
      t.match(await refused((config) => void mutate(config)), named, String(named));
  });

  await outer.test('lengths that do not fit into a plan are errors', async (t) => {
    const long = 'x'.repeat(5000);
    for (const [what, mutate] of [
      ['a path', (config) => (config.process.cwd = `/${long}`)],
      [
        'a mount target',
        (config) => config.mounts.push({ destination: `/${long}`, type: 'tmpfs', source: 'tmpfs' }),
      ],
      [
        'a mount option',
        (config) =>
          config.mounts.push({
            destination: '/srv',
            type: 'tmpfs',
            source: 'tmpfs',
            options: [`mode=${long}`],
          }),
      ],
      ['a program', (config) => (config.process.args = [long])],
      [
        'many arguments',
        (config) => (config.process.args = ['true', ...Array<string>(300).fill('x'.repeat(130_000))]),
      ],
    ] as [string, (config: BundleConfig) => unknown][]) {
      const { path } = bundle(t, ['true'], (config) => void mutate(config));
      const outcome = await turfd.turf(['run', '--bundle', path, turfd.id(`l${++count}`)]);
      t.match(outcome, { signal: null }, what);
      t.not(outcome.status, 0, what);
    }
    t.strictSame(turfd.remains(), []);
    t.equal((await turfd.turf(['list'])).status, 0, 'the daemon lives');
  });
});

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { bundle, script, temporary } from './harness/bundle.js';
import type { BundleConfig, Hook, HookKind } from './harness/config.js';
import { isAlive, namespaceOf } from './harness/processes.js';
import { requires } from './harness/requires.js';
import { eventually, Turfd } from './harness/turfd.js';

const KINDS: readonly HookKind[] = [
  'prestart',
  'createRuntime',
  'createContainer',
  'startContainer',
  'poststart',
  'poststop',
];

interface Seen {
  readonly kind: string;
  readonly mountNamespace: string;
  readonly args: string;
  readonly env: string;
  readonly state: {
    readonly id: string;
    readonly pid: number;
    readonly status: string;
    readonly bundle: string;
  };
}

/** startContainer hooks run inside the container, where the record lies under /srv. */
const shell = (kind: HookKind, dir: string, text: string): Hook => ({
  path: '/bin/sh',
  args: ['sh', '-c', text.replaceAll('@DIR@', kind === 'startContainer' ? '/srv' : dir), 'zero', kind],
  env: [`KIND=${kind}`, 'PATH=/usr/bin:/bin'],
});

const RECORD =
  'printf "%s|%s|%s|%s|%s\\n" "$1" "$(readlink /proc/self/ns/mnt)" "$0" "$(env | grep KIND=)" "$(cat)" >> @DIR@/record';

function withHooks(
  t: Test,
  args: string[],
  hooks: (dir: string) => BundleConfig['hooks'],
): { path: string; dir: string } {
  const dir = temporary(t);
  const { path } = bundle(t, args, (config) => {
    config.mounts.push({ destination: '/srv', type: 'bind', source: dir, options: ['bind'] });
    const wanted = hooks(dir);
    if (wanted !== undefined) config.hooks = wanted;
  });
  return { path, dir };
}

const recorded = (dir: string): Seen[] =>
  !existsSync(join(dir, 'record'))
    ? []
    : readFileSync(join(dir, 'record'), 'utf8')
        .trim()
        .split('\n')
        .map((line) => {
          const [kind = '', mountNamespace = '', args = '', env = '', ...state] = line.split('|');
          return { kind, mountNamespace, args, env, state: JSON.parse(state.join('|')) as Seen['state'] };
        });

await t.test('hooks', requires(), async (t) => {
  const turfd = await Turfd.start(t);

  await t.test('all six kinds run in order, in their namespaces, with the state on stdin', async (t) => {
    const id = turfd.id('order');
    const { path, dir } = withHooks(t, ['sleep', '1000'], (dir) =>
      Object.fromEntries(KINDS.map((kind) => [kind, [shell(kind, dir, RECORD), shell(kind, dir, RECORD)]])),
    );
    const names = (): string[] => recorded(dir).map(({ kind }) => kind);
    await turfd.ok(['create', '--bundle', path, id]);
    const { pid } = await turfd.state(id);
    t.strictSame(names(), [
      'prestart',
      'prestart',
      'createRuntime',
      'createRuntime',
      'createContainer',
      'createContainer',
    ]);
    await turfd.ok(['start', id]);
    t.strictSame(names().slice(6), ['startContainer', 'startContainer', 'poststart', 'poststart']);
    const containers = namespaceOf(pid, 'mnt');
    const hosts = namespaceOf('self', 'mnt');
    await turfd.ok(['delete', '--force', id]);
    t.strictSame(names().slice(10), ['poststop', 'poststop']);

    for (const { kind, mountNamespace, args, env, state } of recorded(dir)) {
      const inContainer = kind === 'createContainer' || kind === 'startContainer';
      t.equal(
        mountNamespace,
        inContainer ? containers : hosts,
        `${kind} runs in the mount namespace the spec names`,
      );
      t.match({ args, env }, { args: 'zero', env: `KIND=${kind}` });
      t.match(state, { id, bundle: path });
      const isInside = kind === 'createContainer' || kind === 'startContainer';
      if (kind !== 'poststop')
        t.equal(state.pid, isInside ? 1 : pid, `${kind} is told the pid as its namespace sees it`);
      t.equal(
        state.status,
        { prestart: 'created', startContainer: 'created', poststart: 'running', poststop: 'stopped' }[kind] ??
          'creating',
        `${kind}: status`,
      );
    }
  });

  for (const kind of KINDS.slice(0, 3)) {
    await t.test(`a ${kind} hook that fails undoes the create`, async (t) => {
      const id = turfd.id(`fail${kind.toLowerCase()}`);
      const { path, dir } = withHooks(t, ['true'], (dir) => ({
        [kind]: [shell(kind, dir, 'echo why >&2; exit 3'), shell(kind, dir, RECORD)],
      }));
      const outcome = await turfd.turf(['create', '--bundle', path, id]);
      t.equal(outcome.status, 1);
      t.match(outcome.stderr, new RegExp(kind));
      t.strictSame(recorded(dir), [], 'later hooks do not run');
      t.equal((await turfd.turf(['state', id])).status, 1);
      t.strictSame(turfd.remains(), []);
    });
  }

  await t.test('poststop hooks run when a create fails after it made the container', async (t) => {
    const { path, dir } = withHooks(t, ['true'], (dir) => ({
      createRuntime: [shell('createRuntime', dir, 'exit 1')],
      poststop: [shell('poststop', dir, RECORD)],
    }));
    t.equal((await turfd.turf(['create', '--bundle', path, turfd.id('poststop')])).status, 1);
    t.strictSame(
      recorded(dir).map(({ kind }) => kind),
      ['poststop'],
    );
  });

  await t.test('a poststart hook that fails is an error of start, and stops the container', async (t) => {
    const id = turfd.id('failpost');
    const { path } = withHooks(t, ['sleep', '1000'], (dir) => ({
      poststart: [shell('poststart', dir, 'exit 4')],
    }));
    await turfd.ok(['create', '--bundle', path, id]);
    t.match(await turfd.turf(['start', id]), { status: 1, stderr: /hooks\.poststart\[0\].*exit status 4/ });
    t.equal((await turfd.state(id)).status, 'stopped');
    await turfd.ok(['delete', id]);
  });

  await t.test('a startContainer hook that fails stops the container: its program never runs', async (t) => {
    const id = turfd.id('failstart');
    const { path, dir } = withHooks(t, script('echo ran > /srv/ran'), (dir) => ({
      startContainer: [shell('startContainer', dir, 'exit 3')],
    }));
    await turfd.ok(['create', '--bundle', path, id]);
    const { pid } = await turfd.state(id);
    t.match(await turfd.turf(['start', id]), { status: 1, stderr: /startContainer/ });
    t.notOk(existsSync(join(dir, 'ran')));
    await eventually('its process to end', () => !isAlive(pid));
    await turfd.turf(['delete', '--force', id]);
    t.strictSame(turfd.remains(), []);
  });

  await t.test('a hook that outlives its timeout is killed and fails the create', async (t) => {
    const { path, dir } = withHooks(t, ['true'], (dir) => ({
      createRuntime: [{ ...shell('createRuntime', dir, 'echo $$ > @DIR@/pid; exec sleep 1000'), timeout: 1 }],
    }));
    const outcome = await turfd.turf(['create', '--bundle', path, turfd.id('timeout')]);
    t.match(outcome, { status: 1, stderr: /createRuntime/ });
    const hook = Number(readFileSync(join(dir, 'pid'), 'utf8'));
    await eventually('the hook to end', () => !isAlive(hook));
    t.strictSame(turfd.remains(), []);
  });

  await t.test('a hook that does not exist is named', async (t) => {
    const { path } = withHooks(t, ['true'], () => ({ createRuntime: [{ path: '/no/such/hook' }] }));
    t.match(await turfd.turf(['create', '--bundle', path, turfd.id('nohook')]), {
      status: 1,
      stderr: /\/no\/such\/hook/,
    });
    t.strictSame(turfd.remains(), []);
  });
});

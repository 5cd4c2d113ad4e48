import { createHash } from 'node:crypto';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { bundle, script, temporary } from '../harness/bundle.js';
import type { BundleConfig, HookKind } from '../harness/config.js';
import { isAlive, openFiles, processStat } from '../harness/processes.js';
import { PROJECT, requires, which } from '../harness/requires.js';
import { eventually, TURF, Turfd } from '../harness/turfd.js';

const PROGRAMS = ['turf', 'turfd', 'turf-init', 'libturf.so'].map((name) =>
  join(PROJECT, 'dist/native', name),
);
const digests = (): string[] =>
  PROGRAMS.map((file) => createHash('sha256').update(readFileSync(file)).digest('hex'));

const privileged = (config: BundleConfig, ...names: string[]): void => {
  config.process.capabilities = { bounding: names, effective: names, permitted: names };
};

/** Lists the numbers and targets of its own descriptors, but that of the listing itself. */
const LIST =
  'for f in /proc/self/fd/*; do l=$(readlink $f) || continue; case $l in /proc/*/fd|/proc/self/fd) ;; *) echo "${f##*/} $l";; esac; done';

await t.test('processes of the runtime and of the container', requires(), async (outer) => {
  const turfd = await Turfd.start(outer);

  await outer.test('the runtime cannot be overwritten through /proc/self/exe (CVE-2019-5736)', async (t) => {
    const before = digests();
    const dir = temporary(t);
    // As root with every capability of the default set, from before the program and from the program.
    const write =
      'for p in /proc/self/exe /proc/1/exe /proc/$PPID/exe; do (echo evil > $p) 2>&1 && echo "wrote $p"; done; true';
    const { path } = bundle(t, script(write), (config) => {
      config.root = { path: 'rootfs', readonly: false };
      const hook = {
        path: which('busybox') ?? '/bin/busybox',
        args: ['sh', '-c', `{ ${write}; } > ${dir}/out`],
      };
      config.hooks = {
        createContainer: [hook],
        startContainer: [{ path: '/bin/sh', args: ['sh', '-c', `{ ${write}; } > /srv/out2`] }],
      };
      config.mounts.push({ destination: '/srv', type: 'bind', source: dir, options: ['bind'] });
    });
    const outcome = await turfd.turf(['run', '--bundle', path, turfd.id('exe')]);
    t.equal(outcome.status, 0);
    const said = [
      outcome.stdout,
      readFileSync(join(dir, 'out'), 'utf8'),
      readFileSync(join(dir, 'out2'), 'utf8'),
    ];
    for (const text of said) {
      t.notMatch(text, /wrote/);
      t.match(text, /busy|denied|permitted/i, 'they were refused');
    }
    t.strictSame(digests(), before);
  });

  await outer.test(
    'a program that names the runtime as its interpreter gets nowhere (CVE-2019-5736)',
    async (t) => {
      const before = digests();
      const { path } = bundle(t, ['/attack'], (_, bundlePath) => {
        writeFileSync(join(bundlePath, 'rootfs/attack'), '#!/proc/self/exe\n');
        chmodSync(join(bundlePath, 'rootfs/attack'), 0o755);
      });
      const outcome = await turfd.turf(['run', '--bundle', path, turfd.id('interpreter')]);
      t.not(outcome.status, 0);
      t.strictSame(digests(), before);
    },
  );

  await outer.test(
    'descriptors: container and hooks have their standard streams and nothing else (CVE-2024-21626)',
    async (t) => {
      const dir = temporary(t);
      const shell = which('busybox') ?? '/bin/busybox';
      const kinds: HookKind[] = [
        'prestart',
        'createRuntime',
        'createContainer',
        'startContainer',
        'poststart',
        'poststop',
      ];
      const { path } = bundle(t, script(`${LIST}; pwd`), (config) => {
        config.mounts.push({ destination: '/srv', type: 'bind', source: dir, options: ['bind'] });
        config.hooks = Object.fromEntries(
          kinds.map((kind) => {
            const inside = kind === 'startContainer';
            const file = `${inside ? '/srv' : dir}/${kind}`;
            return [
              kind,
              [
                {
                  path: inside ? '/bin/sh' : shell,
                  args: ['sh', '-c', `{ ${LIST}; } > ${file}.tmp; mv ${file}.tmp ${file}`],
                  env: ['PATH=/usr/bin:/bin'],
                },
              ],
            ];
          }),
        );
      });
      const outcome = await turfd.turf(['run', '--bundle', path, turfd.id('fds')]);
      t.equal(outcome.status, 0);
      const numbers = (text: string): string[] =>
        text
          .split('\n')
          .filter((line) => /^\d/.test(line))
          .map((line) => line.split(' ', 1).join(''));
      // A shell may hold a copy of what it redirected, at 10 or higher.
      const leaked = (text: string): string[] =>
        numbers(text).filter((number) => Number(number) > 2 && Number(number) < 10);
      t.strictSame(leaked(outcome.stdout), []);
      t.match(outcome.stdout, /\n\/\n$/, 'and its working directory is its own');
      await eventually('poststop', () => existsSync(join(dir, 'poststop')));
      for (const kind of kinds) {
        const text = readFileSync(join(dir, kind), 'utf8');
        t.strictSame(leaked(text), [], kind);
        t.match(text, /^0 .*\n1 /, `${kind} has standard streams`);
        t.notMatch(text, /memfd|\.sock|turf-init/, `${kind}: nothing of the runtime`);
      }
    },
  );

  await outer.test('a created container holds nothing of the host, and cannot be looked into', async (t) => {
    const id = turfd.id('created');
    const { path } = bundle(t, ['sleep', '1000']);
    await turfd.ok(['create', '--bundle', path, id]);
    const { pid } = await turfd.state(id);
    const others = [...openFiles(pid)].filter(([fd]) => fd > 2);
    for (const [, target] of others) t.match(target, /^socket:|memfd/, 'the start socket and no directory');
    // A neighbour in its PID namespace, root with the default capabilities.
    const peek =
      'for f in mem environ exe maps fd/0 cwd root; do (cat /proc/1/$f || readlink /proc/1/$f) >/dev/null 2>&1 && echo "read $f"; done; kill -0 1 && echo alive';
    const neighbour = bundle(t, script(peek), (config) => {
      config.linux.namespaces = config.linux.namespaces.map((one) =>
        one.type === 'pid' ? { type: 'pid', path: `/proc/${pid}/ns/pid` } : one,
      );
    });
    const outcome = await turfd.turf(['run', '--bundle', neighbour.path, turfd.id('peek')]);
    t.match(outcome.stdout, /^alive\n$/, 'it sees the process, and nothing in it');
    await turfd.ok(['delete', '--force', id]);
  });

  await outer.test(
    'groups and inheritable capabilities are empty by default (CVE-2014-8989, CVE-2022-29162)',
    async (t) => {
      const { path } = bundle(
        t,
        script(
          'grep -E "^(Groups|CapInh|CapAmb|NoNewPrivs)" /proc/self/status; echo x > /proc/self/setgroups',
        ),
        (config) => {
          config.process.capabilities = {
            bounding: ['CAP_KILL'],
            permitted: ['CAP_KILL'],
            effective: ['CAP_KILL'],
          };
        },
      );
      const outcome = await turfd.turf(['run', '--bundle', path, turfd.id('groups')]);
      t.match(outcome.stdout, /Groups:\s*\nCapInh:\s*0{16}\nCapAmb:\s*0{16}\nNoNewPrivs:\s*1\n/);
      t.not(outcome.status, 0, 'setgroups cannot be opened up');
    },
  );

  await outer.test('a hook that stops the first process stops nobody else', async (t) => {
    const id = turfd.id('stopped');
    const dir = temporary(t);
    const { path } = bundle(t, ['true'], (config) => {
      // In the container's PID namespace the parent is 1, which signals of its own children do not stop: a host hook does it by pid.
      config.hooks = {
        prestart: [
          {
            path: '/bin/sh',
            args: [
              'sh',
              '-c',
              `sed 's/.*"pid": *\\([0-9]*\\).*/\\1/' > ${dir}/pid; kill -STOP $(cat ${dir}/pid)`,
            ],
          },
        ],
      };
    });
    const create = spawn(TURF, ['--root', turfd.root, 'create', '--bundle', path, id], { stdio: 'ignore' });
    const ended = once(create, 'exit');
    const pid = (): number =>
      Number(existsSync(join(dir, 'pid')) ? readFileSync(join(dir, 'pid'), 'utf8') : 0);
    await eventually('it to stop', () => pid() > 0 && processStat(pid()).state === 'T');
    t.equal(
      (await turfd.turf(['run', '--bundle', bundle(t, ['true']).path, turfd.id('other')])).status,
      0,
      'others are made',
    );
    t.equal((await turfd.turf(['list'])).status, 0);
    process.kill(pid(), 'SIGKILL');
    await ended;
    t.not(create.exitCode, 0, 'its create fails when it dies');
    t.strictSame(turfd.remains(), []);
  });

  await outer.test(
    'a client that goes away during a create takes the half-made container along',
    async (t) => {
      const id = turfd.id('gone');
      const dir = temporary(t);
      const { path } = bundle(t, ['true'], (config) => {
        config.hooks = {
          createRuntime: [
            {
              path: '/bin/sh',
              args: [
                'sh',
                '-c',
                `sed 's/.*"pid": *\\([0-9]*\\).*/\\1/' > ${dir}/pid.tmp; mv ${dir}/pid.tmp ${dir}/pid; sleep 1000`,
              ],
              timeout: 3,
            },
          ],
        };
      });
      const create = spawn(TURF, ['--root', turfd.root, 'create', '--bundle', path, id], { stdio: 'ignore' });
      const ended = once(create, 'exit');
      await eventually('the hook', () => existsSync(join(dir, 'pid')));
      create.kill('SIGKILL');
      await ended;
      const pid = Number(readFileSync(join(dir, 'pid'), 'utf8'));
      await eventually('its process to end', () => !isAlive(pid));
      await eventually('nothing to remain', () => turfd.remains().length === 0);
      t.equal((await turfd.turf(['state', id])).status, 1);
    },
  );
});

function forkBomb(t: Test, resources: Record<string, unknown>, text: string) {
  return bundle(t, script(text), (config) => {
    config.linux.resources = { devices: [{ allow: false, access: 'rwm' }], ...resources };
    privileged(config);
  });
}

await t.test('containers that eat', requires('controller:pids', 'controller:memory'), async (outer) => {
  const turfd = await Turfd.start(outer);

  await outer.test('a fork bomb meets its limit, and delete --force ends it', async (t) => {
    const id = turfd.id('bomb');
    const { path } = forkBomb(
      t,
      { pids: { limit: 20 } },
      'b() { while :; do b & done; }; b & b & while :; do :; done',
    );
    await turfd.ok(['run', '--detach', '--bundle', path, id]);
    const { pid } = await turfd.state(id);
    t.ok(isAlive(pid));
    t.equal((await turfd.turf(['run', '--bundle', bundle(t, ['true']).path, turfd.id('beside')])).status, 0);
    await turfd.ok(['delete', '--force', id]);
    t.strictSame(turfd.remains(), []);
  });

  await outer.test('one that fills its memory is killed, not the daemon', async (t) => {
    const before = turfd.nodePid;
    const { path } = forkBomb(
      t,
      { memory: { limit: 16 << 20, swap: 16 << 20 } },
      'x=xxxxxxxxxxxxxxxx; while :; do x=$x$x; done',
    );
    const outcome = await turfd.turf(['run', '--bundle', path, turfd.id('memory')]);
    t.not(outcome.status, 0);
    t.equal(turfd.nodePid, before);
    t.strictSame(turfd.remains(), []);
  });

  await outer.test('a limit too small to start in is an error, not a hang', async (t) => {
    const { path } = forkBomb(t, { memory: { limit: 4096 } }, 'true');
    const outcome = await turfd.turf(['run', '--bundle', path, turfd.id('tiny')]);
    t.equal(outcome.signal, null);
    t.strictSame(turfd.remains(), []);
  });
});

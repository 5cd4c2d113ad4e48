import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { bundle, script } from './harness/bundle.js';
import type { BundleConfig } from './harness/config.js';
import { openFiles, statusField } from './harness/processes.js';
import { PROJECT, requires } from './harness/requires.js';
import { Turfd } from './harness/turfd.js';

await t.test('the process of a container', requires(), async (t) => {
  const turfd = await Turfd.start(t);
  let number = 0;
  const inside = (text: string, mutate?: (config: BundleConfig, path: string) => void) => {
    const { path } = bundle(t, script(text), mutate);
    return turfd.turf(['run', '--bundle', path, turfd.id(`p${++number}`)]);
  };
  const status = async (mutate?: (config: BundleConfig) => void): Promise<Map<string, string>> => {
    const { stdout } = await inside('cat /proc/self/status', mutate);
    return new Map(
      stdout.split('\n').map((line) => [line.split(':')[0] ?? '', line.slice(line.indexOf(':') + 1).trim()]),
    );
  };

  await t.test('has a session keyring of its own', async (t) => {
    const { path } = bundle(t, script('cat /proc/keys'), (config) => {
      config.linux.maskedPaths = [];
    });
    const id = turfd.id('keyring');
    t.match((await turfd.turf(['run', '--bundle', path, id])).stdout, new RegExp(`keyring +_ses\\.${id}:`));
    const kept = turfd.id('kept');
    t.notMatch(
      (await turfd.turf(['run', '--no-new-keyring', '--bundle', path, kept])).stdout,
      `_ses.${kept}:`,
    );
  });

  await t.test('has the capabilities asked for, in all five sets', async (t) => {
    // CAP_KILL 5, CAP_NET_BIND_SERVICE 10, CAP_NET_RAW 13, CAP_AUDIT_WRITE 29.
    const sets = await status((config) => {
      config.process.capabilities = {
        bounding: ['CAP_KILL', 'CAP_NET_BIND_SERVICE', 'CAP_NET_RAW', 'CAP_AUDIT_WRITE'],
        permitted: ['CAP_KILL', 'CAP_NET_BIND_SERVICE', 'CAP_NET_RAW'],
        effective: ['CAP_KILL', 'CAP_NET_BIND_SERVICE'],
        inheritable: ['CAP_KILL'],
        ambient: ['CAP_KILL'],
      };
      config.process.user = { uid: 1000, gid: 1000 };
    });
    t.equal(sets.get('CapBnd'), '0000000020002420');
    t.equal(sets.get('CapInh'), '0000000000000020');
    t.equal(sets.get('CapAmb'), '0000000000000020');
    // A program without file capabilities gets the ambient set on execve.
    t.equal(sets.get('CapPrm'), '0000000000000020');
    t.equal(sets.get('CapEff'), '0000000000000020');
  });

  await t.test('as root has what bounding and permitted allow', async (t) => {
    const sets = await status((config) => {
      const caps = ['CAP_KILL', 'CAP_AUDIT_WRITE'];
      config.process.capabilities = { bounding: caps, permitted: caps, effective: caps };
    });
    t.equal(sets.get('CapEff'), '0000000020000020');
    t.equal(sets.get('CapInh'), '0000000000000000', 'inheritable stays empty unless asked (CVE-2022-29162)');
  });

  await t.test('without capabilities in the config has none', async (t) => {
    const sets = await status((config) => delete config.process.capabilities);
    for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'])
      t.equal(sets.get(set), '0000000000000000', set);
  });

  await t.test('noNewPrivileges is set when asked, and only then', async (t) => {
    t.equal((await status()).get('NoNewPrivs'), '1');
    t.equal((await status((config) => (config.process.noNewPrivileges = false))).get('NoNewPrivs'), '0');
  });

  await t.test('user, group and additional groups', async (t) => {
    const { stdout } = await inside('id -u; id -g; id -G', (config) => {
      config.process.user = { uid: 1000, gid: 1001, additionalGids: [5, 44] };
    });
    t.equal(stdout, '1000\n1001\n1001 5 44\n');
  });

  await t.test('the groups of the daemon do not leak', async (t) => {
    t.equal((await inside('id -G')).stdout, '0\n');
  });

  await t.test('umask: as asked, 022 by default', async (t) => {
    t.equal((await inside('umask')).stdout, '0022\n');
    const asked = await inside('umask', (config) => (config.process.user.umask = 0o77));
    t.equal(asked.stdout, '0077\n');
  });

  await t.test('rlimits', async (t) => {
    const { stdout } = await inside(
      'grep -E "open files|core file|address space" /proc/self/limits',
      (config) => {
        config.process.rlimits = [
          { type: 'RLIMIT_NOFILE', soft: 100, hard: 200 },
          { type: 'RLIMIT_CORE', soft: 0, hard: 4096 },
          { type: 'RLIMIT_AS', soft: 1 << 30, hard: 1 << 30 },
        ];
      },
    );
    t.match(stdout, /open files +100 +200/);
    t.match(stdout, /core file size +0 +4096/);
    t.match(stdout, /address space +1073741824 +1073741824/);
  });

  await t.test('oom score adjustment', async (t) => {
    const { stdout } = await inside(
      'cat /proc/self/oom_score_adj',
      (config) => (config.process.oomScoreAdj = 321),
    );
    t.equal(stdout, '321\n');
  });

  await t.test('sysctl of its own namespaces', async (t) => {
    const { stdout } = await inside('cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax', (config) => {
      config.linux.sysctl = { 'net.ipv4.ip_forward': '1', 'kernel.msgmax': '4242' };
    });
    t.equal(stdout, '1\n4242\n');
  });

  await t.test('a sysctl of the host, or of a namespace that is shared, is refused', async (t) => {
    for (const [name, share] of [
      ['vm.swappiness', ''],
      ['net.ipv4.ip_forward', 'network'],
      ['kernel.msgmax', 'ipc'],
    ] as const) {
      const outcome = await inside('true', (config) => {
        config.linux.namespaces = config.linux.namespaces.filter(({ type }) => type !== share);
        config.linux.sysctl = { [name]: '1' };
      });
      t.match(outcome, { status: 1, stderr: new RegExp(name.replaceAll('.', '[./]')) }, name);
    }
  });

  await t.test('hostname and domainname', async (t) => {
    const { stdout } = await inside('hostname; cat /proc/sys/kernel/domainname', (config) => {
      config.hostname = 'green';
      config.domainname = 'turf.test';
    });
    t.equal(stdout, 'green\nturf.test\n');
  });

  await t.test('environment is that of the config, nothing of the daemon or the caller', async (t) => {
    const { path } = bundle(
      t,
      ['env'],
      (config) => (config.process.env = ['PATH=/bin', 'A=1', 'B=two words']),
    );
    const { stdout } = await turfd.turf(['run', '--bundle', path, turfd.id('env')], { env: { SECRET: 'x' } });
    const lines = stdout
      .trim()
      .split('\n')
      .filter((line) => !/^(HOME|PWD|SHLVL|_)=/.test(line));
    t.strictSame(lines.sort(), ['A=1', 'B=two words', 'PATH=/bin']);
  });

  await t.test('working directory: as asked, made when missing', async (t) => {
    t.equal((await inside('pwd', (config) => (config.process.cwd = '/tmp'))).stdout, '/tmp\n');
    const made = await inside('pwd', (config) => {
      config.root = { path: 'rootfs', readonly: false };
      config.process.cwd = '/not/there/yet';
    });
    t.equal(made.stdout, '/not/there/yet\n');
  });

  await t.test('a working directory behind a leaked descriptor is refused (CVE-2024-21626)', async (t) => {
    for (const fd of [3, 4, 5, 6, 7, 8, 9, 10]) {
      const outcome = await inside(
        'ls ../../../etc/hostname',
        (config) => (config.process.cwd = `/proc/self/fd/${fd}`),
      );
      t.not(outcome.status, 0, `descriptor ${fd}`);
    }
  });

  await t.test('the program is found on the PATH of the config', async (t) => {
    const { path } = bundle(t, ['echo', 'found'], (config) => (config.process.env = ['PATH=/nowhere:/bin']));
    t.equal((await turfd.turf(['run', '--bundle', path, turfd.id('path')])).stdout, 'found\n');
    const lost = bundle(t, ['echo'], (config) => (config.process.env = ['PATH=/nowhere']));
    t.match(await turfd.turf(['create', '--bundle', lost.path, turfd.id('lost')]), {
      status: 1,
      stderr: /echo/,
    });
  });

  await t.test(
    'only stdin, stdout and stderr are open, in a created and in a running container',
    async (t) => {
      const id = turfd.id('fds');
      const { path } = bundle(t, ['sleep', '1000']);
      await turfd.ok(['create', '--bundle', path, id]);
      const { pid } = await turfd.state(id);
      const paths = [...openFiles(pid)].filter(([fd, link]) => fd > 2 && link.startsWith('/'));
      t.strictSame(paths, [], 'a created container waits without a descriptor of a file or directory');
      await turfd.ok(['start', id]);
      t.strictSame([...openFiles(pid).keys()], [0, 1, 2]);
      t.equal(statusField(pid, 'NSpid').split(/\s+/)[1], '1');
      await turfd.ok(['delete', '--force', id]);
    },
  );

  await t.test(
    'the runtime binary cannot be overwritten through /proc/self/exe (CVE-2019-5736)',
    async (t) => {
      const sums = () =>
        ['turf-init', 'turf'].map((name) =>
          createHash('sha256')
            .update(readFileSync(join(PROJECT, 'dist/native', name)))
            .digest('hex'),
        );
      const before = sums();
      const { path } = bundle(
        t,
        ['/proc/self/exe'],
        (config) => (config.root = { path: 'rootfs', readonly: false }),
      );
      await turfd.turf(['run', '--bundle', path, turfd.id('exe')]);
      await inside('exec 3>>/proc/1/exe && echo overwritten >&3');
      t.strictSame(sums(), before);
    },
  );
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync, chmodSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import t from 'tap';
import { bundle, script, temporary } from './harness/bundle.js';
import { isAlive, statusField } from './harness/processes.js';
import { requires } from './harness/requires.js';
import { eventually, Turfd, TURF } from './harness/turfd.js';

/** An engine's usual profile in small: allow, but for what is denied. */
const SECCOMP = {
  defaultAction: 'SCMP_ACT_ALLOW',
  architectures: ['SCMP_ARCH_X86_64'],
  syscalls: [{ names: ['keyctl', 'clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: 38 }],
};

/**
 * Tries, as fast as it can, to open what belongs to processes that appear: root and descriptors.
 * @param descriptors patterns of sh for what it may not find
 */
const hunter = (descriptors: string): string => `echo ready
while :; do
  for p in /proc/[0-9]*; do
    n=\${p#/proc/}
    case "$n" in 1|$$) continue ;; esac
    if ls $p/root/work $p/root/etc/hostname >/dev/null 2>&1; then echo "root of $n" >> /tmp/loot; fi
    for fd in $p/fd/*; do
      case "$(readlink $fd 2>/dev/null)" in ${descriptors}) echo "$fd" >> /tmp/loot ;; esac
    done
  done
done`;

await t.test('attacks on turf exec', requires(), async (t) => {
  const turfd = await Turfd.start(t);
  const start = async (name: string, args: string[], mutate?: Parameters<typeof bundle>[2]) => {
    const { path } = bundle(t, args, mutate);
    const id = turfd.id(name);
    const outcome = await turfd.ok(['run', '--detach', '--bundle', path, id]);
    return { id, path, outcome, pid: (await turfd.state(id)).pid };
  };
  const remove = (id: string) => turfd.ok(['delete', '--force', id]);

  await t.test('a joining program has descriptors 0 to 2 and those passed on', async (t) => {
    const { id } = await start('fds', ['sleep', '1000']);
    const list = async (flags: string): Promise<string[]> => {
      const command = `exec 3</dev/null 4</dev/null 5</dev/null; exec ${TURF} --root ${turfd.root} exec ${flags} ${id} ls /proc/self/fd`;
      const client = spawn('sh', ['-c', command], { stdio: ['ignore', 'pipe', 'inherit'] });
      let output = '';
      client.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
      await once(client, 'close');
      return output.trim().split(/\s+/);
    };
    // ls itself opens the directory that it lists.
    t.strictSame(await list(''), ['0', '1', '2', '3']);
    t.strictSame(await list('--preserve-fds 2'), ['0', '1', '2', '3', '4', '5']);
    // 3 to 5 are the caller's; what follows would be the client's own.
    t.strictSame(await list('--preserve-fds 4 2>/dev/null'), ['']);
    await remove(id);
  });

  await t.test(
    'a working directory behind a descriptor of the host is refused for exec, too (CVE-2024-21626)',
    async (t) => {
      const { id } = await start('cwd', ['sleep', '1000']);
      for (let fd = 3; fd < 16; fd++) {
        const outcome = await turfd.turf([
          'exec',
          '--cwd',
          `/proc/self/fd/${fd}`,
          id,
          'cat',
          '../../../etc/hostname',
        ]);
        t.match(outcome, { status: 255, stdout: '', stderr: /cwd/ }, `descriptor ${fd}`);
      }
      await remove(id);
    },
  );

  await t.test('/proc/self/exe of a joining process cannot be overwritten (CVE-2019-5736)', async (t) => {
    const init = new URL('../../native/turf-init', import.meta.url).pathname;
    const sum = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex');
    const before = [sum(init), sum(TURF)];
    const { id, path } = await start('exe', ['sleep', '1000'], (config) => {
      config.root = { path: 'rootfs' };
    });
    const trap = join(path, 'rootfs/bin/trap');
    writeFileSync(trap, '#!/proc/self/exe\n');
    chmodSync(trap, 0o755);
    const outcome = await turfd.turf(['exec', id, '/bin/trap']);
    t.not(outcome.status, 0);
    t.match((await turfd.turf(['exec', id, 'sh', '-c', 'echo x > /proc/self/exe'])).status, 1);
    t.strictSame([sum(init), sum(TURF)], before);
    await remove(id);
  });

  for (const [name, caps, nnp] of [
    ['plain', [], false],
    ['no_new_privs', [], true],
    ['tracer', ['CAP_SYS_PTRACE'], false],
  ] as const)
    await t.test(`root of the container cannot trace or read a process that joins (${name})`, async (t) => {
      const { id, outcome } = await start(
        `hunt-${name.replace('_', '')}`,
        script(hunter(caps.length > 0 ? '*memfd:*|*cgroup*' : '*memfd:*|*cgroup*|socket:*')),
        (config) => {
          config.root = { path: 'rootfs' };
          config.process.noNewPrivileges = nnp;
          config.linux.seccomp = SECCOMP;
          for (const set of ['bounding', 'effective', 'permitted'] as const)
            config.process.capabilities?.[set]?.push(...caps);
        },
      );
      await eventually('the hunter', () => outcome.later().stdout.includes('ready'));
      for (let round = 0; round < 25; round++)
        t.match(await turfd.turf(['exec', id, 'true']), { status: 0 }, `round ${round}`);
      t.match(
        await turfd.turf(['exec', id, 'cat', '/tmp/loot']),
        { status: 1, stdout: '' },
        'nothing was found',
      );
      await remove(id);
    });

  await t.test(
    'inheritable and ambient sets stay empty, the bounding set and the filter are those of create',
    async (t) => {
      const { id, pid: init } = await start('caps', ['sleep', '1000'], (config) => {
        config.process.noNewPrivileges = false;
        config.linux.seccomp = SECCOMP;
      });
      const file = join(temporary(t), 'pid');
      for (const user of ['0', '1000']) {
        await turfd.ok([
          'exec',
          '-d',
          '--pid-file',
          file,
          '--user',
          user,
          '--cap',
          'CAP_NET_RAW',
          id,
          'sleep',
          '500',
        ]);
        const pid = Number(readFileSync(file, 'utf8'));
        t.equal(statusField(pid, 'CapInh'), '0000000000000000');
        t.equal(statusField(pid, 'CapAmb'), '0000000000000000');
        t.equal(statusField(pid, 'Seccomp'), '2');
        t.equal(statusField(pid, 'Seccomp_filters'), statusField(init, 'Seccomp_filters'));
      }
      await turfd.ok(['exec', '-d', '--pid-file', file, id, 'sleep', '500']);
      t.equal(statusField(Number(readFileSync(file, 'utf8')), 'CapBnd'), statusField(init, 'CapBnd'));
      await remove(id);
    },
  );

  await t.test('a user namespace: ids and capabilities of the inside, none of the outside', async (t) => {
    const { id, pid: init } = await start('userns', ['sleep', '1000'], (config) => {
      config.linux.namespaces.push({ type: 'user' });
      config.linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }];
      config.linux.gidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }];
      config.mounts = config.mounts.filter(({ destination }) => !destination.startsWith('/sys'));
    });
    const file = join(temporary(t), 'pid');
    await turfd.ok(['exec', '-d', '--pid-file', file, '--user', '5:6', id, 'sleep', '500']);
    const pid = Number(readFileSync(file, 'utf8'));
    t.match(statusField(pid, 'Uid'), /^100005\t100005\t100005\t100005$/);
    t.match(statusField(pid, 'Gid'), /^100006\t/);
    t.equal(readFileSync(`/proc/${pid}/uid_map`, 'utf8'), readFileSync(`/proc/${init}/uid_map`, 'utf8'));
    t.match(await turfd.turf(['exec', id, 'id', '-u']), { status: 0, stdout: '0\n' });
    await remove(id);
  });

  await t.test(
    'a container full of processes can still be joined',
    requires('cgroup-v1', 'controller:pids'),
    async (t) => {
      const { id, pid } = await start(
        'bomb',
        script('for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 1000 & done; wait'),
        (config) => {
          config.linux.resources = { ...config.linux.resources, pids: { limit: 13 } };
        },
      );
      await eventually('the limit to be reached', async () => {
        const { stdout } = await turfd.ok(['ps', '-f', 'json', id]);
        return (JSON.parse(stdout) as number[]).length === 13;
      });
      t.match(await turfd.turf(['exec', id, 'echo', 'in']), { status: 0, stdout: 'in\n' });
      await turfd.ok(['kill', '--all', id, 'KILL']);
      await eventually('it to end', () => !isAlive(pid));
      await remove(id);
    },
  );

  await t.test(
    'a container that is killed while programs join leaves nothing, and nobody hangs',
    async (t) => {
      const { id, pid } = await start('race', ['sleep', '1000']);
      const joining = Array.from({ length: 10 }, () => turfd.turf(['exec', id, 'sleep', '1000']));
      await eventually('some to have joined', async () => {
        const { stdout } = await turfd.ok(['ps', '-f', 'json', id]);
        return (JSON.parse(stdout) as number[]).length > 3;
      });
      process.kill(pid, 'SIGKILL');
      for (const { status } of await Promise.all(joining))
        t.ok(status === 137 || status === 255, String(status));
      await turfd.until(id, 'stopped');
      await turfd.ok(['delete', id]);
      t.strictSame(turfd.remains(), []);
    },
  );
});

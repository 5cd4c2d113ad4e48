import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, lstatSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { bundle, temporary } from './harness/bundle.js';
import { receiveConsole } from './harness/console.js';
import { isAlive, namespaceOf, processStat, statusField } from './harness/processes.js';
import { requires } from './harness/requires.js';
import { eventually, Turfd, TURF } from './harness/turfd.js';

const soon = (): { signal: AbortSignal } => ({ signal: AbortSignal.timeout(60_000) });
const NAMESPACES = ['mnt', 'pid', 'net', 'ipc', 'uts', 'user', 'cgroup'];

/** Takes one pidfd, says what came with it and what it is of, and kills that. */
const TAKE_AND_KILL = `
import re, signal, socket, sys
s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(1)
print('listening', flush=True)
data, fds, _, _ = socket.recv_fds(s.accept()[0], 64, 1)
pid = re.search(r'^Pid:\\s*(\\d+)$', open('/proc/self/fdinfo/%d' % fds[0]).read(), re.M).group(1)
command = ['turf-init']
while command[0] in ('turf-init', ''):
    command = open('/proc/%s/cmdline' % pid).read().split('\\0')
    if data == b'standard': break
print(data.decode(), *command[:-1], flush=True)
signal.pidfd_send_signal(fds[0], signal.SIGKILL)
`;

await t.test('turf exec', requires(), async (t) => {
  const turfd = await Turfd.start(t);
  const sleeper = bundle(t, ['sleep', '1000']);
  const id = turfd.id('exec');
  await turfd.ok(['run', '--detach', '--bundle', sleeper.path, id]);
  const { pid: init } = await turfd.state(id);
  const exec = (args: readonly string[], input?: string) =>
    turfd.turf(['exec', ...args], input === undefined ? {} : { input });

  await t.test('output, input and exit code are the program’s', async (t) => {
    t.match(await exec([id, 'sh', '-c', 'echo out; echo err >&2; exit 23']), {
      status: 23,
      stdout: 'out\n',
      stderr: 'err\n',
    });
    t.match(await exec([id, 'cat'], 'line\n'), { status: 0, stdout: 'line\n' });
    t.equal((await exec([id, 'sh', '-c', 'kill -KILL $$'])).status, 137);
    t.match(await exec([id, '--', 'echo', '-n', 'x']), { status: 0, stdout: 'x' });
  });

  await t.test('a program that is missing or no program: the exit code of runc and crun', async (t) => {
    writeFileSync(join(sleeper.path, 'rootfs/tmp/plain'), 'text');
    chmodSync(join(sleeper.path, 'rootfs/tmp/plain'), 0o644);
    t.match(await exec([id, 'nope']), { status: 255, stderr: /"nope": executable file not found in \$PATH/ });
    t.match(await exec([id, '/nope']), { status: 255, stderr: /\/nope: no such file or directory/ });
    t.match(await exec([id, '/tmp/plain']), { status: 255, stderr: /permission denied/ });
    t.match(await exec([id, '/tmp']), { status: 255 });
    t.match(await exec(['--cwd', '/nope', id, 'true']), { status: 255, stderr: /cwd.*\/nope/ });
  });

  await t.test(
    'is in every namespace of the container, in its cgroup, and descends from the caller',
    async (t) => {
      const pidFile = join(temporary(t), 'pid');
      await turfd.ok(['exec', '--detach', '--pid-file', pidFile, id, 'sleep', '500']);
      const pid = Number(readFileSync(pidFile, 'utf8'));
      t.equal(readFileSync(`/proc/${pid}/cmdline`, 'utf8'), 'sleep\u0000500\u0000');
      for (const type of NAMESPACES) t.equal(namespaceOf(pid, type), namespaceOf(init, type), type);
      t.equal(readFileSync(`/proc/${pid}/cgroup`, 'utf8'), readFileSync(`/proc/${init}/cgroup`, 'utf8'));
      t.equal(
        readFileSync(`/proc/${pid}/mountinfo`, 'utf8'),
        readFileSync(`/proc/${init}/mountinfo`, 'utf8'),
      );
      t.notOk([turfd.nodePid, processStat(turfd.nodePid).parent].includes(processStat(pid).parent));
      t.strictSame(
        JSON.parse((await turfd.ok(['ps', '-f', 'json', id])).stdout),
        [init, pid].toSorted((one, other) => one - other),
      );
      process.kill(pid, 'SIGKILL');
      await eventually('it to end', () => !isAlive(pid));
      t.equal((await turfd.state(id)).status, 'running');
    },
  );

  await t.test('has the capabilities, limits, groups and no_new_privs of create', async (t) => {
    const pidFile = join(temporary(t), 'pid');
    await turfd.ok(['exec', '--detach', '--pid-file', pidFile, id, 'sleep', '500']);
    const pid = Number(readFileSync(pidFile, 'utf8'));
    for (const field of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb', 'NoNewPrivs', 'Seccomp', 'Groups'])
      t.equal(statusField(pid, field), statusField(init, field), field);
    t.equal(statusField(pid, 'Umask'), statusField(init, 'Umask'));
    t.equal(readFileSync(`/proc/${pid}/limits`, 'utf8'), readFileSync(`/proc/${init}/limits`, 'utf8'));
    process.kill(pid, 'SIGKILL');
    await eventually('it to end', () => !isAlive(pid));
  });

  await t.test('user, groups, directory, environment, capabilities, no_new_privs by flag', async (t) => {
    const shown =
      'id -u; id -g; id -G; pwd; echo $A $PATH; grep -E "CapInh|CapPrm|CapBnd|CapAmb" /proc/self/status';
    const flags = [
      '--user',
      '1000:5',
      '-g',
      '7',
      '-g',
      '8',
      '--cwd',
      '/tmp',
      '-e',
      'A=B',
      '--env',
      'PATH=/bin',
    ];
    t.match(await exec([...flags, id, 'sh', '-c', shown]), {
      status: 0,
      stdout: /^1000\n5\n5 7 8\n\/tmp\nB \/bin\nCapInh:\t0+\nCapPrm:\t0+\n/,
    });
    t.equal((await exec(['-u', '1000', id, 'sh', '-c', 'echo $(id -u):$(id -g)'])).stdout, '1000:0\n');
    const caps = await exec(['--cap', 'CAP_SYS_PTRACE', id, 'grep', 'Cap', '/proc/self/status']);
    t.match(
      caps.stdout,
      /CapInh:\t0000000000000000\nCapPrm:\t0000000020080420\nCapEff:\t0000000020080420\nCapBnd:\t0000000020080420\nCapAmb:\t0000000000000000/,
    );
    const free = turfd.id('free');
    const { path } = bundle(t, ['sleep', '1000'], (config) => {
      config.process.noNewPrivileges = false;
    });
    await turfd.ok(['run', '--detach', '--bundle', path, free]);
    const nnp = ['grep', 'NoNewPrivs', '/proc/self/status'];
    t.equal((await exec([free, ...nnp])).stdout, 'NoNewPrivs:\t0\n');
    t.equal((await exec(['--no-new-privs', free, ...nnp])).stdout, 'NoNewPrivs:\t1\n');
    await turfd.ok(['delete', '--force', free]);
  });

  await t.test('--process: a whole process, completed by the container’s', async (t) => {
    const dir = temporary(t);
    const file = join(dir, 'process.json');
    const process = {
      args: ['sh', '-c', 'id -u; pwd; echo $X; ulimit -n; grep CapEff /proc/self/status'],
      cwd: '/srv',
      env: ['X=y', 'PATH=/bin'],
      user: { uid: 0, gid: 0 },
      execCPUAffinity: { initial: '0', final: '0' },
    };
    writeFileSync(file, JSON.stringify(process));
    t.match(await exec(['--process', file, id]), {
      status: 0,
      stdout: '0\n/srv\ny\n1024\nCapEff:\t0000000020000420\n',
    });
    writeFileSync(
      file,
      JSON.stringify({ ...process, args: ['grep', 'Cpus_allowed_list', '/proc/self/status'] }),
    );
    t.equal((await exec(['-p', file, id])).stdout, 'Cpus_allowed_list:\t0\n');
    writeFileSync(file, JSON.stringify({ ...process, rlimits: [{ type: 'RLIMIT_NOPE', soft: 1, hard: 1 }] }));
    t.match(await exec(['--process', file, id]), { status: 255, stderr: /process\.rlimits\[0\]\.type/ });
    writeFileSync(file, '{');
    t.match(await exec(['--process', file, id]), { status: 255, stderr: /JSON|line|1:/ });
    const given = JSON.stringify({ args: ['echo', 'from stdin'], cwd: '/', env: ['PATH=/bin'] });
    t.match(await exec(['--process', '/dev/stdin', id], given), { status: 0, stdout: 'from stdin\n' });
    t.match(await exec(['--process', '/dev/fd/7', id]), { status: 255, stderr: /the caller's own/ });
    t.match(await exec(['--process', join(dir, 'none'), id]), { status: 255, stderr: /ENOENT/ });
  });

  await t.test('numbers of users are numbers (CVE-2026-30892)', async (t) => {
    for (const user of [
      'root',
      '1000x',
      '0x0',
      '-1',
      ' 0',
      '+0',
      '1000:',
      ':0',
      '0:0:0',
      '4294967295',
      '99999999999',
    ])
      t.match(
        await exec(['--user', user, id, 'true']),
        { status: 255, stderr: /--user/ },
        JSON.stringify(user),
      );
    t.match(await exec(['-g', '1,2', id, 'true']), { status: 255, stderr: /--additional-gids/ });
    const log = join(temporary(t), 'log');
    const unknown = ['exec', '--cap', 'CAP_NOPE', '--cap', 'cap_kill', '--cap', 'CAP_SYS_PTRACE', id];
    const grep = ['grep', 'CapPrm', '/proc/self/status'];
    const ptrace = BigInt(`0x${statusField(init, 'CapPrm')}`) | (1n << 19n);
    const shown = `CapPrm:\t${ptrace.toString(16).padStart(16, '0')}\n`;
    const loudly = await turfd.turf([...unknown, ...grep]);
    t.match(loudly, {
      status: 0,
      stdout: shown,
      stderr: 'turf: warning: ignoring unknown or unavailable capabilities: [CAP_NOPE cap_kill]\n',
    });
    t.match(await turfd.turf(['--log', log, '--log-format', 'json', ...unknown, ...grep]), {
      status: 0,
      stdout: shown,
      stderr: '',
    });
    const line: unknown = JSON.parse(readFileSync(log, 'utf8'));
    t.match(line, { level: 'warning', msg: /^ignoring unknown/, time: /^\d{4}-\d\d-\d\dT[\d:.]+Z$/ });
  });

  await t.test('a link in the place of the pid file’s temporary one leads nowhere', async (t) => {
    const dir = temporary(t);
    const precious = join(dir, 'precious');
    writeFileSync(precious, 'kept');
    symlinkSync(precious, join(dir, '.pid.new'));
    symlinkSync(precious, join(dir, 'pid'));
    await turfd.ok(['exec', '--detach', '--pid-file', join(dir, 'pid'), id, 'true']);
    t.equal(readFileSync(precious, 'utf8'), 'kept');
    t.match(readFileSync(join(dir, 'pid'), 'utf8'), /^\d+$/);
    t.notOk(lstatSync(join(dir, 'pid')).isSymbolicLink());
  });

  await t.test('a pidfd of the program, or of the container', requires('program:python3'), async (t) => {
    const dir = temporary(t);
    const receive = async (name: string, args: readonly string[]): Promise<string> => {
      const socket = join(dir, name);
      const receiver = spawn('python3', ['-c', TAKE_AND_KILL, socket], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let said = '';
      receiver.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
      const ended = once(receiver, 'close', soon());
      await eventually('it to listen', () => said.startsWith('listening'));
      await turfd.ok([...args.slice(0, 1), '--pidfd-socket', socket, ...args.slice(1)]);
      await ended;
      return said.split('\n')[1] ?? '';
    };
    t.equal(await receive('exec', ['exec', '--detach', id, 'sleep', '444']), 'setns sleep 444');
    const other = turfd.id('pidfd');
    t.match(await receive('create', ['create', '--bundle', sleeper.path, other]), /^standard /);
    t.match(await turfd.until(other, 'stopped'), { turf: { exitSignal: 'SIGKILL' } });
    await turfd.ok(['delete', other]);
    t.match(await exec(['--pidfd-socket', join(dir, 'none'), id, 'true']), {
      status: 255,
      stderr: /pidfd socket: /,
    });
    const failed = await turfd.turf(['create', '--pidfd-socket', '/nope', '--bundle', sleeper.path, other]);
    t.match(failed, { status: 1, stderr: /pidfd socket: / });
    t.equal((await turfd.turf(['state', other])).status, 1, 'nothing is left');
  });

  await t.test('states: created yes, paused only when asked, stopped no', async (t) => {
    const other = turfd.id('states');
    await turfd.ok(['create', '--bundle', sleeper.path, other]);
    t.match(await exec([other, 'echo', 'early']), { status: 0, stdout: 'early\n' });
    await turfd.ok(['start', other]);
    await turfd.ok(['pause', other]);
    t.match(await exec([other, 'true']), { status: 255, stderr: /paused container \(use --ignore-paused/ });
    const late = exec(['--ignore-paused', other, 'echo', 'late']);
    await eventually('it to join', async () => {
      const { stdout } = await turfd.ok(['ps', '-f', 'json', other]);
      return (JSON.parse(stdout) as number[]).length > 1;
    });
    t.equal((await turfd.state(other)).status, 'paused');
    await turfd.ok(['resume', other]);
    t.match(await late, { status: 0, stdout: 'late\n' });
    await turfd.ok(['kill', other, 'KILL']);
    await turfd.until(other, 'stopped');
    t.match(await exec([other, 'true']), { status: 255, stderr: /stopped container/ });
    await turfd.ok(['delete', other]);
    t.match(await exec([other, 'true']), { status: 255, stderr: /does not exist/ });
  });

  await t.test('forwards signals, and tells when the container is killed', async (t) => {
    const client = (...args: string[]) => {
      const child = spawn(TURF, ['--root', turfd.root, 'exec', id, ...args], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      t.teardown(() => child.kill('SIGKILL'));
      return child;
    };
    const trap = client('sh', '-c', 'trap "exit 9" TERM; echo ready; while :; do sleep 1000 & wait; done');
    await once(trap.stdout, 'data', soon());
    trap.kill('SIGTERM');
    t.equal((await once(trap, 'exit', soon()))[0], 9);
    const doomed = turfd.id('doomed');
    await turfd.ok(['run', '--detach', '--bundle', sleeper.path, doomed]);
    const victim = spawn(TURF, ['--root', turfd.root, 'exec', doomed, 'sh', '-c', 'echo ready; sleep 1000'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(victim.stdout, 'data', soon());
    process.kill((await turfd.state(doomed)).pid, 'SIGKILL');
    t.equal((await once(victim, 'exit', soon()))[0], 137);
    await turfd.until(doomed, 'stopped');
    await turfd.ok(['delete', doomed]);
  });

  await t.test('a terminal of the container’s own', requires('program:gcc'), async (t) => {
    const receiver = await receiveConsole(t);
    const shell =
      'tty; stty size; echo through > /dev/tty; trap "echo interrupted; exit 3" INT; echo ready; while :; do sleep 1000 & wait; done';
    await turfd.ok(['exec', '-t', '-d', '--console-socket', receiver.socket, id, 'sh', '-c', shell]);
    await receiver.until('through');
    await receiver.until('ready');
    t.match(receiver.output(), /\/dev\/pts\/0\r\n/);
    receiver.type('\u0003');
    await receiver.until('interrupted');
    await receiver.ended;
    t.match(await exec(['-t', '-d', id, 'true']), { status: 255, stderr: /console socket/ });
    t.match(await exec(['-d', '--console-socket', receiver.socket, id, 'true']), {
      status: 255,
      stderr: /tty/,
    });
    t.match(await exec(['-t', id, 'tty']), { status: 0, stdout: /^\/dev\/pts\/\d+\r\n$/ });
  });

  await t.test(
    '--cgroup: below the container’s, and nowhere else',
    requires('cgroup-v1', 'controller:pids'),
    async (t) => {
      const own = readFileSync(`/proc/${init}/cgroup`, 'utf8').match(/:pids:(.*)/)?.[1] ?? '';
      mkdirSync(`/sys/fs/cgroup/pids${own}/sub`);
      const shown = await exec(['--cgroup', 'pids:sub', id, 'grep', 'pids', '/proc/self/cgroup']);
      t.match(shown, { status: 0, stdout: new RegExp(`:pids:.*/sub\n`) });
      t.match(await exec(['--cgroup', 'pids:none', id, 'true']), { status: 255, stderr: /ENOENT|no such/ });
      for (const wrong of ['..', 'sub/../..', 'pids:../x', 'nope:sub', 'pids:'])
        t.match(await exec(['--cgroup', wrong, id, 'true']), { status: 255, stderr: /--cgroup/ }, wrong);
    },
  );

  await t.test('runs in many at once', async (t) => {
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, i) => exec([id, 'sh', '-c', `exit ${i}`])),
    );
    t.strictSame(
      outcomes.map(({ status }) => status),
      Array.from({ length: 20 }, (_, i) => i),
    );
  });

  await turfd.ok(['delete', '--force', id]);
  t.strictSame(turfd.remains(), []);
});

import { closeSync, existsSync, mkdirSync, openSync, realpathSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { type Test, t } from 'tap';
import { loadKernel } from '../../../native-shim/libturf.js';
import { compileFakeInit, loadFakeInit } from '../../fixtures/native/fake-init.js';
import { type FakeClient, type ClientRequest, listenForClients } from '../../fixtures/native/fake-daemon.js';
import { CLIENT, start } from '../../fixtures/native/run-client.js';

const kernel = loadKernel();
const init = loadFakeInit(compileFakeInit(t.testdir()), kernel);

async function daemon(
  t: Test,
  serve: (client: FakeClient) => Promise<void>,
  directory = 'root',
): Promise<string> {
  const root = join(t.testdir(), directory);
  mkdirSync(root, { recursive: true });
  const server = await listenForClients(root, kernel, serve);
  t.teardown(() => server.close());
  return root;
}

/** Reads what fake-init wrote on its sync channel until a newline. */
function readLine(sync: number): string {
  let text = '';
  while (!text.endsWith('\n')) {
    const { data } = kernel.receive(sync, 4096);
    if (data.length === 0) break;
    text += data.toString();
  }
  return text;
}

void t.test('the request carries argv, directory, chosen environment and umask', async (t) => {
  let request: ClientRequest | undefined;
  const root = await daemon(t, async (client) => {
    request = await client.request();
    client.exit(0);
  });
  const argv = ['--log', 'f', 'create', '--root', 'not-global', ''];
  const env = { PATH: '/bin', TURF_ROOT: root, SECRET: 'no', TERM: 'dumb', HOME: '/root' };
  const { ended } = start(['sh', '-c', 'umask 027; exec "$0" "$@"', CLIENT, ...argv], { env, cwd: root });
  t.match(await ended, { code: 0, stdout: '', stderr: '' });
  t.strictSame(request?.argv, argv);
  t.equal(request?.version, 1);
  t.equal(request?.cwd, realpathSync(root));
  t.strictSame([...(request?.env ?? [])].sort(), ['PATH=/bin', 'TERM=dumb', `TURF_ROOT=${root}`]);
  t.equal(request?.ttyBits, 0);
  t.equal(request?.umask, 0o27);
});

void t.test(
  'the root is found in flags before the verb, relative to the directory, however long it is',
  async (t) => {
    const serve = async (client: FakeClient): Promise<void> => {
      await client.request();
      client.exit(5);
    };
    const root = await daemon(t, serve, join('a'.repeat(90), 'b'.repeat(90)));
    const env = { TURF_NO_AUTOSTART: '1' };
    for (const flag of [`--root=${root}`, `-root=${root}`])
      t.match(await start([CLIENT, flag, 'list'], { env }).ended, { code: 5 });
    t.match(await start([CLIENT, '-log', '--root', '-root', root, 'list'], { env }).ended, { code: 5 });
    t.match(await start([CLIENT, '--log-format', 'json', '--root', root, 'list'], { env }).ended, {
      code: 5,
    });
    const parent = join(root, '..');
    t.match(await start([CLIENT, '--root', 'b'.repeat(90), 'list'], { env, cwd: parent }).ended, { code: 5 });
  },
);

void t.test('output goes to its stream, whole, and the exit code is passed on', async (t) => {
  const big = Buffer.alloc(900_000, 'x');
  const root = await daemon(t, async (client) => {
    await client.request();
    client.send('E', Buffer.from('oops\n'));
    await client.channel.send('O', big);
    client.exit(42);
  });
  const result = await start([CLIENT, '--root', root]).ended;
  t.equal(result.code, 42);
  t.equal(result.stdout.length, big.length);
  t.equal(result.stderr, 'oops\n');
});

void t.test('stdin is sent when it is asked for, with its end', async (t) => {
  let text = '';
  const root = await daemon(t, async (client) => {
    await client.request();
    client.send('i');
    for (let part = await client.expect('I'); part.bytes.length > 0; part = await client.expect('I'))
      text += part.bytes.toString();
    client.exit(0);
  });
  const { child, ended } = start([CLIENT, '--root', root]);
  child.stdin?.end('a body');
  t.match(await ended, { code: 0 });
  t.equal(text, 'a body');
});

void t.test('a launched program gets its descriptors and nothing else', async (t) => {
  let report: unknown;
  const root = await daemon(t, async (client) => {
    await client.request();
    const extra = openSync('/dev/null', 'r');
    const { answer, sync } = await client.launch(init, 'report', {
      planFds: [extra, extra, extra],
      extraFds: [extra],
      changes: { flags: 1, stdinFd: 6, preserveFds: 1 },
    });
    report = JSON.parse(readLine(sync));
    closeSync(extra);
    closeSync(sync);
    t.match(answer, { requestId: 9, step: '' });
    t.match(report, { pid: answer.result, session: answer.result });
    client.exit(0);
  });
  const inherited = openSync('/dev/null', 'r');
  t.teardown(() => closeSync(inherited));
  const stdio = ['pipe', 'pipe', 'pipe', inherited, 'ignore', inherited, inherited, inherited] as const;
  t.match(await start([CLIENT, '--root', root], { stdio: [...stdio] }).ended, { code: 0, stderr: '' });
  t.hasStrict(report, {
    fds: [0, 1, 2, 3, 4, 5, 6, 7, 8],
    argv: ['turf-init', '4', '3'],
    environment: 0,
    SigBlk: '0000000000000000',
    SigIgn: '0000000000000000',
  });
});

void t.test('a launch that cannot be executed is answered with the step and the error', async (t) => {
  const root = await daemon(t, async (client) => {
    await client.request();
    const notExecutable = kernel.sealedMemfd('text', Buffer.from('not a program'));
    const failed = await client.launch(notExecutable, 'report');
    t.match(failed.answer, { result: -constants.errno.ENOEXEC, step: 'execute turf-init' });
    const noNamespace = await client.launch(init, 'report', { changes: { pidNsFd: 1 } });
    t.match(noNamespace.answer, { result: -constants.errno.EINVAL, step: 'join pid namespace' });
    const malformed = await client.launch(init, 'report', { changes: { stdinFd: 77 } });
    t.match(malformed.answer, { result: -constants.errno.EINVAL, step: 'decode launch request' });
    // 3 is none of the caller's: the client has opened something there itself, which is not to be had.
    const missing = await client.launch(init, 'report', { changes: { preserveFds: 1 } });
    t.match(missing.answer, {
      result: -constants.errno.EBADF,
      step: 'preserve descriptors (--preserve-fds)',
    });
    for (const { sync } of [failed, noNamespace, malformed, missing]) closeSync(sync);
    closeSync(notExecutable);
    client.exit(1);
  });
  t.match(await start([CLIENT, '--root', root]).ended, { code: 1, stderr: '' });
});

void t.test(
  'a foreground child inherits stdio, and its end is reported before the exit code comes',
  async (t) => {
    let status: number | undefined;
    const root = await daemon(t, async (client) => {
      await client.request();
      const { sync } = await client.launch(init, 'print hello');
      client.foreground();
      const ended = await client.expect('W');
      t.equal(ended.u32(), 9);
      status = ended.i32();
      closeSync(sync);
      client.exit(3);
    });
    t.match(await start([CLIENT, '--root', root]).ended, { code: 3, stdout: 'hello\n' });
    t.equal(status, 0);
  },
);

void t.test('signals reach the foreground child', async (t) => {
  let status: number | undefined;
  const root = await daemon(t, async (client) => {
    await client.request();
    const { sync } = await client.launch(init, 'signal');
    readLine(sync);
    client.foreground();
    // The answer to stdin's end proves that the client has handled F.
    client.send('i');
    await client.expect('I');
    child.kill('SIGUSR1');
    const ended = await client.expect('W');
    ended.u32();
    status = ended.i32();
    closeSync(sync);
    client.exit(0);
  });
  const { child, ended } = start([CLIENT, '--root', root], { stdio: ['ignore', 'pipe', 'pipe'] });
  t.match(await ended, { code: 0 });
  t.equal(status, constants.signals.SIGUSR1 << 8);
});

void t.test('without a child the daemon is told of a signal, and a second one ends the client', async (t) => {
  const root = await daemon(t, async (client) => {
    await client.request();
    child.kill('SIGINT');
    t.equal((await client.expect('S')).u32(), constants.signals.SIGINT);
    child.kill('SIGINT');
  });
  const { child, ended } = start([CLIENT, '--root', root]);
  t.match(await ended, { code: null, signal: 'SIGINT' });
});

void t.test('when the daemon goes away an unreported child is killed', async (t) => {
  let pid = 0;
  const root = await daemon(t, async (client) => {
    await client.request();
    const { answer, sync } = await client.launch(init, 'wait');
    pid = answer.result;
    t.ok(existsSync(`/proc/${pid}`));
    client.channel.destroy();
    t.teardown(() => closeSync(sync));
  });
  t.match(await start([CLIENT, '--root', root]).ended, { code: 1, stderr: 'turf: the daemon went away\n' });
  t.notOk(existsSync(`/proc/${pid}`));
});

void t.test('when the daemon goes away a foreground child runs on to its end', async (t) => {
  const root = await daemon(t, async (client) => {
    await client.request();
    const { sync } = await client.launch(init, 'signal');
    readLine(sync);
    client.foreground();
    // The answer to stdin's end proves that the client has handled F.
    client.send('i');
    await client.expect('I');
    client.channel.destroy();
    closeSync(sync);
    child.kill('SIGUSR2');
  });
  const { child, ended } = start([CLIENT, '--root', root], { stdio: ['ignore', 'pipe', 'pipe'] });
  t.match(await ended, { code: constants.signals.SIGUSR2, stderr: '' });
});

void t.test('a reader that leaves ends the client as it ends cat', async (t) => {
  const root = await daemon(t, async (client) => {
    await client.request();
    while (await client.channel.send('O', Buffer.alloc(65_536, 'y\n')));
  });
  const pipeline = `"$0" --root "$1" | head -c 1; echo " \${PIPESTATUS[0]}"`;
  const result = await start(['bash', '-c', pipeline, CLIENT, root]).ended;
  t.match(result, { stdout: 'y 141\n', stderr: '' });
});

void t.test('a terminal is relayed in raw mode with its size, and restored', async (t) => {
  const root = await daemon(t, async (client) => {
    const request = await client.request();
    t.match(request, { ttyBits: 7, rows: 33, columns: 101 });
    const [container, ours] = kernel.socketpair();
    const { sync } = await client.launch(init, 'console', { planFds: [container] });
    client.foreground(ours);
    closeSync(container);
    closeSync(ours);
    const ended = await client.expect('W');
    ended.u32();
    t.equal(ended.i32() >> 8, 7);
    closeSync(sync);
    client.exit(7);
  });
  const script =
    'stty rows 33 cols 101; before=$(stty -g); "$CLIENT" --root "$ROOT"; code=$?; ' +
    '[ "$before" = "$(stty -g)" ] && echo "restored $code"';
  const env = { ...process.env, CLIENT, ROOT: root, SHELL: '/bin/sh' };
  const { child, ended } = start(['script', '-qec', script, '/dev/null'], { env });
  child.stdin?.write('hello\n');
  const result = await ended;
  t.match(result.stdout, /read <hello> on 33x101\r\n/);
  t.match(result.stdout, /restored 7\r\n/);
});

void t.test('no daemon, and starting one is forbidden: the client says how', async (t) => {
  const root = join(t.testdir(), 'none');
  const env = { TURF_NO_AUTOSTART: '1' };
  const stderr = `turf: no daemon runs on ${root}; start one with: turfd --root ${root}\n`;
  t.match(await start([CLIENT, '--root', root, 'list'], { env }).ended, { code: 1, stderr });
});

void t.test('the client holds no descriptor of the daemon as its stdio', async (t) => {
  const root = await daemon(t, async (client) => {
    await client.request();
    const { sync } = await client.launch(init, 'report');
    t.match(JSON.parse(readLine(sync)), { fds: [0, 1, 2, 3, 4] });
    closeSync(sync);
    client.exit(0);
  });
  const closed = '"$0" --root "$1" <&- >&- 2>&-';
  t.match(await start(['bash', '-c', closed, CLIENT, root]).ended, { code: 0 });
});

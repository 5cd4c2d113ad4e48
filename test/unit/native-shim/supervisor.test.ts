import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { t } from 'tap';
import { compileFakeInit } from '../../fixtures/native/fake-init.js';
import { FakeTurfd } from '../../fixtures/native/fake-turfd.js';
import { start } from '../../fixtures/native/run-client.js';
import { runTurfd, temporaryDirectory } from '../../fixtures/native/run-turfd.js';

const SIGKILL = 9;
const POLL_MS = 5;
const init = compileFakeInit(t.testdir());

function startTime(pid: number): string {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

function records(root: string): unknown[] {
  const directory = join(root, 'exits');
  if (!existsSync(directory)) return [];
  return readdirSync(directory).map(
    (name) => JSON.parse(readFileSync(join(directory, name), 'utf8')) as unknown,
  );
}

/** Resolves when the process has ended, reaped or not; inotify does not cover /proc, so this asks until then. */
async function gone(pid: number): Promise<void> {
  const lives = (): boolean => {
    try {
      return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
    } catch {
      return false;
    }
  };
  while (lives()) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
}

async function recordOf(root: string, pid: number): Promise<unknown> {
  for (;;) {
    const found = records(root).find((record) => JSON.stringify(record).includes(`"pid":${pid},`));
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

void t.test('arguments reach the daemon with the root first, and the root is private', async (t) => {
  const { fake, root, front, ended } = await runTurfd(t, init, ['--log-level', 'debug']);
  t.equal(readFileSync(join(root, 'turfd.lock'), 'utf8'), `${front.pid ?? 0}\n`);
  t.notOk(existsSync(join(root, 'exits')));
  fake.tell({ do: 'exit', code: 2 });
  t.match(await ended, { code: 2 }, 'a daemon that ends before it was ready is not started again');
});

void t.test('a second daemon on the same root is refused by name', async (t) => {
  const { fake, root, front } = await runTurfd(t, init);
  const second = await start([fake.turfd, '--root', root], { env: fake.env }).ended;
  t.match(second, { code: 1, stderr: `turfd: another daemon runs on ${root} (pid ${front.pid ?? 0})\n` });
});

void t.test('a daemon that was ready is started again, and children live on', async (t) => {
  const { fake, root, daemonPid, supervisorPid } = await runTurfd(t, init);
  fake.tell({ do: 'send', type: 'Y' });
  const child = spawn('sleep', ['1000']);
  t.teardown(() => child.kill('SIGKILL'));
  const pid = child.pid ?? 0;
  const time = startTime(pid);
  await fake.watch(pid, time);
  t.equal(await fake.launch(1, 'exit 3').then((launched) => launched > 0), true);
  t.match(await fake.nextEnd(), { status: 3 << 8 });
  process.kill(daemonPid, 'SIGKILL');
  const again = await fake.next('started');
  t.not(again.pid, daemonPid);
  t.equal(again.parent, supervisorPid);
  await fake.watch(pid, time);
  process.kill(pid, 'SIGKILL');
  t.match(await fake.nextEnd(), { pid, startTime: time, status: SIGKILL });
  t.match(await recordOf(root, pid), { pid, startTime: Number(time), status: SIGKILL, at: /^\d{4}-.*Z$/ });
  t.notOk(existsSync(join(root, 'exits', `${daemonPid}-0`)));
  t.notMatch(JSON.stringify(records(root)), `"pid":${daemonPid},`, 'the daemon itself is not recorded');
});

void t.test('a child is reaped and reported with its status although nobody watched it', async (t) => {
  const { fake, root } = await runTurfd(t, init);
  fake.tell({ do: 'send', type: 'Y' });
  const pid = await fake.launch(7, 'die 15');
  const end = await fake.nextEnd();
  t.match(end, { pid, status: 15 });
  t.match(await recordOf(root, pid), { pid, startTime: Number(end.startTime), status: 15 });
  t.notOk(existsSync(`/proc/${pid}`));
});

void t.test('what ends while no daemon runs is recorded', async (t) => {
  const { fake, root, daemonPid } = await runTurfd(t, init);
  fake.tell({ do: 'send', type: 'Y' });
  const pid = await fake.launch(1, 'wait');
  // The end of the daemon is the end of the program's sync channel: it exits while there is nobody to tell.
  process.kill(daemonPid, 'SIGKILL');
  t.match(await recordOf(root, pid), { pid, status: 0 });
  await fake.next('started');
});

void t.test('SIGTERM stops the daemon; the keeper stays until the last child has ended', async (t) => {
  const { fake, root, front, ended, supervisorPid } = await runTurfd(t, init);
  fake.tell({ do: 'send', type: 'Y' });
  const pid = await fake.launch(1, 'signal');
  const keptAlive = startTime(pid);
  front.kill('SIGTERM');
  await fake.next('SIGTERM');
  fake.tell({ do: 'send', type: 'Q' });
  fake.tell({ do: 'exit', code: 0 });
  t.match(await ended, { code: 0, stderr: '' }, 'the keeper does not hold the output open');
  t.ok(existsSync(`/proc/${supervisorPid}`));

  const { child, ended: nextEnded } = start([fake.turfd, '--root', root], { env: fake.env });
  await fake.next('started');
  t.pass('the lock is free although the keeper lives');
  fake.tell({ do: 'send', type: 'Y' });
  await fake.watch(pid, keptAlive);
  process.kill(pid, 'SIGUSR1');
  t.match(await fake.nextEnd(), { pid, startTime: keptAlive, status: 10 << 8 });
  await gone(supervisorPid);
  t.match(await recordOf(root, pid), { status: 10 << 8 });
  child.kill('SIGINT');
  await fake.next('SIGTERM');
  fake.tell({ do: 'exit', code: 1 });
  t.match(await nextEnded, { code: 0 });
});

void t.test('a daemon that breaks the protocol is killed and started again', async (t) => {
  const { fake, daemonPid } = await runTurfd(t, init);
  fake.tell({ do: 'send', type: 'Y' });
  fake.tell({ do: 'send', type: '?' });
  t.not((await fake.next('started')).pid, daemonPid);
});

void t.test('the death of the front stops the daemon', async (t) => {
  const { fake, front, supervisorPid } = await runTurfd(t, init);
  fake.tell({ do: 'send', type: 'Y' });
  front.kill('SIGKILL');
  await fake.next('SIGTERM');
  fake.tell({ do: 'exit', code: 0 });
  await gone(supervisorPid);
});

void t.test('systemd is told by the front when the daemon is ready, and when it stops', async (t) => {
  const socket = join(temporaryDirectory(t), 'notify');
  const listener = spawn('python3', ['-c', LISTEN, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => listener.kill());
  const lines: string[] = [];
  const said = new Promise<void>((resolve) => {
    listener.stdout.on('data', (data: Buffer) => {
      lines.push(data.toString());
      if (lines.join('').includes('STOPPING')) resolve();
    });
  });
  await new Promise((resolve) => listener.stdout.once('data', resolve));
  const { fake, front, ended } = await runTurfd(t, init, [], { NOTIFY_SOCKET: socket });
  fake.tell({ do: 'send', type: 'Y' });
  while (!lines.join('').includes('READY=1'))
    await new Promise((resolve) => listener.stdout.once('data', resolve));
  front.kill('SIGTERM');
  await fake.next('SIGTERM');
  fake.tell({ do: 'exit', code: 0 });
  await ended;
  await said;
  t.equal(lines.join(''), `listening\nREADY=1\nMAINPID=${front.pid ?? 0}\nSTOPPING=1\n`);
});

const LISTEN = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print("listening", flush=True)
while True: print(s.recv(4096).decode(), flush=True)
`;

void t.test('--version is answered by the daemon without a root', async (t) => {
  const directory = temporaryDirectory(t);
  const fake = new FakeTurfd(directory, init);
  t.teardown(() => fake.close());
  writeFileSync(join(directory, 'dist', 'daemon', 'main.js'), 'console.log(...process.argv.slice(2));');
  const root = join(directory, 'never');
  const { ended } = start([fake.turfd, '--version', '--root', root], { env: fake.env });
  t.match(await ended, { code: 0, stdout: `--root ${root} --version\n` });
  t.notOk(existsSync(root));
});

void t.test('clients that find no daemon start one, and only one', async (t) => {
  const directory = temporaryDirectory(t);
  const fake = new FakeTurfd(directory, init);
  t.teardown(() => fake.close());
  const root = join(directory, 'deep', 'root');
  const env = { ...fake.env, NOTIFY_SOCKET: '/nowhere' };
  const clients = [1, 2, 3, 4].map(() => start([fake.turf, '--root', root, 'list'], { env }));
  const started = await fake.next('started');
  t.match(started, { args: ['--root', root], notify: false });
  fake.tell({ do: 'send', type: 'Y' });
  fake.tell({ do: 'serve', root });
  for (const { ended } of clients) t.match(await ended, { code: 7, stderr: '' });
  const front = Number(readFileSync(join(root, 'turfd.lock'), 'utf8'));
  process.kill(front, 'SIGTERM');
  fake.tell({ do: 'exit', code: 0 });
  await gone(started.pid ?? 0);
});

void t.test('a daemon that cannot start is quoted by the client', async (t) => {
  const directory = temporaryDirectory(t);
  const fake = new FakeTurfd(directory, init);
  t.teardown(() => fake.close());
  mkdirSync(join(directory, 'root'));
  writeFileSync(join(directory, 'dist', 'daemon', 'main.js'), 'console.error("bad luck"); process.exit(1);');
  const result = await start([fake.turf, '--root', join(directory, 'root'), 'list'], { env: fake.env }).ended;
  t.match(result, { code: 1, stderr: /^turf: .*turfd ended at once:\nbad luck\n$/ });
});

void t.test('a client that comes while a daemon stops starts the next one', async (t) => {
  const { fake, root, front, ended } = await runTurfd(t, init);
  fake.tell({ do: 'send', type: 'Y' });
  front.kill('SIGTERM');
  await fake.next('SIGTERM');
  const client = start([fake.turf, '--root', root, 'list'], { env: fake.env });
  const log = join(root, 'turfd.log');
  const refused = (): boolean => existsSync(log) && readFileSync(log, 'utf8').includes('another daemon runs');
  while (!refused()) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  fake.tell({ do: 'exit', code: 0 });
  await ended;
  await fake.next('started');
  fake.tell({ do: 'serve', root });
  t.match(await client.ended, { code: 7, stderr: '' });
  process.kill(Number(readFileSync(join(root, 'turfd.lock'), 'utf8')), 'SIGTERM');
});

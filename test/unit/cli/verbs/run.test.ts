import { openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { CliContext } from '../../../../cli/context.js';
import type { CreateOptions, LaunchRequest, Operations } from '../../../../cli/operations.js';
import { TurfError } from '../../../../cli/turf-error.js';
import { runFake } from '../run-fake.js';

const request: LaunchRequest = {
  cloneFlags: 0,
  flags: 0,
  preserveFds: 0,
  cgroupFd: -1,
  userNsFd: -1,
  pidNsFd: -1,
  stdinFd: -1,
  stdoutFd: -1,
  stderrFd: -1,
  fds: [],
};

/** As the daemon creates an ordinary container: through the launcher. */
async function launching(options: CreateOptions): Promise<{ id: string; pid: number }> {
  return { id: options.id, pid: (await options.launcher?.launch(request)) ?? 0 };
}

function bundle(t: Test, terminal: boolean): string {
  return t.testdir({ 'config.json': JSON.stringify({ process: { terminal } }) });
}

function run(
  argv: readonly string[],
  cwd: string,
  context: Partial<CliContext>,
  operations: Partial<Operations> = {},
) {
  return runFake(['run', ...argv], {
    context: { cwd, ...context },
    operations: { create: launching, ...operations },
  });
}

void t.test('a foreground run creates, starts, waits, deletes and exits as the program did', async (t) => {
  for (const [status, exit] of [
    [0, 0],
    [7 << 8, 7],
    [255 << 8, 255],
    [9, 137],
    [11 | 0x80, 139],
    [-1, 255],
  ] as const) {
    const waits: unknown[] = [];
    const foreground = {
      wait: (options: unknown) => {
        waits.push(options);
        return Promise.resolve(status);
      },
    };
    const done = await run(['c1'], bundle(t, false), { foreground });
    t.equal(done.exitCode, exit, `wait status ${status}`);
    t.same(waits, [{ terminal: false }]);
    t.same(
      done.calls.map(({ name }) => name),
      ['create', 'start', 'delete'],
    );
    t.same(done.calls[2]?.arguments, ['c1', { force: true }]);
  }
});

void t.test('--keep does not delete, --detach does not wait', async (t) => {
  const kept = await run(['--keep', 'c1'], bundle(t, false), {});
  t.same(
    kept.calls.map(({ name }) => name),
    ['create', 'start'],
  );
  const foreground = { wait: () => Promise.reject(new Error('not to be called')) };
  const detached = await run(['-d', '--pid-file', 'pid', 'c1'], bundle(t, false), { foreground });
  t.equal(detached.exitCode, 0);
  t.same(
    detached.calls.map(({ name }) => name),
    ['create', 'start'],
  );
});

void t.test('a terminal travels from the daemon to the client', async (t) => {
  const waits: unknown[] = [];
  const foreground = {
    wait: (options: unknown) => {
      waits.push(options);
      return Promise.resolve(0);
    },
  };
  const consolePair = () => ({ daemonEnd: 70, clientEnd: 71 });
  const done = await run(['c1'], bundle(t, true), { foreground, consolePair });
  t.equal(done.exitCode, 0);
  t.match(done.calls[0]?.arguments, [{ consoleFd: 70 }]);
  t.same(waits, [{ terminal: true, terminalFd: 71 }]);
});

void t.test('the end of the console that nobody took is closed', async (t) => {
  const cwd = bundle(t, true);
  const clientEnd = openSync(join(cwd, 'config.json'), 'r');
  const create = () => Promise.reject(new TurfError('TURF_ERR_CONFIG', 'no'));
  const done = await run(['c1'], cwd, { consolePair: () => ({ daemonEnd: -1, clientEnd }) }, { create });
  t.equal(done.exitCode, 1);
  t.throws(() => readSync(clientEnd, Buffer.alloc(1)), { code: 'EBADF' });
  t.same(
    done.calls.map(({ name }) => name),
    ['create'],
  );
});

void t.test('a failed start deletes what was created and keeps its message', async (t) => {
  const start = () => Promise.reject(new TurfError('TURF_ERR_LAUNCH', 'exec: no such file or directory'));
  const remove = () => Promise.reject(new TurfError('TURF_ERR_CGROUP', 'busy'));
  for (const argv of [['c1'], ['-d', 'c1']]) {
    const done = await run(argv, bundle(t, false), {}, { start, delete: remove });
    t.equal(done.exitCode, 1);
    t.equal(done.stderr, 'turf: c1 could not be deleted: busy\nturf: exec: no such file or directory\n');
  }
});

void t.test('console sockets and terminals are refused in the combinations that runc refuses', async (t) => {
  const detached = await run(['-d', 'c1'], bundle(t, true), {});
  t.match(detached.stderr, 'cannot allocate tty if turf will detach without setting console socket');
  const socket = ['--console-socket', '/run/tty.sock'];
  const attached = await run([...socket, 'c1'], bundle(t, true), {});
  t.match(attached.stderr, 'cannot use console socket if turf will not detach or allocate tty');
  const good = await run(['-d', ...socket, 'c1'], bundle(t, true), {});
  t.match(good.calls[0]?.arguments, [{ consoleSocket: '/run/tty.sock' }]);
});

void t.test(
  'a worker is no child of the client: its logs are relayed and its exit code awaited',
  async (t) => {
    const create = (options: CreateOptions) => Promise.resolve({ id: options.id, pid: 1 });
    const foreground = { wait: () => Promise.reject(new Error('not to be called')) };
    const done = await run(['--seed', 's1', 'w1'], bundle(t, false), { foreground }, { create });
    t.equal(done.exitCode, 3);
    t.equal(done.stdout, 'out 1\n');
    t.match(done.calls.at(-1), { name: 'delete', arguments: ['w1', { force: true }] });
  },
);

void t.test('an interrupted run of a worker ends the worker', async (t) => {
  const controller = new AbortController();
  const create = (options: CreateOptions) => Promise.resolve({ id: options.id, pid: 1 });
  const wait: Operations['wait'] = async (id, signal) => {
    if (signal !== undefined) {
      controller.abort();
      throw new TurfError('TURF_ERR_UNAVAILABLE', 'aborted');
    }
    const created = '2026-01-02T03:04:06Z';
    const turf = { kind: 'worker', state: 'stopped', exitSignal: 'SIGKILL' } as const;
    return Promise.resolve({
      ...{
        ociVersion: '1.2.0',
        id,
        pid: 0,
        status: 'stopped',
        bundle: '/b',
        rootfs: '',
        created,
        owner: 'root',
        turf,
      },
    });
  };
  const done = await run(['w1'], bundle(t, false), { signal: controller.signal }, { create, wait });
  t.equal(done.exitCode, 137);
  t.match(
    done.calls.map(({ name }) => name).filter((name) => name === 'kill' || name === 'delete'),
    ['kill', 'delete'],
  );
});

import t from 'tap';
import { TurfError } from '../../../cli/turf-error.js';
import { runningState } from './fake-operations.js';
import { runFake } from './run-fake.js';

void t.test('state prints what runc prints, in its order, and turf last', async (t) => {
  const { stdout } = await runFake(['state', 'c1']);
  t.equal(
    stdout,
    `{
  "ociVersion": "1.2.0",
  "id": "c1",
  "pid": 4242,
  "status": "running",
  "bundle": "/srv/c1",
  "rootfs": "/srv/c1/rootfs",
  "created": "2026-01-02T03:04:05.678901234Z",
  "annotations": {
    "a": "b"
  },
  "owner": "root",
  "turf": {
    "kind": "container",
    "state": "running"
  }
}
`,
  );
});

void t.test('list has the columns and widths of runc', async (t) => {
  const { stdout } = await runFake(['list']);
  t.equal(
    stdout,
    [
      'ID                          PID         STATUS      BUNDLE      CREATED                          OWNER',
      'c1                          4242        running     /srv/c1     2026-01-02T03:04:05.678901234Z   root',
      'a-worker-with-a-long-name   0           stopped     /srv/w1     2026-01-02T03:04:06Z             root',
      '',
    ].join('\n'),
  );
  const none = await runFake(['list'], { operations: { list: () => Promise.resolve([]) } });
  t.equal(none.stdout, 'ID          PID         STATUS      BUNDLE      CREATED     OWNER\n');
});

void t.test('list prints ids or states on request', async (t) => {
  t.equal((await runFake(['list', '-q'])).stdout, 'c1\na-worker-with-a-long-name\n');
  const { stdout } = await runFake(['list', '--format', 'json']);
  t.match(JSON.parse(stdout), [{ id: 'c1' }, { id: 'a-worker-with-a-long-name' }]);
  t.equal(stdout.split('\n').length, 2, 'one line, as runc');
  const none = await runFake(['list', '-f', 'json'], { operations: { list: () => Promise.resolve([]) } });
  t.equal(none.stdout, '[]\n');
});

void t.test('a table shows control characters and sends none', async (t) => {
  const state = { ...runningState, bundle: '/srv/\x1b[2J\n' };
  const { stdout } = await runFake(['list'], { operations: { list: () => Promise.resolve([state]) } });
  t.match(stdout, '/srv/\\x1b[2J\\x0a');
  t.equal(stdout.split('\n').length, 3);
});

void t.test('seed list prints seeds', async (t) => {
  const { stdout } = await runFake(['seed', 'list']);
  t.match(
    stdout,
    /^ID +PID +STATE +MODE +ROLE +FORKS +WORKERS +BUNDLE +CREATED\ns1 +77 +forkwait +runtime +current +12 +3 /,
  );
  t.equal((await runFake(['seed', 'list', '-q'])).stdout, 's1\n');
  t.match(JSON.parse((await runFake(['seed', 'list', '--format=json'])).stdout), [{ id: 's1', workers: 3 }]);
});

void t.test('fork prints the address, or more on request', async (t) => {
  t.equal((await runFake(['fork', 's1', 'w1'])).stdout, 'unix:/run/turf/w1/http.sock\n');
  t.match(JSON.parse((await runFake(['fork', 's1', 'w1', '--format', 'json'])).stdout), {
    id: 'w1',
    pid: 88,
    listen: 'unix:/run/turf/w1/http.sock',
    forkMs: 1.234,
  });
  t.match((await runFake(['fork', 's1', 'w1', '-f', 'table'])).stdout, /^ID .*FORK MS\nw1 .* 1\.23\n$/);
});

void t.test('invoke prints the body, the head on request, and exits by the status', async (t) => {
  const plain = await runFake(['invoke', 'w1']);
  t.same([plain.stdout, plain.exitCode], ['hello', 0]);
  const included = await runFake(['invoke', '-i', 'w1']);
  t.equal(included.stdout, 'HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\nhello');
  for (const [status, exit] of [
    [302, 0],
    [404, 1],
    [500, 1],
  ] as const) {
    const invoke = () =>
      Promise.resolve({ status, statusText: '', headers: [], body: Uint8Array.of(0xff, 0, status & 0xff) });
    const run = await runFake(['invoke', 'w1'], { operations: { invoke } });
    t.equal(run.exitCode, exit, String(status));
    t.same(Buffer.from(run.stdout, 'latin1'), Buffer.of(0xff, 0, status & 0xff), 'bytes stay bytes');
  }
});

void t.test('logs keep their streams', async (t) => {
  const run = await runFake(['logs', '--tail', '3', 'c1']);
  t.equal(run.stdout, 'out 1\n');
  t.not(run.stderr, '');
  t.match(run.calls[0]?.arguments, ['c1', { follow: false, tail: 3 }]);
});

void t.test('events are JSON lines', async (t) => {
  const lines = (await runFake(['events'])).stdout.trimEnd().split('\n');
  t.match(
    lines.map((line): unknown => JSON.parse(line)),
    [{ type: 'create' }, { type: 'exit', exitCode: 7 }],
  );
});

void t.test('version has the lines that engines look for', async (t) => {
  const text = 'turf version 0.1.0\nspec: 1.2.1\nnode: v20.20.2\nkernel: 6.18\nlibseccomp: 2.5.4\n';
  t.equal((await runFake(['--version'])).stdout, text);
  t.equal((await runFake(['version'])).stdout, text);
});

void t.test('check prints a table or JSON, and exits 1 where containers cannot run', async (t) => {
  t.match((await runFake(['check'])).stdout, /^NAME +STATUS +FOUND +WITHOUT IT\ncgroup\.mode +ok +hybrid/);
  const check = () =>
    Promise.resolve({
      ok: false,
      items: [{ name: 'kernel.openat2', ok: false, found: 'ENOSYS', without: 'no container can be created' }],
    });
  const failing = await runFake(['check', '--format', 'json'], { operations: { check } });
  t.equal(failing.exitCode, 1);
  t.match(JSON.parse(failing.stdout), { ok: false });
});

void t.test('delete --force of a missing container is no error, other errors are', async (t) => {
  const missing = () => Promise.reject(new TurfError('TURF_ERR_NOT_FOUND', 'container does not exist'));
  const busy = () => Promise.reject(new TurfError('TURF_ERR_CGROUP', 'cgroup is busy'));
  t.same(await runFake(['delete', '-f', 'c1'], { operations: { delete: missing } }), {
    exitCode: 0,
    stdout: '',
    stderr: '',
    calls: [{ name: 'delete', arguments: ['c1', { force: true }] }],
  });
  t.equal((await runFake(['delete', 'c1'], { operations: { delete: missing } })).exitCode, 1);
  t.equal((await runFake(['delete', '-f', 'c1'], { operations: { delete: busy } })).exitCode, 1);
});

void t.test('an interrupted stream ends quietly', async (t) => {
  const controller = new AbortController();
  controller.abort();
  const list = () =>
    Promise.reject(controller.signal.reason instanceof Error ? controller.signal.reason : new Error());
  const run = await runFake(['list'], { operations: { list }, context: { signal: controller.signal } });
  t.same([run.exitCode, run.stderr], [130, '']);
});

void t.test('tree draws what hangs below what', async (t) => {
  const stdout = Buffer.from((await runFake(['tree'])).stdout, 'latin1').toString('utf8');
  t.same(
    stdout.split('\n').map((line) => line.replace(/ {3,}.*$/, '')),
    ['ID', 's1', '├─ f1', '│  └─ w1', '└─ w2', 'w3 (of old, gone)', ''],
  );
  t.match(stdout, /w1 .* 58\.0M +2\.0M +0\.5M\n/);
  t.match(stdout, /w2 +worker +stopped +0 +- +- +-\n/);
  t.match(JSON.parse((await runFake(['tree', '-f', 'json'])).stdout), [{ id: 's1' }, { depth: 1 }]);
  t.match(JSON.parse((await runFake(['seed', 'inspect', 's1'])).stdout), {
    id: 's1',
    workerIds: ['w1', 'w2', 'w3'],
  });
});

import t from 'tap';
import { z } from 'zod';
import { buildRestServer } from '../../../../daemon/rest/server.js';
import { ERROR_CODES, TurfError, type TurfErrorCode } from '../../../../cli/turf-error.js';
import type { Operations } from '../../../../cli/operations.js';
import {
  fakeOperations,
  forkResult,
  runningState,
  seed,
  seedDetails,
  treeNodes,
  workerState,
} from '../../cli/fake-operations.js';

const json = z.record(z.string(), z.unknown());

function server(overrides: Partial<Operations> = {}) {
  const fake = fakeOperations(overrides);
  return { app: buildRestServer({ operations: fake.operations, version: '0.1.0' }), calls: fake.calls };
}

type Case = [
  string,
  'GET' | 'POST' | 'PATCH' | 'DELETE',
  string,
  object | undefined,
  number,
  unknown,
  unknown[],
];

const cases: Case[] = [
  [
    'create',
    'POST',
    '/v1/containers',
    { id: 'c1', bundle: '/srv/c1', noPivot: true },
    201,
    { id: 'c1', pid: 4242 },
    ['create', { id: 'c1', bundle: '/srv/c1', noPivot: true }],
  ],
  ['start', 'POST', '/v1/containers/c1/start', undefined, 204, undefined, ['start', 'c1']],
  ['list', 'GET', '/v1/containers', undefined, 200, [runningState, workerState], ['list']],
  ['state', 'GET', '/v1/containers/c1', undefined, 200, runningState, ['state', 'c1']],
  [
    'kill default',
    'POST',
    '/v1/containers/c1/kill',
    undefined,
    204,
    undefined,
    ['kill', 'c1', 'SIGTERM', false],
  ],
  [
    'kill all',
    'POST',
    '/v1/containers/c1/kill',
    { signal: 9, all: true },
    204,
    undefined,
    ['kill', 'c1', '9', true],
  ],
  [
    'checkpoint',
    'POST',
    '/v1/containers/c1/checkpoint',
    { imagePath: '/var/c1', leaveRunning: true, networkLock: 'skip' },
    204,
    undefined,
    ['checkpoint', { id: 'c1', imagePath: '/var/c1', leaveRunning: true, networkLock: 'skip' }],
  ],
  [
    'restore',
    'POST',
    '/v1/containers/c1/restore',
    { imagePath: '/var/c1', bundle: '/srv/c1', tcpClose: true },
    201,
    { id: 'c1', pid: 4242 },
    ['restore', { imagePath: '/var/c1', tcpClose: true, create: { id: 'c1', bundle: '/srv/c1' } }],
  ],
  ['pause', 'POST', '/v1/containers/c1/pause', undefined, 204, undefined, ['pause', 'c1']],
  ['resume', 'POST', '/v1/containers/c1/resume', undefined, 204, undefined, ['resume', 'c1']],
  [
    'processes',
    'GET',
    '/v1/containers/c1/processes',
    undefined,
    200,
    { pids: [4242, 4250] },
    ['processes', 'c1'],
  ],
  [
    'update',
    'PATCH',
    '/v1/containers/c1/resources',
    { memory: { limit: 1048576 }, pids: null },
    204,
    undefined,
    ['update', 'c1', { resources: { memory: { limit: 1048576 } } }],
  ],
  ['delete', 'DELETE', '/v1/containers/c1', undefined, 204, undefined, ['delete', 'c1', { force: false }]],
  [
    'force',
    'DELETE',
    '/v1/containers/c1?force=true',
    undefined,
    204,
    undefined,
    ['delete', 'c1', { force: true }],
  ],
  [
    'seed create',
    'POST',
    '/v1/seeds',
    { id: 's1', bundle: '/srv/s1' },
    201,
    seed,
    ['seedCreate', { id: 's1', bundle: '/srv/s1' }],
  ],
  ['seed list', 'GET', '/v1/seeds', undefined, 200, [seed], ['seedList']],
  ['one seed', 'GET', '/v1/seeds/s1', undefined, 200, seedDetails, ['seedInspect', 's1']],
  [
    'seed delete',
    'DELETE',
    '/v1/seeds/s1?force=true',
    undefined,
    204,
    undefined,
    ['seedRemove', 's1', { force: true }],
  ],
  [
    'fork many',
    'POST',
    '/v1/seeds/s1/fork',
    { id: 'w', count: 2, onExit: 'delete', ttlMs: 1000, maxRequests: 1 },
    201,
    {
      workers: [
        { ...forkResult, id: 'w-1' },
        { ...forkResult, id: 'w-2' },
      ],
    },
    ['forkMany', { id: 'w', onExit: 'delete', ttlMs: 1000, maxRequests: 1, seed: 's1' }, 2],
  ],
  [
    'fork on demand',
    'POST',
    '/v1/seeds/s1/fork',
    { id: 'w', idleMs: 30_000 },
    201,
    { ...forkResult, id: 'w' },
    ['fork', { id: 'w', idleMs: 30_000, seed: 's1' }],
  ],
  [
    'seed roll',
    'POST',
    '/v1/seeds/s1/roll',
    { bundle: '/srv/v2', drain: 'idle' },
    201,
    { ...seed, id: 's1+2' },
    ['seedRoll', { id: 's1', bundle: '/srv/v2', drain: 'idle' }],
  ],
  ['tree', 'GET', '/v1/tree', undefined, 200, treeNodes, ['tree']],
  [
    'fork',
    'POST',
    '/v1/seeds/s1/fork',
    { id: 'w1', env: { A: '1' }, memory: 1048576, cpus: 0.5, listen: 'tcp:127.0.0.1:0', hold: true },
    201,
    forkResult,
    [
      'fork',
      {
        id: 'w1',
        env: { A: '1' },
        memory: 1048576,
        cpus: 0.5,
        listen: 'tcp:127.0.0.1:0',
        hold: true,
        seed: 's1',
      },
    ],
  ],
  [
    'invoke',
    'POST',
    '/v1/workers/w1/invoke',
    { method: 'PUT', path: '/a?b', headers: [['k', 'v']], body: 'hé' },
    200,
    { status: 200, statusText: 'OK', headers: [['content-type', 'text/plain']], body: 'hello' },
    ['invoke', { id: 'w1', method: 'PUT', path: '/a?b', headers: [['k', 'v']], body: Buffer.from('hé') }],
  ],
  ['health', 'GET', '/v1/health', undefined, 200, undefined, ['health']],
  ['version', 'GET', '/v1/version', undefined, 200, undefined, ['version']],
  [
    'features',
    'GET',
    '/v1/features',
    undefined,
    200,
    { ociVersionMin: '1.0.0', ociVersionMax: '1.2.1' },
    ['features'],
  ],
  ['check', 'GET', '/v1/check', undefined, 200, undefined, ['check']],
];

void t.test('routes call one operation and answer its result', async (t) => {
  for (const [name, method, url, payload, status, body, call] of cases) {
    const { app, calls } = server();
    t.teardown(() => app.close());
    const answer = await app.inject({ method, url, ...(payload === undefined ? {} : { payload }) });
    t.equal(answer.statusCode, status, `${name}: status`);
    if (status === 204) t.equal(answer.body, '', `${name}: empty`);
    else t.match(answer.headers['content-type'], 'application/json', `${name}: JSON`);
    if (body !== undefined) t.same(answer.json(), body, `${name}: body`);
    t.same([calls[0]?.name, ...(calls[0]?.arguments ?? [])], call, `${name}: operation`);
  }
});

void t.test('created things are located', async (t) => {
  const { app } = server();
  t.teardown(() => app.close());
  const created = await app.inject({
    method: 'POST',
    url: '/v1/containers',
    payload: { id: 'c1', bundle: '/b' },
  });
  t.equal(created.headers.location, '/v1/containers/c1');
  const forked = await app.inject({ method: 'POST', url: '/v1/seeds/s1/fork', payload: { id: 'w9' } });
  t.equal(forked.headers.location, '/v1/containers/w9');
});

void t.test('wait answers the final state', async (t) => {
  const { app } = server();
  t.teardown(() => app.close());
  const answer = await app.inject('/v1/containers/w1/wait');
  t.match(answer.json(), { id: 'w1', status: 'stopped', turf: { exitCode: 3 } });
});

void t.test('exec collects what the program wrote, up to the limit', async (t) => {
  const { app, calls } = server();
  t.teardown(() => app.close());
  const url = '/v1/containers/c1/exec';
  const ask = (payload: object) => app.inject({ method: 'POST', url, payload });
  const whole = await ask({ args: ['sh', '-c', 'x'], user: { uid: 5 }, stdin: 'in' });
  t.same(whole.json(), { pid: 4250, exitCode: 3, stdout: 'out\n', stderr: 'err\n', truncated: false });
  t.same(calls[0]?.arguments[0], {
    id: 'c1',
    args: ['sh', '-c', 'x'],
    user: { uid: 5 },
    stdin: Buffer.from('in'),
  });
  const cut = await ask({ process: { args: ['x'] }, outputLimit: 2 });
  t.same(cut.json(), { pid: 4250, exitCode: 3, stdout: 'ou', stderr: 'er', truncated: true });
  t.same(calls[1]?.arguments[0], { id: 'c1', process: '{"args":["x"]}' });
});

void t.test('a binary answer of a worker travels as base64, in both directions', async (t) => {
  const body = Buffer.from([0xff, 0, 1]);
  const { app, calls } = server({
    invoke: () => Promise.resolve({ status: 500, statusText: 'Oh', headers: [], body }),
  });
  t.teardown(() => app.close());
  const payload = { bodyBase64: body.toString('base64') };
  const answer = await app.inject({ method: 'POST', url: '/v1/workers/w1/invoke', payload });
  t.same(answer.json(), { status: 500, statusText: 'Oh', headers: [], bodyBase64: '/wAB' });
  t.match(calls[0]?.arguments, [{ body }]);
});

const invalid: [string, string, object, string, string][] = [
  ['no id', '/v1/containers', { bundle: '/b' }, 'id', 'TURF_ERR_INVALID_ID'],
  ['traversal in id', '/v1/containers', { id: '../x', bundle: '/b' }, 'id', 'TURF_ERR_INVALID_ID'],
  ['id in the path', '/v1/containers/..%2Fx/kill', {}, 'id', 'TURF_ERR_INVALID_ID'],
  ['relative bundle', '/v1/containers', { id: 'a', bundle: 'b' }, 'bundle', 'TURF_ERR_USAGE'],
  ['NUL in bundle', '/v1/containers', { id: 'a', bundle: '/b\0' }, 'bundle', 'TURF_ERR_USAGE'],
  ['unknown field', '/v1/containers', { id: 'a', bundle: '/b', bundel: 1 }, '', 'TURF_ERR_USAGE'],
  ['wrong type', '/v1/containers', { id: 'a', bundle: '/b', noPivot: 'yes' }, 'noPivot', 'TURF_ERR_USAGE'],
  ['env value', '/v1/seeds/s1/fork', { id: 'a', env: { 'A B': 1 } }, 'env["A B"]', 'TURF_ERR_USAGE'],
  ['listen', '/v1/seeds/s1/fork', { id: 'a', listen: 'unix:rel' }, 'listen', 'TURF_ERR_USAGE'],
  ['header', '/v1/workers/w/invoke', { headers: [['a', 1]] }, 'headers[0][1]', 'TURF_ERR_USAGE'],
  ['two bodies', '/v1/workers/w/invoke', { body: '', bodyBase64: '' }, 'bodyBase64', 'TURF_ERR_USAGE'],
];

void t.test('invalid requests name the field and do nothing', async (t) => {
  const { app, calls } = server();
  t.teardown(() => app.close());
  for (const [name, url, payload, path, code] of invalid) {
    const answer = await app.inject({ method: 'POST', url, payload });
    t.equal(answer.statusCode, 400, name);
    t.match(answer.headers['content-type'], 'application/problem+json', name);
    t.match(
      answer.json(),
      { code, type: `urn:turf:error:${code}`, status: 400, path, issues: [{ path }] },
      name,
    );
  }
  const query = await app.inject({ method: 'DELETE', url: '/v1/containers/c?force=perhaps' });
  t.match(query.json(), { status: 400, issues: [{ in: 'query', path: 'force' }] });
  t.same(calls, []);
});

void t.test('framework errors are problems too', async (t) => {
  const { app } = server();
  t.teardown(() => app.close());
  const big = JSON.stringify({ id: 'x'.repeat(1024 * 1024 + 1) });
  const post = (payload: string, type = 'application/json') =>
    app.inject({ method: 'POST', url: '/v1/containers', payload, headers: { 'content-type': type } });
  t.match((await post('{')).json(), { status: 400, code: 'TURF_ERR_USAGE' });
  t.match((await post(big)).json(), { status: 413, code: 'TURF_ERR_USAGE' });
  t.match((await post('a=b', 'application/x-www-form-urlencoded')).json(), { status: 415 });
  const lost = await app.inject('/v1/nothing?x');
  t.match(lost.json(), { status: 404, code: 'TURF_ERR_NOT_FOUND', instance: '/v1/nothing' });
  const wrong = await app.inject({ method: 'PUT', url: '/v1/containers/c1' });
  t.equal(wrong.statusCode, 405);
  t.equal(wrong.headers.allow, 'DELETE, GET');
  t.match(wrong.json(), { status: 405, code: 'TURF_ERR_USAGE' });
});

void t.test('every code answers with its status and its details', async (t) => {
  for (const [code, { status }] of Object.entries(ERROR_CODES)) {
    const { app } = server({
      start: () =>
        Promise.reject(
          new TurfError(code as TurfErrorCode, 'what was done', { operation: 'start c1', path: 'linux.x' }),
        ),
    });
    t.teardown(() => app.close());
    const answer = await app.inject({ method: 'POST', url: '/v1/containers/c1/start' });
    t.equal(answer.statusCode, status, code);
    const problem = json.parse(answer.json());
    t.ok(problem['title'], `${code} has a title`);
    t.match(problem, {
      type: `urn:turf:error:${code}`,
      status,
      code,
      detail: 'what was done',
      operation: 'start c1',
      path: 'linux.x',
      instance: '/v1/containers/c1/start',
    });
  }
});

void t.test('a defect shows neither its message nor its stack', async (t) => {
  const { app } = server({ list: () => Promise.reject(new Error('secret at /srv')) });
  t.teardown(() => app.close());
  const answer = await app.inject('/v1/containers');
  t.equal(answer.statusCode, 500);
  t.match(answer.json(), { code: 'TURF_ERR_SYSTEM' });
  t.notMatch(answer.body, /secret|stack|at .*\.js/);
});

import t from 'tap';
import { DEFAULT_LIMITS } from '../../../../aworker/config/limits.js';
import { WORKER_LIMIT_NAMES, workerLimitProblem } from '../../../../oci-spec/worker-limits.js';
import { parseSeedConfig, parseWorkerConfig, takeVariable } from '../../../../aworker/config/config.js';

void t.test('a seed configuration has a mode, a main module and a control socket', (t) => {
  t.same(parseSeedConfig('{"mode":"userland","main":"/code/a.js","controlFd":3}'), {
    mode: 'userland',
    main: '/code/a.js',
    controlFd: 3,
    nodeModules: [],
  });
  t.equal(parseSeedConfig('{"mode":"runtime","controlFd":9}').main, '/code/index.js');
  for (const bad of [
    '[]',
    '{"mode":"other","controlFd":3}',
    '{"mode":"runtime"}',
    '{"mode":"runtime","controlFd":2}',
    '{',
  ]) {
    t.throws(() => parseSeedConfig(bad), bad);
  }
  t.end();
});

void t.test('a fork request tells identity, environment and listening socket', (t) => {
  t.same(parseWorkerConfig('{"id":"w","env":{"A":"B"},"listenFd":200,"hostname":"ignored"}'), {
    id: 'w',
    env: { A: 'B' },
    main: '/code/index.js',
    listenFd: 200,
    limits: DEFAULT_LIMITS,
    nodeModules: [],
  });
  t.equal(parseWorkerConfig('{"rehearsal":true}').rehearsal, true);
  t.same(parseWorkerConfig('{}'), {
    id: '',
    env: {},
    main: '/code/index.js',
    limits: DEFAULT_LIMITS,
    nodeModules: [],
  });
  for (const bad of [
    'null',
    '{"env":{"A":1}}',
    '{"env":"x"}',
    '{"listenFd":1.5}',
    '{"main":7}',
    '{"limits":{"x":1}}',
    '{"limits":{"graceMs":-1}}',
    '{"nodeModules":"node:fs"}',
    '{"nodeModules":["fs"]}',
    '{"nodeModules":["node:nothing"]}',
  ]) {
    t.throws(() => parseWorkerConfig(bad), bad);
  }
  t.end();
});

void t.test('a clone may become a seed itself', (t) => {
  const seed = { mode: 'userland', main: '/code/f.js', controlFd: 201, nodeModules: ['node:buffer'] };
  t.same(parseWorkerConfig(JSON.stringify({ id: 'f', seed })).seed, seed);
  for (const bad of ['{"seed":true}', '{"seed":{"mode":"userland"}}'])
    t.throws(() => parseWorkerConfig(bad), /^info\.seed/, bad);
  t.end();
});

void t.test('limits that are not given have their defaults', (t) => {
  t.same(parseWorkerConfig('{"limits":{"graceMs":5,"bodyBytes":0}}').limits, {
    ...DEFAULT_LIMITS,
    graceMs: 5,
    bodyBytes: 0,
  });
  t.throws(
    () => parseWorkerConfig('{"limits":{"graceMs":1.5}}'),
    /^info\.limits\.graceMs: not a whole number/,
  );
  t.end();
});

void t.test('the limits that a bundle may have are those that the runtime has', (t) => {
  t.same([...WORKER_LIMIT_NAMES].sort(), Object.keys(DEFAULT_LIMITS).sort());
  for (const name of WORKER_LIMIT_NAMES) {
    for (const value of [0, 1, 2 ** 31 - 1, 2 ** 31, 2 ** 53, -1, 1.5, '1']) {
      const runtime = ((): boolean => {
        try {
          return parseWorkerConfig(JSON.stringify({ limits: { [name]: value } })).limits[name] === value;
        } catch {
          return false;
        }
      })();
      t.equal(workerLimitProblem(name, value) === undefined, runtime, `${name}: ${value}`);
    }
  }
  t.end();
});

void t.test('a configuration variable is taken out of the environment', (t) => {
  const env = { TURF_SEED: 'x' };
  t.equal(takeVariable(env, 'TURF_SEED'), 'x');
  t.same(env, {});
  t.throws(() => takeVariable(env, 'TURF_SEED'), /started by turf/);
  t.end();
});

import t from 'tap';
import { parseSeedConfig, parseWorkerConfig, takeVariable } from '../../../aworker/config.js';

void t.test('a seed configuration has a mode, a main module and a control socket', (t) => {
  t.same(parseSeedConfig('{"mode":"userland","main":"/code/a.js","controlFd":3}'), {
    mode: 'userland',
    main: '/code/a.js',
    controlFd: 3,
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
  });
  t.equal(parseWorkerConfig('{"rehearsal":true}').rehearsal, true);
  t.same(parseWorkerConfig('{}'), { id: '', env: {}, main: '/code/index.js' });
  for (const bad of ['null', '{"env":{"A":1}}', '{"env":"x"}', '{"listenFd":1.5}', '{"main":7}']) {
    t.throws(() => parseWorkerConfig(bad), bad);
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

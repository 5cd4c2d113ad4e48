import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type DaemonConfig, readInvocation } from '../../../daemon/config.js';

/** With a file of ours: the machine's own must not matter. */
function read(t: Test, argv: string[], env: Record<string, string> = {}, file: unknown = {}): DaemonConfig {
  const path = join(t.testdir(), 'config.json');
  writeFileSync(path, typeof file === 'string' ? file : JSON.stringify(file));
  const invocation = readInvocation(['--config', path, ...argv], env);
  if (invocation.action !== 'serve') throw new Error(invocation.action);
  return invocation.config;
}

void t.test('defaults', (t) => {
  t.strictSame(read(t, []), {
    root: '/run/turf',
    socket: '/run/turf/turf.sock',
    logLevel: 'info',
    cgroupManager: 'cgroupfs',
  });
  t.end();
});

void t.test('flags come before the environment, the environment before the file', (t) => {
  const file = { root: '/f', socket: '/f.sock', logLevel: 'warn', cgroupManager: 'systemd' };
  t.strictSame(read(t, [], {}, file), file);
  const env = {
    TURF_ROOT: '/e',
    TURF_SOCKET: '/e.sock',
    TURF_LOG_LEVEL: 'debug',
    TURF_CGROUP_MANAGER: 'cgroupfs',
  };
  const fromEnv = { root: '/e', socket: '/e.sock', logLevel: 'debug', cgroupManager: 'cgroupfs' };
  t.strictSame(read(t, [], env, file), fromEnv);
  const flags = ['--root', '/a', '--socket=/a.sock', '--log-level', 'trace', '--cgroup-manager', 'systemd'];
  t.strictSame(read(t, flags, env, file), {
    root: '/a',
    socket: '/a.sock',
    logLevel: 'trace',
    cgroupManager: 'systemd',
  });
  t.match(read(t, [], { TURF_ROOT: '' }, file), { root: '/f' }, 'an empty variable is none');
  t.match(read(t, ['--root', '/a']), { socket: '/a/turf.sock' }, 'the socket goes with the root');
  t.end();
});

void t.test('what is wrong is named, and what was expected', (t) => {
  const wrong = (
    message: RegExp,
    argv: string[],
    env: Record<string, string> = {},
    file: unknown = {},
  ): void => {
    t.throws(() => read(t, argv, env, file), { code: 'TURF_ERR_USAGE', message }, String(message));
  };
  wrong(/--log-level: .*"loud"/, ['--log-level', 'loud']);
  wrong(/TURF_LOG_LEVEL: .*"loud"/, [], { TURF_LOG_LEVEL: 'loud' });
  wrong(/--cgroup-manager: .*"x"/, ['--cgroup-manager', 'x']);
  wrong(/TURF_CGROUP_MANAGER: /, [], { TURF_CGROUP_MANAGER: 'x' });
  wrong(/--nope/, ['--nope']);
  wrong(/extra/, ['extra']);
  wrong(/--root/, ['--root']);
  wrong(/config\.json: root: must be an absolute path/, [], {}, { root: 'here' });
  wrong(/config\.json: socket: must be an absolute path/, [], {}, { socket: '' });
  wrong(/config\.json: logLevel: /, [], {}, { logLevel: 1 });
  wrong(/config\.json: cgroupManager: /, [], {}, { cgroupManager: 'x' });
  wrong(/config\.json: .*"colour"/, [], {}, { colour: 1 });
  wrong(/config\.json: .*JSON/, [], {}, '{');
  wrong(/config\.json: /, [], {}, '[]');
  t.throws(() => readInvocation([], { TURF_CONFIG: '/no/such' }), {
    code: 'TURF_ERR_USAGE',
    message: /\/no\/such/,
  });
  t.end();
});

void t.test('turfd asks for the root before it starts the daemon', (t) => {
  const path = join(t.testdir({ 'c.json': '{"root":"/srv/turf"}' }), 'c.json');
  const ask = (argv: string[], env = {}) => readInvocation(['--print-root', ...argv], env);
  t.strictSame(ask(['--config', path]), { action: 'print-root', root: '/srv/turf' });
  t.strictSame(ask([], { TURF_CONFIG: path }), { action: 'print-root', root: '/srv/turf' });
  t.strictSame(ask(['--config', path, '--root', '/a']), { action: 'print-root', root: '/a' });
  t.end();
});

void t.test('help and version need no configuration', (t) => {
  const env = { TURF_CONFIG: '/no/such' };
  for (const flag of ['--help', '-h']) t.strictSame(readInvocation([flag], env), { action: 'help' });
  for (const flag of ['--version', '-v']) t.strictSame(readInvocation([flag], env), { action: 'version' });
  t.end();
});

import t from 'tap';
import { loadVerb, verbNames } from '../../../cli/verbs.js';
import type { Call } from './fake-operations.js';
import { runFake } from './run-fake.js';

/** Launchers are functions; a test compares what can be compared. */
function comparable(call: Call | undefined): unknown {
  if (call === undefined) return undefined;
  const given = call.arguments.map((argument) =>
    typeof argument === 'object' && argument !== null && 'launcher' in argument
      ? { ...argument, launcher: 'launcher' }
      : argument,
  );
  return [call.name, ...given];
}

const launcher = 'launcher';
const bundle = '/some/where';

const accepted: [string, readonly string[], unknown][] = [
  ['bundle defaults to the cwd', ['create', 'c1'], ['create', { id: 'c1', bundle, launcher }]],
  [
    'relative bundle',
    ['create', '--bundle', 'b', 'c1'],
    ['create', { id: 'c1', bundle: '/some/where/b', launcher }],
  ],
  ['bundle with =', ['create', '--bundle=/b', 'c1'], ['create', { id: 'c1', bundle: '/b', launcher }]],
  ['short bundle', ['create', '-b', '/b', 'c1'], ['create', { id: 'c1', bundle: '/b', launcher }]],
  ['one dash', ['create', '-bundle', '/b', 'c1'], ['create', { id: 'c1', bundle: '/b', launcher }]],
  ['options after the id', ['create', 'c1', '-b', '/b'], ['create', { id: 'c1', bundle: '/b', launcher }]],
  ['-- ends options', ['create', '--', '--x'], ['create', { id: '--x', bundle, launcher }]],
  [
    'every option of create, with systemd cgroups',
    [
      ...[
        '--systemd-cgroup',
        'create',
        '--bundle',
        '/b',
        '--console-socket',
        'tty.sock',
        '--pid-file',
        'pid',
      ],
      ...['--no-pivot', '--no-new-keyring', '--preserve-fds', '2', '--seed', 's1', 'c1'],
    ],
    [
      'create',
      {
        id: 'c1',
        bundle: '/b',
        launcher,
        pidFile: '/some/where/pid',
        consoleSocket: '/some/where/tty.sock',
        noPivot: true,
        noNewKeyring: true,
        preserveFds: 2,
        systemdCgroup: true,
        seed: 's1',
      },
    ],
  ],
  [
    'cgroup manager as crun names it',
    ['--cgroup-manager', 'systemd', 'create', 'c1'],
    ['create', { id: 'c1', bundle, launcher, systemdCgroup: true }],
  ],
  ['false flags', ['create', '--no-pivot=false', 'c1'], ['create', { id: 'c1', bundle, launcher }]],
  ['start', ['start', 'c1'], ['start', 'c1']],
  ['state', ['state', 'c1'], ['state', 'c1']],
  ['kill defaults to SIGTERM', ['kill', 'c1'], ['kill', 'c1', 'SIGTERM', false]],
  ['kill by number', ['kill', 'c1', '9'], ['kill', 'c1', '9', false]],
  ['kill all, as engines call it', ['kill', '--all', 'c1', '9'], ['kill', 'c1', '9', true]],
  ['kill -a', ['kill', '-a', 'c1', 'KILL'], ['kill', 'c1', 'KILL', true]],
  [
    'exec',
    ['exec', '-d', 'c1', 'ls', '-l', '--all'],
    ['exec', { id: 'c1', launcher, args: ['ls', '-l', '--all'] }],
  ],
  ['exec after --', ['exec', '-d', 'c1', '--', 'ls'], ['exec', { id: 'c1', launcher, args: ['ls'] }]],
  [
    'every option of exec',
    [
      ...[
        'exec',
        '-t',
        '-d',
        '--pid-file',
        'pid',
        '--console-socket',
        'tty.sock',
        '-u',
        '1:2',
        '-g',
        '3',
        '-g',
        '4',
      ],
      ...[
        '--cwd',
        '/srv',
        '-e',
        'A=B',
        '--env',
        'C=D',
        '-c',
        'CAP_KILL',
        '--no-new-privs',
        '--preserve-fds',
        '2',
      ],
      ...['--cgroup', 'sub', '--ignore-paused', '--apparmor', 'p', '--process-label', 'l', 'c1', 'sh'],
    ],
    [
      'exec',
      {
        id: 'c1',
        launcher,
        args: ['sh'],
        cwd: '/srv',
        env: ['A=B', 'C=D'],
        user: { uid: 1, gid: 2 },
        additionalGids: [3, 4],
        capabilities: ['CAP_KILL'],
        noNewPrivileges: true,
        terminal: true,
        apparmorProfile: 'p',
        selinuxLabel: 'l',
        cgroup: ['sub'],
        ignorePaused: true,
        preserveFds: 2,
        pidFile: '/some/where/pid',
        consoleSocket: '/some/where/tty.sock',
      },
    ],
  ],
  ['pause', ['pause', 'c1'], ['pause', 'c1']],
  ['resume', ['resume', 'c1'], ['resume', 'c1']],
  ['ps -f json', ['ps', '-f', 'json', 'c1'], ['processes', 'c1']],
  ['delete', ['delete', 'c1'], ['delete', 'c1', { force: false }]],
  ['delete --force', ['delete', '--force', 'c1'], ['delete', 'c1', { force: true }]],
  ['delete -f', ['delete', '-f', 'c1'], ['delete', 'c1', { force: true }]],
  ['list', ['list'], ['list']],
  ['rootless=false', ['--rootless=false', 'list'], ['list']],
  ['rootless auto', ['--rootless', 'auto', 'list'], ['list']],
  ['root of this daemon', ['--root', '/run/turf', 'list'], ['list']],
  ['seed create', ['seed', 'create', 's1'], ['seedCreate', { id: 's1', bundle }]],
  [
    'seed create with options',
    ['seed', 'create', 's1', '--bundle', 'fn', '--timeout', '1.5'],
    ['seedCreate', { id: 's1', bundle: '/some/where/fn', timeoutMs: 1500 }],
  ],
  ['seed list', ['seed', 'list', '-q'], ['seedList']],
  ['seed inspect', ['seed', 'inspect', 's1'], ['seedInspect', 's1']],
  [
    'seed create with a policy',
    [
      ...['seed', 'create', 's1', '--restart', 'on-failure', '--max-restarts', '3', '--liveness', '500ms'],
      ...['--max-memory', '100m', '--drain', 'idle', '--max-age', '1.5h', '--max-forks', '1000'],
    ],
    [
      'seedCreate',
      {
        id: 's1',
        bundle,
        policy: {
          restart: 'on-failure',
          maxRestarts: 3,
          livenessMs: 500,
          maxMemory: 100 << 20,
          drain: 'idle',
          maxAgeMs: 5_400_000,
          maxForks: 1000,
        },
      },
    ],
  ],
  [
    'seed roll',
    ['seed', 'roll', 's1', '--bundle', 'v2', '--drain', 'now', '--timeout', '2'],
    ['seedRoll', { id: 's1', bundle: '/some/where/v2', drain: 'now', timeoutMs: 2000 }],
  ],
  [
    'fork many',
    ['fork', 's1', 'w', '--count', '3', '--on-exit', 'restart', '--ttl', '10m', '--disposable'],
    ['forkMany', { seed: 's1', id: 'w', onExit: 'restart', ttlMs: 600_000, maxRequests: 1 }, 3],
  ],
  [
    'fork on demand',
    ['fork', 's1', 'w1', '--idle', '1.5m'],
    ['fork', { seed: 's1', id: 'w1', idleMs: 90_000 }],
  ],
  [
    'fork that waits',
    ['fork', 's1', 'w1', '--when-unready', 'wait'],
    ['fork', { seed: 's1', id: 'w1', whenUnready: 'wait' }],
  ],
  ['seed rm', ['seed', 'rm', '-f', 's1'], ['seedRemove', 's1', { force: true }]],
  ['tree', ['tree'], ['tree']],
  ['fork', ['fork', 's1', 'w1'], ['fork', { seed: 's1', id: 'w1' }]],
  [
    'every option of fork',
    [
      ...['fork', 's1', 'w1', '--bundle', 'b', '--code', 'src', '--env', 'A=1', '-e', 'B=x=y', '--env', 'C'],
      ...[
        '--listen',
        'unix:w.sock',
        '--memory',
        '64m',
        '--cpus',
        '.5',
        '--network',
        'host',
        '--hold',
        '-f',
        'json',
      ],
    ],
    [
      'fork',
      {
        seed: 's1',
        id: 'w1',
        bundle: '/some/where/b',
        code: '/some/where/src',
        env: { A: '1', B: 'x=y', C: 'of the caller' },
        listen: 'unix:/some/where/w.sock',
        memory: 67108864,
        cpus: 0.5,
        network: 'host',
        hold: true,
      },
    ],
  ],
  [
    'TCP address as given',
    ['fork', '--listen=tcp:127.0.0.1:0', 's1', 'w1'],
    ['fork', { seed: 's1', id: 'w1', listen: 'tcp:127.0.0.1:0' }],
  ],
  ['invoke', ['invoke', 'w1'], ['invoke', { id: 'w1', method: 'GET', path: '/', headers: [] }]],
  [
    'every option of invoke',
    [
      'invoke',
      'w1',
      '-X',
      'put',
      '-p',
      '/a?b',
      '-H',
      'K: V ',
      '--header',
      'x:',
      '-d',
      'hi',
      '--timeout',
      '2',
    ],
    [
      'invoke',
      {
        id: 'w1',
        method: 'PUT',
        path: '/a?b',
        headers: [
          ['K', 'V'],
          ['x', ''],
        ],
        body: Buffer.from('hi'),
        timeoutMs: 2000,
      },
    ],
  ],
  [
    'a body from stdin is posted',
    ['invoke', 'w1', '--data', '@-'],
    ['invoke', { id: 'w1', method: 'POST', path: '/', headers: [], body: Buffer.from('from stdin') }],
  ],
  ['features', ['features'], ['features']],
  ['check', ['check', '--format', 'json'], ['check']],
  ['version', ['version'], ['version']],
  ['--version', ['--version'], ['version']],
  ['-v', ['-v'], ['version']],
];

void t.test('command lines become operations', async (t) => {
  for (const [name, argv, expected] of accepted) {
    const run = await runFake(argv, { context: { env: { C: 'of the caller' } } });
    t.equal(run.stderr, '', `${name}: no error`);
    t.equal(run.exitCode, 0, `${name}: exits 0`);
    t.same(comparable(run.calls[0]), expected, name);
    t.equal(run.calls.length, 1, `${name}: one operation`);
  }
});

const refused: [readonly string[], string][] = [
  [['create', '-x'], 'flag provided but not defined: -x'],
  [['create', '--x=1', 'c1'], 'flag provided but not defined: -x'],
  [['-x', 'list'], 'flag provided but not defined: -x'],
  [['create', '--bundle'], 'flag needs an argument: -bundle'],
  [['create', '---bundle', 'c1'], 'bad flag syntax: ---bundle'],
  [['create', '--preserve-fds', 'x', 'c1'], 'invalid value "x" for flag -preserve-fds: parse error'],
  [['create', '--preserve-fds', '-1', 'c1'], 'invalid value "-1" for flag -preserve-fds: parse error'],
  [['create', '--preserve-fds', '9999', 'c1'], '--preserve-fds: at most 1024'],
  [['create', '--no-pivot=maybe', 'c1'], 'invalid boolean value "maybe" for -no-pivot: parse error'],
  [['create'], 'turf: "create" requires exactly 1 argument(s)'],
  [['create', 'a', 'b'], 'turf: "create" requires exactly 1 argument(s)'],
  [['start'], 'turf: "start" requires exactly 1 argument(s)'],
  [['state'], 'turf: "state" requires exactly 1 argument(s)'],
  [['kill'], 'turf: "kill" requires at least 1 argument(s)'],
  [['kill', 'a', 'b', 'c'], 'turf: "kill" requires at most 2 argument(s)'],
  [['exec'], 'turf: "exec" requires at least 1 argument(s)'],
  [['exec', 'c1'], 'turf: "exec" requires at least 2 argument(s)'],
  [['exec', '-u', 'root', 'c1', 'ls'], '--user root: ids are numbers from 0 to 4294967294'],
  [['exec', '--preserve-fds', '9999', 'c1', 'ls'], '--preserve-fds: at most 1024'],
  [['pause'], 'turf: "pause" requires exactly 1 argument(s)'],
  [['resume', 'a', 'b'], 'turf: "resume" requires exactly 1 argument(s)'],
  [['ps'], 'turf: "ps" requires at least 1 argument(s)'],
  [['ps', '-e', 'c1'], 'flag provided but not defined: -e'],
  [['delete'], 'turf: "delete" requires exactly 1 argument(s)'],
  [['run'], 'turf: "run" requires exactly 1 argument(s)'],
  [['logs'], 'turf: "logs" requires exactly 1 argument(s)'],
  [['logs', 'c1', '--tail', 'all'], 'invalid value "all" for flag -tail: parse error'],
  [['list', 'x'], 'turf: "list" requires exactly 0 argument(s)'],
  [['list', '--format', 'yaml'], 'invalid value "yaml" for flag -format: one of table, json'],
  [
    ['seed', 'create', 's', '--max-age', 'soon'],
    'invalid value "soon" for flag -max-age: not like 30s, 10m, 1.5h or 7d',
  ],
  [['seed', 'create'], 'turf: "seed create" requires exactly 1 argument(s)'],
  [['seed', 'grow'], 'unknown command: seed grow'],
  [['fork', 's1'], 'turf: "fork" requires exactly 2 argument(s)'],
  [['fork', 's1', 'w1', '--memory', 'much'], 'invalid value "much" for flag -memory: parse error'],
  [['fork', 's1', 'w1', '--cpus', 'two'], 'invalid value "two" for flag -cpus: parse error'],
  [
    ['fork', 's1', 'w1', '--network', 'bridge'],
    'invalid value "bridge" for flag -network: one of none, host',
  ],
  [['fork', 's1', 'w1', '--env', 'UNSET'], '--env UNSET: not of the form NAME=VALUE'],
  [['fork', 's1', 'w1', '--env', '=x'], '--env =x: not of the form NAME=VALUE'],
  [['invoke'], 'turf: "invoke" requires exactly 1 argument(s)'],
  [['invoke', 'w1', '--path', 'x'], '--path must start with / and have no spaces'],
  [['invoke', 'w1', '--header', 'nothing'], '--header "nothing": not of the form \'NAME: VALUE\''],
  [
    ['invoke', 'w1', '--header', 'a: b\r\nc: d'],
    '--header "a: b\\r\\nc: d": not of the form \'NAME: VALUE\'',
  ],
  [['spec', '--rootless', '--worker'], '--rootless and --worker exclude each other'],
  [['spec', '--seed'], '--seed needs --worker'],
  [['frobnicate'], 'unknown command: frobnicate'],
  [['help', 'frobnicate'], 'unknown command: frobnicate'],
  [['__proto__'], 'unknown command: __proto__'],
  [['create', '--__proto__', 'c1'], 'flag provided but not defined: -__proto__'],
  [['--log-format', 'xml', 'list'], 'invalid value "xml" for flag -log-format: one of text, json'],
  [
    ['--cgroup-manager', 'none', 'list'],
    'invalid value "none" for flag -cgroup-manager: one of cgroupfs, systemd',
  ],
  [['--rootless', 'true', 'list'], 'rootless operation is not supported'],
  [['--root', '/elsewhere', 'list'], '--root /elsewhere must come first: the daemon of /run/turf was asked'],
  [
    ['fork', 's1', 'w1', '--count', '0'],
    'invalid value for flag -count: Too small: expected number to be >=1',
  ],
  [
    ['fork', 's1', 'w1', '--count', '100000'],
    'invalid value for flag -count: Too big: expected number to be <=10000',
  ],
  [['fork', 's1', 'w1', '--cpus', '0'], 'invalid value for flag -cpus: Too small: expected number to be >0'],
  [
    ['fork', 's1', 'w1', '--max-requests', '0'],
    'invalid value for flag -max-requests: Too small: expected number to be >=1',
  ],
  [
    ['fork', 's1', 'w1', '--idle', '30d'],
    'invalid value for flag -idle: Too big: expected number to be <=2147483647',
  ],
  [['invoke', 'w1', '--timeout', '99999999'], 'invalid value "99999999" for flag -timeout: at most 1h'],
  [
    ['seed', 'create', 's1', '--timeout', 'soon'],
    'invalid value "soon" for flag -timeout: not like 30s, 10m, 1.5h or 7d',
  ],
];

void t.test('wrong usage is refused before anything is done', async (t) => {
  for (const [argv, message] of refused) {
    const run = await runFake(argv);
    const name = argv.join(' ');
    const exitCode =
      argv[0] === 'exec' && argv.length > 1 ? 255 : message.startsWith('unknown command') ? 3 : 1;
    t.equal(run.exitCode, exitCode, `${name}: exits ${exitCode}`);
    const first = run.stderr.split('\n', 1)[0] ?? '';
    t.equal(first.replace(/^turf: /, ''), message.replace(/^turf: /, ''), name);
    t.equal(run.stdout, '', `${name}: stdout stays empty`);
    t.same(run.calls, [], `${name}: no operation`);
  }
});

void t.test('every verb explains itself', async (t) => {
  for (const name of verbNames()) {
    const words = name.split(' ');
    const verb = await loadVerb(name);
    t.equal(verb.name, name, `${name} is called what the table says`);
    const asked = await runFake([...words, '--help']);
    const helped = await runFake(['help', ...words]);
    t.equal(asked.exitCode, 0);
    t.equal(asked.stdout, helped.stdout, `${name}: help and --help agree`);
    t.match(asked.stdout, new RegExp(`Usage: turf ${name}`));
    for (const option of Object.keys(verb.options)) t.match(asked.stdout, `--${option}`);
    t.match(asked.stdout, 'Examples:', `${name} has examples`);
    t.same(asked.calls, []);
  }
});

void t.test('turf alone, --help and a group list commands', async (t) => {
  const alone = await runFake([]);
  t.equal(alone.exitCode, 0);
  for (const name of verbNames()) t.match(alone.stdout, `  ${name} `);
  t.equal((await runFake(['--help'])).stdout, alone.stdout);
  t.equal((await runFake(['help'])).stdout, alone.stdout);
  const group = await runFake(['seed']);
  t.equal(group.exitCode, 0);
  t.match(group.stdout, /seed create.*seed list/s);
  t.equal((await runFake(['seed', '--help'])).stdout, group.stdout);
  t.equal((await runFake(['help', 'seed'])).stdout, group.stdout);
});

void t.test('socket activation adds its descriptors, first', async (t) => {
  const run = await runFake(['create', '--preserve-fds', '1', 'c1'], {
    context: { env: { LISTEN_FDS: '2' } },
  });
  t.match(run.calls[0]?.arguments[0], { preserveFds: 3, listenFds: 2 });
});

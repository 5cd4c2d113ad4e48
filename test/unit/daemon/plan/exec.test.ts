import t from 'tap';
import { compileExecPlan, type ExecPlanInput } from '../../../../daemon/plan/exec.js';
import type { OciProcess } from '../../../../oci-spec/config.js';
import { decodePlan } from './decode-plan.js';

const PIDFD = 40;
const TASKS = 41;

const PROCESS: OciProcess = { args: ['true'], cwd: '/', env: ['PATH=/bin'], user: { uid: 0, gid: 0 } };
const FILTER = { flags: 0, bpf: Buffer.alloc(8) };

function compile(process: Partial<OciProcess> = {}, more: Partial<ExecPlanInput> = {}) {
  const plan = compileExecPlan({
    id: 'c1',
    process: { ...PROCESS, ...process },
    linux: { namespaces: [{ type: 'mount' }, { type: 'pid' }] },
    pidfd: PIDFD,
    enterFds: [TASKS],
    noNewKeyring: false,
    ...more,
  });
  const { ops } = decodePlan(plan.bytes);
  const names = ops.map(({ op }) => op);
  return { plan, ops, names, at: (name: (typeof names)[number]) => names.indexOf(name) };
}

void t.test('the namespaces of the container are joined through its first process, all at once', (t) => {
  const { ops, plan } = compile({}, { linux: { namespaces: [{ type: 'mount' }, { type: 'user' }] } });
  const joins = ops.filter(({ op }) => op === 'JOIN_NAMESPACE');
  t.equal(joins.length, 1);
  t.equal(joins[0]?.fields['type'], 0x10020000, 'CLONE_NEWUSER and CLONE_NEWNS');
  t.ok(plan.fds.includes(PIDFD));
  t.ok(
    ops.some(({ op }) => op === 'BECOME_ROOT'),
    'and root of the user namespace acts from there on',
  );
  t.end();
});

void t.test('what the program gives up is given up before it is in the PID namespace', (t) => {
  const { at, names } = compile({ noNewPrivileges: true });
  t.ok(at('CAPABILITIES') < at('SPAWN'));
  t.ok(at('CLOSE_FDS') < at('SPAWN'));
  t.ok(at('SPAWN') < at('ENTER_CGROUP'), 'the child enters the cgroup, late');
  t.equal(names.at(-1), 'EXEC');
  t.equal(names.filter((name) => name === 'SPAWN').length, 1);
  t.end();
});

void t.test(
  'a filter that takes privileges comes after the child, unless the container may trace it',
  (t) => {
    const tracers = { capabilities: { bounding: ['CAP_SYS_PTRACE'] } };
    const early = compile(
      {},
      { seccomp: FILTER, linux: { namespaces: [], seccomp: {} as never }, rootFd: 5 },
    );
    t.ok(early.at('SPAWN') < early.at('SECCOMP'));
    const traced = compile(tracers, {
      seccomp: FILTER,
      linux: { namespaces: [], seccomp: {} as never },
      rootFd: 5,
    });
    t.ok(traced.at('SECCOMP') < traced.at('SPAWN'));
    t.ok(traced.at('ENTER_CGROUP') < traced.at('SPAWN'), 'and the child holds no cgroup files');
    const late = compile(
      { noNewPrivileges: true },
      {
        seccomp: FILTER,
        linux: { namespaces: [{ type: 'mount' }], seccomp: {} as never },
      },
    );
    t.ok(late.at('SPAWN') < late.at('SECCOMP'), 'with no_new_privs it is the last thing');
    t.end();
  },
);

void t.test('a container in the mount namespace of others is entered by its root', (t) => {
  const { at } = compile({}, { linux: { namespaces: [{ type: 'mount', path: '/x' }] }, rootFd: 7 });
  t.ok(at('ROOTFS') >= 0 && at('ROOTFS') < at('PIVOT_ROOT'));
  t.throws(() => compile({}, { linux: { namespaces: [] } }), { code: 'TURF_ERR_CONFIG', path: 'root.path' });
  t.equal(compile().at('ROOTFS'), -1);
  t.end();
});

void t.test('affinity: initial before anything else, final in the child', (t) => {
  const { ops, at } = compile({ execCPUAffinity: { initial: '0', final: '1' } });
  const masks = ops.flatMap(({ op }, index) => (op === 'CPU_AFFINITY' ? [index] : []));
  t.equal(masks.length, 2);
  t.ok((masks[0] ?? Infinity) < at('JOIN_NAMESPACE'));
  t.ok((masks[1] ?? -1) > at('SPAWN'));
  t.end();
});

void t.test('a terminal needs somebody to take its other side', (t) => {
  t.throws(() => compile({ terminal: true }), { code: 'TURF_ERR_USAGE', path: 'process.terminal' });
  const { ops } = compile({ terminal: true, consoleSize: { height: 5, width: 9 } }, { consoleSocketFd: 8 });
  t.match(ops.find(({ op }) => op === 'CONSOLE')?.fields, { rows: 5, columns: 9 });
  t.end();
});

void t.test('the session keyring of the container is joined, unless it has none', (t) => {
  t.ok(compile().names.includes('SESSION_KEYRING'));
  t.notOk(compile({}, { noNewKeyring: true }).names.includes('SESSION_KEYRING'));
  t.end();
});

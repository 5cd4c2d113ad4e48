import t from 'tap';
import { bundle, script } from './harness/bundle.js';
import type { BundleConfig } from './harness/config.js';
import { requires } from './harness/requires.js';
import { Turfd } from './harness/turfd.js';

const ALLOW = {
  defaultAction: 'SCMP_ACT_ALLOW',
  architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_AARCH64'],
};

await t.test('seccomp', requires('file:/proc/sys/kernel/seccomp/actions_avail'), async (t) => {
  const turfd = await Turfd.start(t);
  let number = 0;
  const inside = (text: string, seccomp: unknown, mutate?: (config: BundleConfig) => void) => {
    const { path } = bundle(t, script(text), (config) => {
      config.linux.seccomp = seccomp;
      mutate?.(config);
    });
    return turfd.turf(['run', '--bundle', path, turfd.id(`s${++number}`)]);
  };

  await t.test('a filter is installed, and seen from inside', async (t) => {
    const { stdout } = await inside('grep Seccomp: /proc/self/status', ALLOW);
    t.match(stdout, /^Seccomp:\s+2\n$/);
    const none = await inside('grep Seccomp: /proc/self/status', undefined);
    t.match(none.stdout, /^Seccomp:\s+0\n$/);
  });

  await t.test('SCMP_ACT_ERRNO answers with the errno asked for', async (t) => {
    const syscalls = [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: 28 }];
    const outcome = await inside('mkdir /tmp/x', { ...ALLOW, syscalls });
    t.not(outcome.status, 0);
    t.match(outcome.stderr, /No space left/);
  });

  await t.test('the default errno is EPERM', async (t) => {
    const syscalls = [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO' }];
    t.match((await inside('mkdir /tmp/x', { ...ALLOW, syscalls })).stderr, /not permitted/);
  });

  await t.test('SCMP_ACT_KILL_PROCESS ends the process with SIGSYS', async (t) => {
    const syscalls = [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_KILL_PROCESS' }];
    t.equal((await inside('mkdir /tmp/x; echo "status $?"', { ...ALLOW, syscalls })).stdout, 'status 159\n');
  });

  await t.test('arguments are compared', async (t) => {
    const syscalls = [
      {
        names: ['kill'],
        action: 'SCMP_ACT_ERRNO',
        errnoRet: 13,
        args: [{ index: 1, value: 10, op: 'SCMP_CMP_EQ' }],
      },
    ];
    const { stdout, stderr } = await inside('kill -USR1 $$ || echo refused; kill -0 $$ && echo fine', {
      ...ALLOW,
      syscalls,
    });
    t.equal(stdout, 'refused\nfine\n');
    t.match(stderr, /Permission denied/);
  });

  await t.test('works without no_new_privs and as another user', async (t) => {
    const { stdout } = await inside('grep -E "Seccomp:|NoNewPrivs" /proc/self/status', ALLOW, (config) => {
      config.process.noNewPrivileges = false;
      config.process.user = { uid: 1000, gid: 1000 };
    });
    t.match(stdout, /NoNewPrivs:\s+0\nSeccomp:\s+2\n/);
  });

  await t.test('an unknown action is refused by name', async (t) => {
    t.match(await inside('true', { defaultAction: 'SCMP_ACT_NONSENSE' }), {
      status: 1,
      stderr: /SCMP_ACT_NONSENSE|defaultAction/,
    });
    t.strictSame(turfd.remains(), []);
  });

  await t.test('an unknown system call name is skipped, as libseccomp users expect', async (t) => {
    const syscalls = [{ names: ['no_such_call_ever'], action: 'SCMP_ACT_ERRNO' }];
    t.equal((await inside('echo fine', { ...ALLOW, syscalls })).stdout, 'fine\n');
  });
});

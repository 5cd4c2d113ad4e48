import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { arch } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { SeccompCache } from '../../daemon/seccomp/cache.js';
import { SEED_SECCOMP } from '../../daemon/seeds/seed-seccomp.js';
import { WORKER_SECCOMP } from '../../daemon/seeds/worker-seccomp.js';
import { type OciSeccomp } from '../../oci-spec/config.js';
import { temporary } from './harness/bundle.js';
import { runFilter } from '../unit/daemon/seccomp/bpf-machine.js';
import { PROJECT, requires } from './harness/requires.js';

const AUDIT_ARCH_I386 = 0x40000003;
/** SECCOMP_RET_KILL_THREAD, SECCOMP_RET_KILL_PROCESS. */
const KILLS = [0, 0x80000000];

/** Runs `attack.c` in that filter. As root of the host, so that nothing but the filter stands in its way. */
function attack(t: Test, seccomp: OciSeccomp, ...options: string[]): ReturnType<typeof spawnSync> {
  const dir = temporary(t, 'ta-');
  const program = join(dir, 'attack');
  const filter = join(dir, 'filter');
  execFileSync('gcc', ['-static', '-o', program, join(PROJECT, 'test/integration/harness/attack.c')]);
  writeFileSync(filter, new SeccompCache().compile(seccomp).bpf);
  return spawnSync(program, [filter, ...options]);
}

/** What a program gets that tries what that filter is to refuse, a line each. */
function attempts(t: Test, seccomp: OciSeccomp, ...options: string[]): string[] {
  const { status, stdout, stderr } = attack(t, seccomp, ...options);
  t.equal(status, 0, String(stderr));
  return String(stdout).trim().split('\n');
}

await t.test("the workers' filter refuses what no worker needs", requires('program:gcc'), (t) => {
  const lines = attempts(t, WORKER_SECCOMP);
  t.ok(lines.length > 70, `${lines.length} attempts`);
  for (const line of lines) t.match(line, /: refused$/, line);
  t.end();
});

await t.test(
  "the seeds' filter refuses what root of a user namespace could ask of the kernel",
  requires('program:gcc'),
  (t) => {
    const lines = attempts(t, SEED_SECCOMP, 'seed');
    t.ok(lines.length > 40, `${lines.length} attempts`);
    for (const line of lines) t.match(line, /: refused$/, line);
    t.end();
  },
);

await t.test(
  'a call of another architecture, of i386 or x32, ends who makes it',
  arch() === 'x64' ? requires('program:gcc') : { skip: 'amd64 only' },
  (t) => {
    for (const [who, seccomp] of Object.entries({ worker: WORKER_SECCOMP, seed: SEED_SECCOMP })) {
      const { signal, stdout } = attack(t, seccomp, 'x32');
      t.match({ signal, stdout: String(stdout) }, { signal: 'SIGSYS', stdout: '' }, `${who}: x32`);
      // A kernel without a gate for i386 answers with SIGSEGV.
      const gate = attack(t, seccomp, 'int80');
      t.match({ signal: gate.signal, stdout: String(gate.stdout) }, { signal: /SIGSYS|SIGSEGV/, stdout: '' });
      const { bpf } = new SeccompCache().compile(seccomp);
      t.ok(KILLS.includes(runFilter(bpf, { nr: 20, arch: AUDIT_ARCH_I386 })), `${who}: int80, by the filter`);
    }
    t.end();
  },
);

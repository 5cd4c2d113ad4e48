import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { SeccompCache } from '../../daemon/seccomp/cache.js';
import { SEED_SECCOMP } from '../../daemon/seeds/seed-seccomp.js';
import { WORKER_SECCOMP } from '../../daemon/seeds/worker-seccomp.js';
import { type OciSeccomp } from '../../oci-spec/config.js';
import { temporary } from './harness/bundle.js';
import { PROJECT, requires } from './harness/requires.js';

/** What a program gets that tries what that filter is to refuse, a line each. As root of the host, so that nothing but the filter stands in its way. */
function attempts(t: Test, seccomp: OciSeccomp, ...options: string[]): string[] {
  const dir = temporary(t, 'ta-');
  const program = join(dir, 'attack');
  const filter = join(dir, 'filter');
  execFileSync('gcc', ['-static', '-o', program, join(PROJECT, 'test/integration/harness/attack.c')]);
  writeFileSync(filter, new SeccompCache().compile(seccomp).bpf);
  return execFileSync(program, [filter, ...options], { encoding: 'utf8' })
    .trim()
    .split('\n');
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

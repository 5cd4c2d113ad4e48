import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { SeccompCache } from '../../daemon/seccomp/cache.js';
import { WORKER_SECCOMP } from '../../daemon/seeds/worker-seccomp.js';
import { temporary } from './harness/bundle.js';
import { PROJECT, requires } from './harness/requires.js';

await t.test("the workers' filter refuses what no worker needs", requires('program:gcc'), (t) => {
  const dir = temporary(t, 'ta-');
  const program = join(dir, 'attack');
  const filter = join(dir, 'filter');
  // As root of the host, so that nothing but the filter stands in the way.
  execFileSync('gcc', ['-static', '-o', program, join(PROJECT, 'test/integration/harness/attack.c')]);
  writeFileSync(filter, new SeccompCache().compile(WORKER_SECCOMP).bpf);
  const lines = execFileSync(program, [filter], { encoding: 'utf8' }).trim().split('\n');
  t.ok(lines.length > 60, `${lines.length} attempts`);
  for (const line of lines) t.match(line, /: refused$/, line);
  t.end();
});

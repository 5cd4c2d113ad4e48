import { spawnSync } from 'node:child_process';
import { t } from 'tap';

/** Promises and their names are in native-shim/test/exit-events-test.c. */
void t.test(
  'wait statuses of processes that others reap are learnt from process events',
  { skip: process.getuid?.() === 0 ? false : 'needs root' },
  (t) => {
    const run = spawnSync('make', ['-s', '-C', 'native-shim', 'test-exit-events'], { encoding: 'utf8' });
    t.equal(run.status, 0, run.stdout + run.stderr);
    t.match(run.stdout, /^1\.\.\d+$/m, 'ran to its end');
    t.end();
  },
);

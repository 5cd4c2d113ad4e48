import { spawnSync } from 'node:child_process';
import { t } from 'tap';

/** Cases and their names are in native-shim/test/decode-test.c, built here under ASan and UBSan. */
void t.test('the plan decoder refuses every malformed plan', (t) => {
  const run = spawnSync('make', ['-s', '-C', 'native-shim', 'test-decode', 'CHECK=1'], { encoding: 'utf8' });
  t.equal(run.status, 0, run.stdout + run.stderr);
  t.match(run.stdout, /^1\.\.\d+$/m, 'ran to its end');
  t.end();
});

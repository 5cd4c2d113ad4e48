import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { t } from 'tap';

/** Why the containers of native-shim/test/plan-test.c cannot be run here; false: they can. */
function missing(): string | false {
  if (process.getuid?.() !== 0) return 'needs root';
  return existsSync('/bin/busybox') ? false : 'needs /bin/busybox (package busybox-static)';
}

/** Promises and their names are in native-shim/test/plan-test.c: every operation, seen from inside a container. */
void t.test('turf-init keeps what the launch plan promises', { skip: missing() }, (t) => {
  const run = spawnSync('make', ['-s', '-C', 'native-shim', 'test-plan'], { encoding: 'utf8' });
  t.equal(run.status, 0, run.stdout + run.stderr);
  t.match(run.stdout, /^1\.\.\d+$/m, 'ran to its end');
  t.end();
});

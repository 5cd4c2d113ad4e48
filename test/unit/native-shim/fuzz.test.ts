import { spawnSync } from 'node:child_process';
import { t } from 'tap';

const clang = spawnSync('clang', ['--version'], { stdio: 'ignore' }).status === 0;
const skip = clang || process.env['TURF_MUST_WORK'] === '1' ? false : 'clang is missing';

/** `npm run fuzz` looks for new inputs; here the kept ones go through what is built now, under ASan and UBSan. */
void t.test('every fuzz harness builds, and takes what is kept for it', { skip, timeout: 600_000 }, (t) => {
  const run = spawnSync('sh', ['scripts/fuzz.sh', '0'], { encoding: 'utf8' });
  t.equal(run.status, 0, run.stdout + run.stderr);
  t.equal(run.stdout.match(/: no finding$/gm)?.length, 7, run.stdout);
  t.end();
});

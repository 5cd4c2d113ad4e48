// Runs test files, several at a time, each in a Node.js of its own with nothing loaded into it but the test: what `tap` loads into every process,
// also into daemons that tests start, takes longer than most tests.
//   run-tests.js JOBS SECONDS OUTPUT FILE...
// OUTPUT becomes one TAP document, each file a subtest of it; a line a file goes to stdout. Exit status 1: a file failed.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { clearTimeout, setTimeout } from 'node:timers';

const [jobs, seconds, output, ...files] = process.argv.slice(2);
const directory = mkdtempSync(join(tmpdir(), 'turf-tap-'));
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
const running = new Set();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.once(signal, () => {
    for (const child of running) child.kill('SIGTERM');
    process.exit(1);
  });

let begun = 0;
let done = 0;
let failed = false;
appendFileSync(output, 'TAP version 14\n');

/** A file has passed when it ended by itself with status 0, having told its plan, and something is in that plan. */
async function runFile(file, index) {
  const log = join(directory, String(index));
  const stdout = openSync(log, 'a');
  const start = performance.now();
  const child = spawn(process.execPath, [file], {
    stdio: ['ignore', stdout, 'inherit'],
    env: { ...process.env, TAP: '1', TAP_TIMEOUT: seconds },
  });
  closeSync(stdout);
  running.add(child);
  // The file itself fails at the deadline, and tears down; this is for one that cannot.
  const late = setTimeout(() => child.kill('SIGKILL'), (Number(seconds) + 60) * 1000);
  const [status, signal] = await once(child, 'exit');
  clearTimeout(late);
  running.delete(child);
  const text = readFileSync(log, 'utf8');
  const plan = /^1\.\.(\d+)/m.exec(text);
  const reasons = [
    ...(status === 0 ? [] : [`ended with ${status ?? signal}`]),
    ...(plan === null ? ['told no plan'] : plan[1] === '0' ? ['has no tests'] : []),
  ];
  if (reasons.length > 0) failed = true;
  const line = `${reasons.length === 0 ? '' : 'not '}ok ${++done} - ${file} # time=${Math.round(performance.now() - start)}ms`;
  const why = reasons.map((reason) => `  ---\n  file: ${reason}\n  ...\n`).join('');
  const nested = text.replace(/^TAP version .*\n/, '').replace(/^(?=.)/gm, '    ');
  appendFileSync(output, `# Subtest: ${file}\n${nested}\n${line}\n${why}`);
  console.log(line);
}

await Promise.all(
  Array.from({ length: Number(jobs) }, async () => {
    while (begun < files.length) {
      const index = begun++;
      await runFile(files[index], index);
    }
  }),
);
appendFileSync(output, `1..${files.length}\n`);
process.exitCode = failed ? 1 : 0;

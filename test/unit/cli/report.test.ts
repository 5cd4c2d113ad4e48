import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import t from 'tap';
import { TurfError } from '../../../cli/turf-error.js';
import { runFake } from './run-fake.js';

const message = 'exec: "nosuch": executable file not found in $PATH';
const failing = {
  start: () =>
    Promise.reject(
      new TurfError('TURF_ERR_LAUNCH', message, {
        operation: 'start c1',
        path: 'process.args[0]',
        cause: new Error('ENOENT', { cause: new Error('deeper') }),
      }),
    ),
};

void t.test('an error is one plain message on stderr, and exit code 1', async (t) => {
  const run = await runFake(['start', 'c1'], { operations: failing });
  t.same([run.exitCode, run.stdout, run.stderr], [1, '', `turf: ${message}\n`]);
});

void t.test('a defect is reported, not thrown', async (t) => {
  const run = await runFake(['list'], {
    operations: { list: () => Promise.reject(new TypeError('x is undefined')) },
  });
  t.same([run.exitCode, run.stderr], [1, 'turf: x is undefined\n']);
});

void t.test('the JSON log file has one object with what engines read', async (t) => {
  const cwd = t.testdir();
  const argv = ['--log', 'oci.log', '--log-format=json', 'start', 'c1'];
  await runFake(argv, { operations: failing, context: { cwd } });
  const text = readFileSync(join(cwd, 'oci.log'), 'utf8');
  const entry: unknown = JSON.parse(text);
  t.match(entry, {
    level: 'error',
    msg: message,
    time: /^\d{4}-\d\d-\d\dT[\d:.]+Z$/,
    code: 'TURF_ERR_LAUNCH',
  });
  t.ok(text.endsWith('}\n'));
  t.equal(statSync(join(cwd, 'oci.log')).mode & 0o777, 0o644, "the client's umask holds");
});

void t.test('the text log file is appended to, in the format of logrus', async (t) => {
  const cwd = t.testdir();
  const log = join(cwd, 'log');
  writeFileSync(log, 'before\n');
  await runFake(['--log', log, 'start', 'c1'], { operations: failing, context: { cwd } });
  t.match(
    readFileSync(log, 'utf8'),
    /^before\ntime="[^"]+" level=error msg="exec: \\"nosuch\\": executable file not found in \$PATH"\n$/,
  );
});

void t.test('wrong usage reaches the log file too', async (t) => {
  const cwd = t.testdir();
  await runFake(['--log=log', 'start'], { context: { cwd } });
  t.match(readFileSync(join(cwd, 'log'), 'utf8'), 'requires exactly 1 argument');
});

void t.test('success writes no log', async (t) => {
  const cwd = t.testdir();
  await runFake(['--log=log', 'start', 'c1'], { context: { cwd } });
  t.throws(() => statSync(join(cwd, 'log')));
});

void t.test('a log file that cannot be written is said, and changes no exit code', async (t) => {
  const cwd = t.testdir();
  execFileSync('mkfifo', [join(cwd, 'fifo')]);
  for (const log of [join(cwd, 'no/such/dir'), join(cwd, 'fifo')]) {
    const run = await runFake(['--log', log, 'start', 'c1'], { operations: failing, context: { cwd } });
    t.equal(run.exitCode, 1);
    t.match(run.stderr, `turf: ${message}\nturf: cannot write the log file: `);
  }
});

void t.test('--debug adds code, operation, path and causes', async (t) => {
  const run = await runFake(['--debug', 'start', 'c1'], { operations: failing });
  for (const line of [
    'code: TURF_ERR_LAUNCH',
    'operation: start c1',
    'path: process.args[0]',
    'caused by: deeper',
  ]) {
    t.match(run.stderr, `  ${line}\n`);
  }
});

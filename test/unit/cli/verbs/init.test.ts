import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import ts from 'typescript';
import { parseConfig } from '../../../../oci-spec/parse.js';
import { runFake, type Run } from '../run-fake.js';

const init = (cwd: string, ...args: string[]): Promise<Run> =>
  runFake(['init', ...args], { context: { cwd } });

void t.test('init lists its templates', async (t) => {
  for (const args of [[], ['--list']]) {
    const { exitCode, stdout } = await init('/nowhere', ...args);
    t.equal(exitCode, 0);
    t.match(stdout, /^hello +The smallest worker/m);
    t.match(stdout, /^hono +An application of the Hono framework, as it runs on any Web-standard runtime$/m);
  }
});

void t.test('every template makes a bundle whose config.json is accepted', async (t) => {
  const cwd = t.testdir();
  const names = (await init(cwd)).stdout
    .trim()
    .split('\n')
    .map((line) => line.split(' ')[0] ?? '');
  for (const name of names) {
    t.match(await init(cwd, '--template', name, name), { exitCode: 0, stderr: '' });
    const made = join(cwd, name);
    t.equal(parseConfig(readFileSync(join(made, 'config.json'), 'utf8')).turf?.runtime, 'aworker', name);
    t.same(
      ['README.md', 'tsconfig.json'].filter((file) => !existsSync(join(made, file))),
      [],
    );
    t.notOk(existsSync(join(made, 'dist')), 'what was built is left out');
    const hasCode = existsSync(join(made, 'code/index.js'));
    t.equal(hasCode, !existsSync(join(made, 'package.json')), 'it has its code, or builds it');
    t.equal(statSync(join(made, 'config.json')).mode & 0o777, 0o644);
  }
});

void t.test('what init makes compiles with the declarations of the global scope', async (t) => {
  const cwd = t.testdir();
  await init(cwd, 'api', '-t', 'json-api');
  const config = join(cwd, 'api/tsconfig.json');
  const parsed = ts.getParsedCommandLineOfConfigFile(config, undefined, {
    ...ts.sys,
    onUnRecoverableConfigFileDiagnostic: ({ messageText }) =>
      t.fail(ts.flattenDiagnosticMessageText(messageText, ' ')),
  });
  const diagnose = (): ts.Diagnostic[] => [
    ...ts.getPreEmitDiagnostics(ts.createProgram(parsed?.fileNames ?? [], parsed?.options ?? {})),
  ];
  t.equal(parsed?.fileNames.length, 2);
  t.same(diagnose(), []);
  writeFileSync(join(cwd, 'api/code/task.js'), 'process.exit();');
  t.ok(diagnose().length > 0, 'and what is not there does not');
});

void t.test('init refuses what it would spoil, and leaves nothing', async (t) => {
  const cwd = t.testdir({ full: { 'mine.txt': 'mine' }, file: 'mine', empty: {} });
  t.match(await init(cwd, 'full'), { exitCode: 1, stderr: /full is not empty: it has mine\.txt/ });
  t.match(await init(cwd, 'file'), { exitCode: 1, stderr: /cannot write .*file: ENOTDIR/ });
  t.match(await init(cwd, 'no/parent'), { exitCode: 1, stderr: /cannot write .*no\/parent: ENOENT/ });
  t.match(await init(cwd, '--template', '../hello', 'x'), {
    exitCode: 1,
    stderr: /--template \.\.\/hello: there are hello,|there are .*hello/,
  });
  t.match(await init(cwd, '--template', 'hello'), { exitCode: 1, stderr: /needs a directory/ });
  t.match(await init(cwd, '--list', 'x'), { exitCode: 1, stderr: /--list makes no directory/ });
  t.same(readdirSync(cwd).sort(), ['empty', 'file', 'full']);
  t.same(readdirSync(join(cwd, 'full')), ['mine.txt']);
  t.match(await init(cwd, 'empty'), { exitCode: 0 }, 'an empty directory is as good as none');
  t.match(await init(cwd, 'empty'), { exitCode: 1, stderr: /is not empty/ }, 'once');
});

import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { runFake } from '../run-fake.js';

void t.test('spec writes a config.json like that of runc, once', async (t) => {
  const cwd = t.testdir();
  const first = await runFake(['spec'], { context: { cwd } });
  t.same([first.exitCode, first.stdout, first.stderr], [0, '', '']);
  const path = join(cwd, 'config.json');
  const text = readFileSync(path, 'utf8');
  t.match(text, /^\{\n\t"ociVersion": "1\./);
  t.match(JSON.parse(text), {
    process: { terminal: true, args: ['sh'], cwd: '/' },
    root: { path: 'rootfs', readonly: true },
    linux: { namespaces: [] },
  });
  t.equal(statSync(path).mode & 0o777, 0o644);
  const second = await runFake(['spec'], { context: { cwd } });
  t.equal(second.exitCode, 1);
  t.match(second.stderr, 'File config.json exists. Remove it first');
  t.equal(readFileSync(path, 'utf8'), text);
});

void t.test('spec knows rootless containers, workers and seeds', async (t) => {
  const cwd = t.testdir({ rootless: {}, worker: {}, seed: {} });
  const config = async (name: string, ...options: string[]): Promise<unknown> => {
    const run = await runFake(['spec', '--bundle', name, ...options], { context: { cwd } });
    t.equal(run.stderr, '');
    return JSON.parse(readFileSync(join(cwd, name, 'config.json'), 'utf8'));
  };
  t.match(await config('rootless', '--rootless'), { linux: { uidMappings: [{ containerID: 0, size: 1 }] } });
  t.match(await config('worker', '--worker'), { turf: { runtime: 'aworker', seed: undefined } });
  t.match(await config('seed', '--worker', '--seed'), { turf: { runtime: 'aworker', seed: true } });
});

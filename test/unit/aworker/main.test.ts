import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { askSocket } from '../../fixtures/aworker/ask-socket.js';

const MAIN = fileURLToPath(new URL('../../../aworker/main.js', import.meta.url));

function aworker(...args: string[]): ChildProcess {
  // env -i: the test runner adds its own NODE_OPTIONS to every child
  return spawn('/usr/bin/env', ['-i', process.execPath, MAIN, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function ended(child: ChildProcess): Promise<{ code: unknown; out: string; err: string }> {
  let out = '';
  let err = '';
  child.stdout?.on('data', (text: Buffer) => (out += text.toString()));
  child.stderr?.on('data', (text: Buffer) => (err += text.toString()));
  const [code] = (await once(child, 'close')) as unknown[];
  return { code, out, err };
}

void t.test('help, version and wrong usage', async (t) => {
  t.match(await ended(aworker('--help')), { code: 0, out: /^Usage: aworker SCRIPT/ });
  t.match(await ended(aworker('--version')), { code: 0, out: /^aworker \d/ });
  t.match(await ended(aworker()), { code: 2, err: /which script/ });
  t.match(await ended(aworker('/nowhere.js')), { code: 2, err: /does not exist/ });
});

void t.test('a script that fails ends with status 1 and its error on stderr', async (t) => {
  const directory = t.testdir({ 'bad.js': 'nonsense(', 'throws.js': 'throw new Error("early")' });
  t.match(await ended(aworker(join(directory, 'bad.js'))), { code: 1, err: /bad\.js\nSyntaxError/ });
  t.match(await ended(aworker(join(directory, 'throws.js'))), { code: 1, err: /Uncaught Error: early/ });
});

void t.test('a worker serves requests, prints to stdout, and ends by SIGTERM after uninstall', async (t) => {
  const directory = t.testdir({
    'index.js': `
      import data from './data.json' with { type: 'json' };
      addEventListener('uninstall', (event) => event.waitUntil(Promise.resolve().then(() => console.log('bye'))));
      export default { fetch: async (request, env) => Response.json({
        data, env, body: await request.text(), node: [typeof process, typeof Buffer, typeof require, typeof setImmediate],
        refused: await import('node:fs').catch((error) => error.name), outside: await import('../x.js').catch((error) => error.name),
      }) };`,
    'data.json': '{"a":1}',
  });
  // a path below the test's own directory would be too long for a socket
  const temporary = mkdtempSync(join(tmpdir(), 'aworker-'));
  t.teardown(() => rmSync(temporary, { recursive: true }));
  const socket = join(temporary, 'w.sock');
  const child = aworker(join(directory, 'index.js'), '--listen', `unix:${socket}`, '--env', 'K=V=1');
  t.teardown(() => child.kill('SIGKILL'));
  const end = ended(child);
  await new Promise<void>((resolve) => child.stdout?.once('data', () => resolve()));
  t.same(JSON.parse((await askSocket(socket, '/', 'hello')).body), {
    data: { a: 1 },
    env: { K: 'V=1' },
    body: 'hello',
    node: ['undefined', 'undefined', 'undefined', 'undefined'],
    refused: 'TypeError',
    outside: 'TypeError',
  });
  child.kill('SIGTERM');
  t.same(await end, { code: 143, out: `listening on unix:${socket}\nbye\n`, err: '' });
});

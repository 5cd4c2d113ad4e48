import { join } from 'node:path';
import t from 'tap';
import { runWorker } from '../../../fixtures/aworker/web-suite.js';

void t.test('modules of every kind that a worker may import', async (t) => {
  const directory = t.testdir({
    'index.js': `
      import data from './data.json' with { type: 'json' };
      import text from './data.txt' with { type: 'text' };
      import bytes from './data.bin' with { type: 'bytes' };
      import module from './empty.wasm';
      import { AsyncLocalStorage } from 'node:async_hooks';
      import * as hooks from 'node:async_hooks';
      const storage = new AsyncLocalStorage();
      const stored = await storage.run(7, () => new Promise((resolve) => setTimeout(() => resolve(storage.getStore()), 1)));
      const refused = [];
      for (const [name, options] of [['./data.json'], ['./data.json', { with: { type: 'css' } }], ['node:fs'], ['node:module'], ['../x.js']])
        refused.push(await import(name, options).catch((error) => error.name));
      console.log(JSON.stringify({ data, text, bytes: [...bytes], same: bytes.constructor === Uint8Array,
        wasm: module instanceof WebAssembly.Module, stored, exports: Object.keys(hooks), refused }));`,
    'data.json': '[1]',
    'data.txt': '[1]',
    'data.bin': '[1]',
    'empty.wasm': Buffer.from([0, 97, 115, 109, 1, 0, 0, 0]),
  });
  const { code, out, err } = await runWorker(join(directory, 'index.js'));
  t.same({ code, err }, { code: 0, err: '' });
  t.same(JSON.parse(out), {
    data: [1],
    text: '[1]',
    bytes: [91, 49, 93],
    same: true,
    wasm: true,
    stored: 7,
    exports: ['AsyncLocalStorage', 'default'],
    refused: ['TypeError', 'TypeError', 'TypeError', 'TypeError', 'TypeError'],
  });
});

void t.test('modules of Node.js that the bundle lists, and no other', async (t) => {
  const directory = t.testdir({
    'index.js': `
      import { join } from 'node:path';
      import events, { once } from 'node:events';
      const refused = [];
      for (const name of ['node:fs', 'path', 'node:path/posix']) refused.push(await import(name).catch((error) => error.name));
      console.log(JSON.stringify([join('a', 'b'), typeof once, typeof events, typeof process, refused]));`,
  });
  const { out, err } = await runWorker(join(directory, 'index.js'), {
    nodeModules: ['node:path', 'node:events'],
  });
  t.equal(err, '');
  t.same(JSON.parse(out), [
    'a/b',
    'function',
    'function',
    'undefined',
    ['TypeError', 'TypeError', 'TypeError'],
  ]);
});

void t.test('a script that nothing makes a module is a classic script', async (t) => {
  const directory = t.testdir({
    'index.js': `
      var known = this === globalThis;
      function add(a, b) { return a + b; }
      const constant = 010;
      importScripts('./one.js', 'two.js');
      const failed = [];
      for (const url of ['./none.js', '../x.js', 'http://[', './bad.js'])
        try { importScripts(url); } catch (error) { failed.push(error.name); }
      addEventListener('install', (event) => event.waitUntil(
        import('./module.js').then((module) => console.log(JSON.stringify([known, globalThis.add(1, 2), constant, fromOne, fromTwo, failed, module.default])))));`,
    'one.js': 'var fromOne = add(constant, 1);',
    'two.js': 'var fromTwo = fromOne + 1; with ({}) {}',
    'bad.js': '(',
    'module.js': `let refused; try { importScripts(); } catch (error) { refused = error.name; } export default [this === undefined, refused ?? 'none'];`,
  });
  const { out, err } = await runWorker(join(directory, 'index.js'));
  t.equal(err, '');
  t.same(JSON.parse(out), [
    true,
    3,
    8,
    9,
    10,
    ['NetworkError', 'NetworkError', 'SyntaxError', 'SyntaxError'],
    [true, 'none'],
  ]);
});

void t.test('a script with top-level await is a module, in which importScripts throws', async (t) => {
  const directory = t.testdir({
    'index.js': `
      let refused;
      try { importScripts('./x.js'); } catch (error) { refused = error.name; }
      console.log(JSON.stringify([await Promise.resolve(this === undefined), refused]));`,
  });
  const { out, err } = await runWorker(join(directory, 'index.js'));
  t.equal(err, '');
  t.same(JSON.parse(out), [true, 'TypeError']);
});

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { WebSocket } from 'undici';
import { http } from '../../integration/harness/http.js';
import { patience } from '../../integration/harness/patience.js';

const MAIN = fileURLToPath(new URL('../../../aworker/main.js', import.meta.url));
const DEADLINE_MS = 10_000;

/** `aworker dev` on files of its own, with all that it has printed. */
class Dev {
  readonly directory = mkdtempSync(join(tmpdir(), 'aworker-dev-'));
  readonly child: ChildProcess;
  #printed = '';
  /** How far `until` has read. */
  #read = 0;

  constructor(t: Test, files: Readonly<Record<string, string>>, ...args: string[]) {
    this.save(files);
    // env -i: the test runner adds its own NODE_OPTIONS to every child
    this.child = spawn(
      '/usr/bin/env',
      ['-i', process.execPath, MAIN, 'dev', join(this.directory, 'index.js'), '--port', '0', ...args],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    for (const stream of [this.child.stdout, this.child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#printed += text;
        this.child.emit('printed');
      });
    t.teardown(async () => {
      await this.end('SIGTERM');
      rmSync(this.directory, { recursive: true });
    });
  }

  save(files: Readonly<Record<string, string>>): void {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(this.directory, name), text);
  }

  /** Waits for a line that was not read before. @returns what `pattern` captured */
  async until(pattern: RegExp): Promise<string> {
    const signal = AbortSignal.timeout(patience(DEADLINE_MS));
    for (;;) {
      const found = pattern.exec(this.#printed.slice(this.#read));
      if (found !== null) {
        this.#read += found.index + found[0].length;
        return found[1] ?? '';
      }
      await once(this.child, 'printed', { signal }).catch(() => {
        throw new Error(`waited for ${String(pattern)} in: ${this.#printed}`);
      });
    }
  }

  async address(): Promise<string> {
    return `tcp:${await this.until(/listening on http:\/\/(127\.0\.0\.1:\d+)\//)}`;
  }

  async end(signal: NodeJS.Signals): Promise<number | null> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return this.child.exitCode;
    const ended = once(this.child, 'close');
    this.child.kill(signal);
    await ended;
    return this.child.exitCode;
  }
}

const says = (text: string): string => `export default { fetch: () => new Response('${text}') };`;
const ask = async (address: string, path = '/'): Promise<string> => (await http(address, path)).body;

void t.test('a save of any of its files starts the worker anew, on the same port', async (t) => {
  const dev = new Dev(
    t,
    {
      'index.js': `import { text } from './text.js'; import data from './data.json' with { type: 'json' };
        export default { fetch: (request, env) => new Response(text + data.n + env.A) };`,
      'text.js': `export const text = 'one';`,
      'data.json': '{"n":1}',
    },
    '--env',
    'A=!',
  );
  const address = await dev.address();
  await dev.until(/ready in \d+ ms/);
  t.equal(await ask(address), 'one1!');
  await dev.until(/^GET \/ 200 \d+\.\d ms$/m);
  dev.save({ 'text.js': `export const text = 'two';` });
  await dev.until(/text\.js changed, ready in \d+ ms/);
  t.equal(await ask(address), 'two1!');
  dev.save({ 'data.json': '{"n":2}' });
  await dev.until(/data\.json changed, ready/);
  t.equal(await ask(address), 'two2!');
  dev.save({ 'index.js': says('whole') });
  await dev.until(/index\.js changed, ready/);
  t.equal(await ask(address), 'whole');
});

void t.test('a broken save shows why, to the terminal and to clients; a fixed one recovers', async (t) => {
  const dev = new Dev(t, { 'index.js': says('fine') });
  const address = await dev.address();
  await dev.until(/ready/);
  t.equal(await ask(address), 'fine');

  dev.save({ 'index.js': 'const a = 1;\nconst b = ;\n' });
  await dev.until(/index\.js:2\nconst b = ;\n +\^\nSyntaxError: Unexpected token ';'\n/);
  await dev.until(/waiting for a change/);
  t.match(await http(address, '/'), { status: 500, body: /index\.js:2\nconst b = ;\n/ });

  dev.save({ 'index.js': `const a = 1;\n\nthrow new TypeError('at the top');\n` });
  await dev.until(/TypeError: at the top\n[^]*> 3 \| throw new TypeError\('at the top'\);\n +\| {7}\^\n/);
  dev.save({ 'index.js': `import { nothing } from './other.js';` });
  await dev.until(/Cannot find module "\.\/other\.js"/);
  dev.save({ 'other.js': `export const something = 1;` });
  await dev.until(/index\.js:1\nimport \{ nothing \}[^]*does not provide an export named 'nothing'/);
  t.equal((await http(address, '/')).status, 500);

  dev.save({ 'index.js': says('fixed') });
  await dev.until(/ready/);
  t.equal(await ask(address), 'fixed');
});

void t.test('an error shows its source, through source maps; a worker that ends is told of', async (t) => {
  const map = {
    version: 3,
    sources: ['src/origin.ts'],
    sourcesContent: [`type T = number;\n  throw new Error('mapped');\n`],
    names: [],
    mappings: 'AACE;AACA;AACA',
  };
  const comment = `//# sourceMappingURL=data:application/json,${encodeURIComponent(JSON.stringify(map))}`;
  const dev = new Dev(t, {
    'index.js': `export default { fetch(request) { if (request.url.endsWith('/exit')) setTimeout(() => { throw new Error('stray'); }); throw new Error('mapped'); } };\n${comment}`,
  });
  const address = await dev.address();
  await dev.until(/ready/);
  t.match(await http(address, '/'), { status: 500, body: /^Internal Server Error \(request/ });
  await dev.until(
    /Uncaught Error: mapped\n[^]*src\/origin\.ts:2:3\)?\n[^]*> 2 \| {3}throw new Error\('mapped'\);\n +\| {3}\^/,
  );
  await dev.until(/^GET \/ 500 /m);
  await http(address, '/exit');
  await dev.until(/The worker ended with status 1/);
  t.match(await http(address, '/'), { status: 500, body: /The worker ended/ });
  dev.save({ 'index.js': says('again') });
  await dev.until(/changed, ready/);
  t.equal(await ask(address), 'again');
});

void t.test('a WebSocket is a line once it is closed', async (t) => {
  const dev = new Dev(t, {
    'index.js': `export default { fetch() {
      const [client, server] = Object.values(new WebSocketPair());
      server.addEventListener('message', ({ data }) => server.close(1000, data));
      server.accept();
      return new Response(null, { status: 101, webSocket: client });
    } };`,
  });
  const address = await dev.address();
  await dev.until(/ready/);
  const socket = new WebSocket(`ws://${address.slice('tcp:'.length)}/chat`);
  socket.addEventListener('open', () => socket.send('enough'));
  const [{ code, reason }] = (await once(socket, 'close')) as [{ code: number; reason: string }];
  t.same([code, reason], [1000, 'enough']);
  await dev.until(/^GET \/chat 101 \d+\.\d ms, a WebSocket$/m);
  t.equal((await http(address, '/plain')).status, 426);
  await dev.until(/^GET \/plain 426 /m);
});

void t.test('Ctrl-C ends the worker in order, and every process', async (t) => {
  const dev = new Dev(t, {
    'index.js': `addEventListener('uninstall', () => console.log('goodbye')); ${says('x')}`,
  });
  const address = await dev.address();
  await dev.until(/ready/);
  t.equal(await dev.end('SIGINT'), 130);
  await dev.until(/goodbye/);
  await t.rejects(http(address, '/'), { code: 'ECONNREFUSED' });
});

void t.test('workers do not outlive it, however it ends', async (t) => {
  const dev = new Dev(t, { 'index.js': says('x') });
  const address = await dev.address();
  await dev.until(/ready/);
  // "close" comes when nobody has its output open any more.
  await dev.end('SIGKILL');
  await t.rejects(http(address, '/'), { code: 'ECONNREFUSED' });
});

void t.test('--inspect: debuggers find the worker and its files, also after a restart', async (t) => {
  const dev = new Dev(t, { 'index.js': says('one') }, '--inspect-port', '0');
  await dev.address();
  for (const again of [false, true]) {
    if (again) dev.save({ 'index.js': says('two') });
    const socket = new WebSocket(await dev.until(/Debugger listening on (ws:\S+)/));
    socket.addEventListener('open', () => socket.send('{"id":1,"method":"Debugger.enable"}'));
    const found = await new Promise<string>((resolve) =>
      socket.addEventListener('message', ({ data }) => {
        const { params } = JSON.parse(String(data)) as { params?: { url?: string } };
        if (params?.url?.endsWith('/index.js') === true) resolve(params.url);
      }),
    );
    await dev.until(/ready/);
    t.match(found, /^file:\/\/.*\/index\.js$/);
    // The first one stays: a debugger that is attached must not hold the next save.
    if (again) socket.close();
  }
});

void t.test('wrong usage and a port that is taken are told of', async (t) => {
  const run = async (...args: string[]): Promise<string> => {
    const child = spawn('/usr/bin/env', ['-i', process.execPath, MAIN, 'dev', ...args], { stdio: 'pipe' });
    let text = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    const [code] = (await once(child, 'close')) as [number];
    return `${code} ${text}`;
  };
  const script = join(t.testdir({ 'index.js': says('x') }), 'index.js');
  const taken = createServer().listen(0, '127.0.0.1');
  t.teardown(() => taken.close());
  await once(taken, 'listening');
  const address = taken.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  t.match(await run('--help'), /^0 Usage: aworker dev SCRIPT/);
  t.match(await run(), /^2 aworker: which script\?/);
  t.match(await run(script, '--port', 'x'), /^2 aworker: --port x: not a number from 0 to 65535/);
  t.match(await run(script, '--nonsense'), /^2 aworker: Unknown option '--nonsense'/);
  t.match(
    await run(script, '--port', String(port)),
    /^2 aworker: listen on 127\.0\.0\.1 port \d+: address already in use/,
  );
});

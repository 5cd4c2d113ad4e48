import { closeSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { bindListener, removeListener } from '../../../../daemon/seeds/listen.js';
import { kernel } from '../channel/socket-pair.js';

function directory(t: Test): string {
  const path = mkdtempSync(join(tmpdir(), 'turf-'));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

void t.test('a socket that somebody serves is not taken, one that nobody serves any more is', async (t) => {
  const path = join(directory(t), 's');
  const first = await bindListener(kernel, `unix:${path}`);
  t.equal(first.address, `unix:${path}`);
  t.equal(statSync(path).mode & 0o777, 0o660);
  const { ino } = statSync(path);
  await t.rejects(bindListener(kernel, `unix:${path}`), {
    code: 'TURF_ERR_SYSTEM',
    path: 'listen',
    message: /address in use/,
  });
  removeListener(kernel, `unix:${path}`);
  t.equal(statSync(path).ino, ino, 'nor is it removed with a worker that served there before');
  closeSync(first.fd);
  const second = await bindListener(kernel, `unix:${path}`);
  t.ok(statSync(path).isSocket());
  closeSync(second.fd);
  removeListener(kernel, `unix:${path}`);
  t.notOk(existsSync(path));
  removeListener(kernel, `unix:${path}`);
});

void t.test('a file that is no socket stays', async (t) => {
  const path = join(directory(t), 'file');
  writeFileSync(path, 'mine');
  await t.rejects(bindListener(kernel, `unix:${path}`), { code: 'TURF_ERR_SYSTEM' });
  t.ok(existsSync(path));
  await t.rejects(bindListener(kernel, 'unix:/no/such/directory/s'), { code: 'TURF_ERR_SYSTEM' });
});

void t.test('a path longer than sun_path', async (t) => {
  const path = join(directory(t), 'x'.repeat(90));
  const { fd } = await bindListener(kernel, `unix:${path}`);
  t.ok(statSync(path).isSocket());
  await t.rejects(bindListener(kernel, `unix:${path}`), { message: /address in use/ });
  closeSync(fd);
});

void t.test('TCP by number and by name; port 0 is replaced by the one that was free', async (t) => {
  for (const host of ['127.0.0.1', 'localhost']) {
    const { fd, address } = await bindListener(kernel, `tcp:${host}:0`);
    t.match(address, new RegExp(`^tcp:${host}:[1-9]\\d+$`));
    await t.rejects(bindListener(kernel, address), { code: 'TURF_ERR_SYSTEM' }, 'in use');
    closeSync(fd);
  }
});

void t.test('other forms are refused', async (t) => {
  for (const text of ['', 'unix:relative', 'http://x', 'tcp:host', 'tcp:127.0.0.1:70000', '127.0.0.1:80'])
    await t.rejects(bindListener(kernel, text), { code: 'TURF_ERR_USAGE', path: 'listen' }, text);
  await t.rejects(bindListener(kernel, 'tcp:203.0.113.1:0'), { code: 'TURF_ERR_SYSTEM' });
});

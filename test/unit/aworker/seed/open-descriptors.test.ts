import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import t from 'tap';
import { childProcesses, openDescriptors, openedSince } from '../../../../aworker/seed/open-descriptors.js';

void t.test('what was opened since is named: file, socket, pipe', async (t) => {
  const before = openDescriptors();
  t.same(openedSince(before), []);
  const file = openSync('/etc/passwd', 'r');
  t.same(openedSince(before), [`descriptor ${file} is the file /etc/passwd`]);
  closeSync(file);

  const server = createServer().listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const client = connect(address.port, '127.0.0.1');
  t.teardown(() => client.destroy());
  await Promise.all([once(client, 'connect'), once(server, 'connection')]);
  // libuv keeps one descriptor in reserve from a process's first stream on.
  const opened = openedSince(before).filter((line) => !line.endsWith(' is the file /dev/null'));
  t.match(opened, [
    new RegExp(`^descriptor \\d+ is a tcp socket on 127\\.0\\.0\\.1:${address.port}$`),
    new RegExp(`^descriptor \\d+ is a tcp socket to 127\\.0\\.0\\.1:${address.port}$`),
    new RegExp(`^descriptor \\d+ is a tcp socket to 127\\.0\\.0\\.1:${String(client.localPort)}$`),
  ]);
  t.equal(opened.length, 3);
});

void t.test('child processes are named', async (t) => {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' });
  t.match(childProcesses().join(), new RegExp(`process ${String(child.pid)} \\(.*\\) is a child`));
  child.kill('SIGKILL');
  await once(child, 'exit');
  t.notMatch(childProcesses().join(), `process ${String(child.pid)} `);
});

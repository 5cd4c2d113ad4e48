import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import process from 'node:process';
import { t } from 'tap';
import { compileFakeInit } from '../../fixtures/native/fake-init.js';
import { runTurfd } from '../../fixtures/native/run-turfd.js';

void t.test('a listening socket outlives the daemon; its next connection is told of once', async (t) => {
  const { fake, root, daemonPid } = await runTurfd(t, compileFakeInit(t.testdir()));
  const path = join(root, 'held.sock');
  fake.tell({ do: 'send', type: 'Y' });
  fake.tell({ do: 'hold', name: 'w1', path });
  fake.tell({ do: 'watchListener', name: 'w1' });
  fake.tell({ do: 'watchListener', name: 'unknown' });
  fake.tell({ do: 'ask', type: 'T', name: 'w1' });
  const { sockets } = await fake.next('answered');
  t.equal(sockets?.length, 1);
  // It is reset in the end, with the socket that it waits on.
  const client = connect(path).on('error', () => undefined);
  t.teardown(() => client.destroy());
  t.equal(Buffer.from((await fake.next('C')).payload ?? '', 'hex').toString(), 'w1');

  process.kill(daemonPid, 'SIGKILL');
  await fake.next('started');
  fake.tell({ do: 'ask', type: 'T', name: 'w1' });
  t.same((await fake.next('answered')).sockets, sockets, 'the same socket');
  fake.tell({ do: 'watchListener', name: 'w1' });
  t.equal(
    Buffer.from((await fake.next('C')).payload ?? '', 'hex').toString(),
    'w1',
    'nobody accepted it yet',
  );

  fake.tell({ do: 'ask', type: 'R', name: 'w1' });
  t.same((await fake.next('answered')).sockets, []);
  const refused = connect(path);
  const [error] = (await once(refused, 'error')) as [NodeJS.ErrnoException];
  t.equal(error.code, 'ECONNREFUSED', 'given up when the answer is there');
  fake.tell({ do: 'ask', type: 'T', name: 'w1' });
  t.same((await fake.next('answered')).sockets, []);
});

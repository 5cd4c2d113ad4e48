import t from 'tap';
import { bundle, script } from './harness/bundle.js';
import { receiveConsole } from './harness/console.js';
import { requires } from './harness/requires.js';
import { Turfd } from './harness/turfd.js';

await t.test('terminals', requires('program:gcc'), async (t) => {
  const turfd = await Turfd.start(t);

  await t.test('--console-socket receives a master whose other side is the container', async (t) => {
    const id = turfd.id('tty');
    const receiver = await receiveConsole(t);
    const { path } = bundle(
      t,
      script('tty; stty size; ls -l /dev/console; echo say:; read line; echo "got $line"'),
      (config) => {
        config.process.terminal = true;
        config.process.consoleSize = { height: 33, width: 99 };
      },
    );
    await turfd.ok(['create', '--bundle', path, '--console-socket', receiver.socket, id]);
    await receiver.until('got tty 33x99');
    await turfd.ok(['start', id]);
    await receiver.until('say:');
    t.match(receiver.output(), /\/dev\/pts\/0\r\n33 99\r\n.*\/dev\/console/s);
    receiver.type('hello\n');
    await receiver.until('got hello');
    await turfd.until(id, 'stopped');
    await receiver.ended;
    await turfd.ok(['delete', id]);
  });

  await t.test('the terminal is the controlling terminal', async (t) => {
    const id = turfd.id('ctty');
    const receiver = await receiveConsole(t);
    const { path } = bundle(
      t,
      script(
        'echo through-tty > /dev/tty; trap "echo interrupted; exit 3" INT; echo ready; while :; do sleep 1000 & wait; done',
      ),
      (config) => {
        config.process.terminal = true;
      },
    );
    await turfd.ok(['create', '--bundle', path, '--console-socket', receiver.socket, id]);
    await turfd.ok(['start', id]);
    await receiver.until('through-tty');
    await receiver.until('ready');
    receiver.type('\u0003');
    await receiver.until('interrupted');
    t.equal((await turfd.until(id, 'stopped')).turf.exitCode, 3);
    await turfd.ok(['delete', id]);
  });

  await t.test(
    'a terminal without a console socket, and a socket without a terminal, are refused',
    async (t) => {
      const { path } = bundle(t, ['true'], (config) => {
        config.process.terminal = true;
      });
      t.match(await turfd.turf(['create', '--bundle', path, turfd.id('none')]), {
        status: 1,
        stderr: /console/,
      });
      const gone = await turfd.turf([
        'create',
        '--bundle',
        path,
        '--console-socket',
        '/nope/x.sock',
        turfd.id('gone'),
      ]);
      t.match(gone, { status: 1, stderr: /\/nope\/x\.sock/ });
      const plain = bundle(t, ['true']);
      const receiver = await receiveConsole(t);
      const unused = [
        'create',
        '--bundle',
        plain.path,
        '--console-socket',
        receiver.socket,
        turfd.id('unused'),
      ];
      t.match(await turfd.turf(unused), { status: 1, stderr: /terminal/ });
      t.strictSame(turfd.remains(), []);
    },
  );
});

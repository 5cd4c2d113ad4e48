import { constants } from 'node:os';
import t from 'tap';
import { decodeWaitStatus } from '../../../../daemon/containers/wait-status.js';

void t.test('exit codes, signals, core dumps, and what nobody knows', (t) => {
  t.strictSame(decodeWaitStatus(0), { exitCode: 0 });
  t.strictSame(decodeWaitStatus(255 << 8), { exitCode: 255 });
  t.strictSame(decodeWaitStatus(9), { exitCode: 137, exitSignal: 'SIGKILL' });
  t.strictSame(decodeWaitStatus(11 | 0x80), { exitCode: 139, exitSignal: 'SIGSEGV' });
  t.strictSame(decodeWaitStatus(34), { exitCode: 162, exitSignal: 'SIG34' }, 'a real-time signal');
  t.strictSame(decodeWaitStatus(-1), {});
  t.end();
});

void t.test('every signal has the name by which one can send it', (t) => {
  for (const number of Object.values(constants.signals)) {
    const { exitSignal = '' } = decodeWaitStatus(number);
    t.equal(constants.signals[exitSignal as NodeJS.Signals], number);
  }
  t.end();
});

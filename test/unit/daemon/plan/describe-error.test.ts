import t from 'tap';
import { describePlanFailure } from '../../../../daemon/plan/describe-error.js';
import { OP } from '../../../../daemon/plan/opcodes.js';

const labels = ['linux.namespaces', 'mounts[3]'];

await t.test('a failure names the field, the object and the reason', (t) => {
  t.equal(
    describePlanFailure(labels, { errno: 1, opIndex: 1, opcode: OP.MOUNT_FS, detail: 'mount proc on /proc' }),
    'mounts[3]: mount proc on /proc: operation not permitted',
  );
  t.end();
});

await t.test('a failure of the plan itself, and an unknown errno, still say something', (t) => {
  t.equal(
    describePlanFailure(labels, { errno: 4000, opIndex: 0xffffffff, opcode: 0, detail: '' }),
    'launch plan: errno 4000',
  );
  t.end();
});

await t.test('a text that says its reason gets no second one', (t) => {
  const failure = {
    errno: 2,
    opIndex: 0,
    opcode: OP.FIND_PROGRAM,
    detail: 'exec: "x": executable file not found in $PATH',
  };
  t.equal(
    describePlanFailure(['process.args[0]'], failure),
    'process.args[0]: exec: "x": executable file not found in $PATH',
  );
  t.end();
});

import t from 'tap';
import { describePlanFailure } from '../../../../daemon/plan/describe-error.js';

const labels = ['linux.namespaces', 'mounts[3]'];

await t.test('a failure names the field, the object and the reason', (t) => {
  t.equal(
    describePlanFailure(labels, { errno: 1, opIndex: 1, detail: 'mount proc on /proc' }),
    'mounts[3]: mount proc on /proc: operation not permitted',
  );
  t.end();
});

await t.test('a failure of the plan itself, and an unknown errno, still say something', (t) => {
  t.equal(
    describePlanFailure(labels, { errno: 4000, opIndex: 0xffffffff, detail: '' }),
    'launch plan: errno 4000',
  );
  t.end();
});

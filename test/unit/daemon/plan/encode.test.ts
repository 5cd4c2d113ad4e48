import t from 'tap';
import { PlanBuilder } from '../../../../daemon/plan/encode.js';
import { PLAN_MAX_FDS } from '../../../../daemon/plan/opcodes.js';
import { decodePlan } from './decode-plan.js';

await t.test('the bytes of a small plan are those of the format', (t) => {
  const plan = new PlanBuilder();
  const fd = plan.addFd(9);
  plan.joinNamespace('linux.namespaces[0].path', fd, 0x20000).hostname('hostname', 'a').setsid('process');
  const golden = [
    '54504c4e',
    '01000000',
    '3a000000',
    '03000000',
    '01000000',
    '0100000008000000',
    '0000000000000200',
    '0600000006000000',
    '010000006100',
    '1e00000000000000',
  ];
  const { bytes, fds, labels } = plan.finish();
  t.equal(bytes.toString('hex'), golden.join(''));
  t.same(fds, [9]);
  t.same(labels, ['linux.namespaces[0].path', 'hostname', 'process']);
  t.end();
});

await t.test('strings of any length come back', (t) => {
  for (const length of [0, 1, 127, 128, 255, 256, 65_535, 65_536]) {
    const text = 'é'.repeat(Math.floor(length / 2)) + 'x'.repeat(length % 2);
    const { bytes } = new PlanBuilder().exec('process.args', [text, text], []).finish();
    t.same(
      decodePlan(bytes).ops,
      [{ op: 'EXEC', fields: { argv: [text, text], env: [] } }],
      `${length} bytes`,
    );
  }
  t.end();
});

await t.test('64-bit values come back whole', (t) => {
  const { bytes } = new PlanBuilder().rlimit('r', 7, 2n ** 64n - 1n, 2n ** 53n + 1n).finish();
  t.same(decodePlan(bytes).ops[0]?.fields, { resource: 7, soft: 2n ** 64n - 1n, hard: 2n ** 53n + 1n });
  t.end();
});

await t.test('a NUL inside a string is refused and named', (t) => {
  t.throws(() => new PlanBuilder().maskPath('linux.maskedPaths[0]', '/a\0b'), {
    code: 'TURF_ERR_CONFIG',
    path: 'linux.maskedPaths[0]',
    message: /^linux\.maskedPaths\[0\]: .*NUL/,
  });
  t.end();
});

await t.test('a value out of range is refused and named', (t) => {
  t.throws(() => new PlanBuilder().umask('process.user.umask', -1), { message: /^process.user.umask: / });
  t.throws(() => new PlanBuilder().rlimit('r', 0, 2n ** 64n, 0n), { message: /^r: / });
  t.throws(() => new PlanBuilder().waitStart('start', 0), { message: /not in the plan/ });
  t.throws(() => new PlanBuilder().adoptFd('fd', -1, 2), { message: /stdio/ });
  t.end();
});

await t.test('a descriptor has one index, and the plan owns only what it was given', (t) => {
  const plan = new PlanBuilder();
  t.equal(plan.addFd(7), 0);
  t.equal(plan.addFd(8, 'plan'), 1);
  t.equal(plan.addFd(7), 0);
  const { fds, ownedFds } = plan.finish();
  t.same(fds, [7, 8]);
  t.same(ownedFds, [8]);
  t.end();
});

await t.test('one descriptor more than the limit is refused', (t) => {
  const plan = new PlanBuilder();
  for (let fd = 0; fd < PLAN_MAX_FDS; fd++) plan.addFd(fd);
  t.throws(() => plan.addFd(PLAN_MAX_FDS), { code: 'TURF_ERR_CONFIG' });
  t.end();
});

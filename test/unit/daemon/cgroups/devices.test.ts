import t from 'tap';
import { deviceProgram } from '../../../../daemon/cgroups/device-program.js';
import { DEFAULT_DEVICE_RULES, devicePolicy, v1DeviceLine } from '../../../../daemon/cgroups/device-rules.js';
import type { OciDeviceRule } from '../../../../oci-spec/config.js';

/** Interprets the few instructions that deviceProgram uses, as the kernel would. */
function run(program: Buffer, type: 'b' | 'c', major: number, minor: number, access: number): number {
  const r = [0, 0, 0, 0, 0, 0];
  const context = [(access << 16) | (type === 'b' ? 1 : 2), major, minor];
  for (let at = 0; at < program.length; at += 8) {
    const registers = program.readUInt8(at + 1);
    const dst = registers & 15;
    const src = registers >> 4;
    const offset = program.readInt16LE(at + 2);
    const immediate = program.readInt32LE(at + 4);
    const value = r[dst] ?? 0;
    const jump = (taken: boolean): void => void (at += taken ? offset * 8 : 0);
    switch (program.readUInt8(at)) {
      case 0x61:
        r[dst] = context[offset / 4] ?? 0;
        break;
      case 0xb7:
        r[dst] = immediate;
        break;
      case 0xbf:
        r[dst] = r[src] ?? 0;
        break;
      case 0x57:
        r[dst] = value & immediate;
        break;
      case 0x77:
        r[dst] = value >>> immediate;
        break;
      case 0x05:
        jump(true);
        break;
      case 0x45:
        jump((value & immediate) !== 0);
        break;
      case 0x55:
        jump(value !== immediate);
        break;
      case 0x95:
        return r[0] ?? 0;
      default:
        throw new Error(`unknown instruction at ${at}`);
    }
  }
  throw new Error('no exit');
}

const MKNOD = 1;
const READ = 2;
const WRITE = 4;

const decide = (rules: readonly OciDeviceRule[], ...request: ['b' | 'c', number, number, number]): boolean =>
  run(deviceProgram(devicePolicy(rules)), ...request) === 1;

void t.test('without rules: default devices, mknod of anything, nothing else', (test) => {
  for (const [major, minor] of [
    [1, 3],
    [1, 5],
    [1, 7],
    [1, 8],
    [1, 9],
    [5, 0],
    [5, 1],
    [5, 2],
    [136, 77],
  ] as const) {
    test.ok(decide([], 'c', major, minor, READ | WRITE), `c ${major}:${minor}`);
  }
  test.ok(decide([], 'b', 8, 0, MKNOD));
  test.notOk(decide([], 'b', 8, 0, READ));
  test.notOk(decide([], 'b', 8, 0, MKNOD | READ));
  test.notOk(decide([], 'c', 1, 1, READ), '/dev/mem');
  test.notOk(decide([], 'b', 1, 3, READ), 'a block device with the numbers of /dev/null');
  test.end();
});

void t.test('later rules override earlier ones, bit by bit', (test) => {
  const rules: OciDeviceRule[] = [
    { allow: true, type: 'c', major: 10, access: 'rw' },
    { allow: false, type: 'c', major: 10, minor: 5, access: 'w' },
    { allow: true, type: 'b', major: 8, access: 'r' },
    { allow: true, type: 'b', major: 8, access: 'w' },
  ];
  test.ok(decide(rules, 'c', 10, 4, READ | WRITE));
  test.ok(decide(rules, 'c', 10, 5, READ));
  test.notOk(decide(rules, 'c', 10, 5, READ | WRITE));
  test.ok(decide(rules, 'b', 8, 3, READ | WRITE), 'two rules together grant both');
  test.notOk(decide([...rules, { allow: false, type: 'b' }], 'b', 8, 3, READ), 'denied again');
  test.ok(decide([...rules, { allow: false, type: 'a' }], 'c', 1, 3, READ), 'default devices stay');
  test.end();
});

void t.test('everything allowed, and everything but one', (test) => {
  const all = { allow: true, access: 'rwm' };
  test.ok(decide([all], 'b', 8, 0, READ | WRITE | MKNOD));
  test.equal(devicePolicy([{ allow: false }, all]).length, 1);
  const but = [all, { allow: false, type: 'c', major: 1, minor: 1, access: 'rwm' }];
  test.notOk(decide(but, 'c', 1, 1, READ));
  test.ok(decide(but, 'c', 1, 2, READ));
  test.end();
});

void t.test('the program of a fixed policy has these bytes', (test) => {
  const program = deviceProgram([
    { allow: false, type: 'a', major: undefined, minor: undefined, access: 'rwm' },
    { allow: true, type: 'c', major: 1, minor: undefined, access: 'r' },
  ]);
  test.equal(
    program.toString('hex'),
    [
      '6112000000000000', // r2 = access << 16 | type
      'bf23000000000000',
      '57020000ffff0000',
      '7703000010000000',
      '6114040000000000', // r4 = major
      '6115080000000000', // r5 = minor
      '5502050002000000', // type is not c: next rule
      '5504040001000000', // major is not 1: next rule
      '5703000005000000', // read is granted
      '5503020000000000', // more was asked: next rule
      'b700000001000000',
      '9500000000000000',
      'b700000000000000', // default: deny
      '9500000000000000',
    ].join(''),
  );
  test.end();
});

void t.test('v1 lines', (test) => {
  test.same(
    devicePolicy([{ allow: true, type: 'b', major: 8, minor: -1, access: 'mr' }])
      .slice(0, 2)
      .map(v1DeviceLine),
    ['a', 'b 8:* rm'],
  );
  test.same(DEFAULT_DEVICE_RULES.slice(0, 3).map(v1DeviceLine), ['c *:* m', 'b *:* m', 'c 1:3 rwm']);
  test.end();
});

void t.test('bad rules are refused by field', (test) => {
  for (const [field, rule] of [
    ['type', { allow: true, type: 'x' }],
    ['type', { allow: true, type: 'a', major: 1 }],
    ['access', { allow: true, type: 'c', access: 'rx' }],
  ] as const) {
    const path = `linux.resources.devices[1].${field}`;
    test.throws(() => devicePolicy([{ allow: false }, rule]), { code: 'TURF_ERR_CONFIG', path });
  }
  test.end();
});

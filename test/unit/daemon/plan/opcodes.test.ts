import { readFileSync } from 'node:fs';
import t from 'tap';
import { MOUNT_FLAG, OP, PLAN_MAGIC, PLAN_MAX_FDS, PLAN_VERSION } from '../../../../daemon/plan/opcodes.js';

const header = readFileSync(new URL('../../../../../native-shim/plan/plan.h', import.meta.url), 'utf8');

function defines(pattern: RegExp): Record<string, number> {
  return Object.fromEntries(
    [...header.matchAll(pattern)].map(([, name = '', value]) => [name, Number(value)]),
  );
}

await t.test('every opcode is that of plan.h', (t) => {
  t.same(OP, defines(/^ {2}TURF_OP_(\w+) = (\d+),/gm));
  t.end();
});

await t.test('every mount flag is that of plan.h', (t) => {
  t.same(MOUNT_FLAG, defines(/^#define TURF_MOUNT_(\w+) (\d+)u/gm));
  t.end();
});

await t.test('magic, version and limits are those of plan.h', (t) => {
  t.same(
    { MAGIC: PLAN_MAGIC, VERSION: PLAN_VERSION, MAX_FDS: PLAN_MAX_FDS },
    defines(/^#define TURF_PLAN_(MAGIC|VERSION|MAX_FDS) (0x[\da-f]+|\d+)u?$/gm),
  );
  t.end();
});

import t from 'tap';
import { cpuMask } from '../../../oci-spec/cpu-mask.js';

void t.test('bit n of byte n/8 is CPU n, in whole words of the kernel', (t) => {
  for (const [list, bytes] of [
    ['0', [1, 0, 0, 0, 0, 0, 0, 0]],
    ['0-3,7', [0x8f, 0, 0, 0, 0, 0, 0, 0]],
    ['8,1', [2, 1, 0, 0, 0, 0, 0, 0]],
    ['63', [0, 0, 0, 0, 0, 0, 0, 0x80]],
    ['64', [0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]],
    ['1,1-2', [6, 0, 0, 0, 0, 0, 0, 0]],
  ] as const)
    t.same([...cpuMask(list)], bytes, list);
  t.end();
});

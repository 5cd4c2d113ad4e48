import process from 'node:process';
import t from 'tap';
import { memoryUse, parseMemoryUse } from '../../../../daemon/seeds/memory-use.js';

const ROLLUP = `55d0e8a00000-7ffd4b1f4000 ---p 00000000 00:00 0                          [rollup]
Rss:               61440 kB
Pss:               20480 kB
Shared_Clean:      10000 kB
Shared_Dirty:      20000 kB
Private_Clean:       100 kB
Private_Dirty:      2000 kB
Swap:                 12 kB
SwapPss:               6 kB
`;

void t.test('the sums of smaps_rollup, in bytes', (t) => {
  t.same(parseMemoryUse(ROLLUP, 'VmPin:\t       0 kB\nVmPTE:\t     512 kB\n'), {
    rss: 61440 * 1024,
    pss: 20480 * 1024,
    shared: 30000 * 1024,
    private: 2100 * 1024,
    swap: 12 * 1024,
    pageTables: 512 * 1024,
  });
  t.end();
});

void t.test('of a process that lives, and of one that has gone', async (t) => {
  const own = await memoryUse(process.pid);
  t.ok(own !== undefined && own.rss >= own.private && own.private > 1 << 20 && own.pageTables > 0);
  t.equal(await memoryUse(2 ** 22 + 1), undefined);
});

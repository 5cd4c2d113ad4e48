import { getHeapCodeStatistics } from 'node:v8';
import { Script } from 'node:vm';
import t from 'tap';
import { compilingEagerly } from '../../../../aworker/seed/tiering.js';

/** Functions that nobody calls, each unlike the others. */
function uncalled(salt: string): string {
  const one = (n: number): string =>
    `function ${salt}${n}(a) { return [a, ${n}, '${salt}', a * ${n}, () => a]; }`;
  return Array.from({ length: 500 }, (_, n) => one(n)).join('\n');
}

/** Bytes of bytecode that loading leaves. */
async function bytecodeOf(load: () => Promise<void>): Promise<number> {
  const before = getHeapCodeStatistics().bytecode_and_metadata_size;
  await load();
  return getHeapCodeStatistics().bytecode_and_metadata_size - before;
}

await t.test('what is loaded is compiled whole, and later loads are not', async (t) => {
  const kept: Script[] = [];
  const run = (salt: string): Promise<void> => {
    const script = new Script(uncalled(salt));
    script.runInThisContext();
    kept.push(script);
    return Promise.resolve();
  };
  const eager = await bytecodeOf(() => compilingEagerly(() => run('eager')));
  const lazy = await bytecodeOf(() => run('lazy'));
  t.ok(eager > 10 * Math.max(lazy, 1), `${eager} bytes whole, ${lazy} as it comes`);
  t.equal(kept.length, 2);
});

await t.test('a load that fails leaves nothing behind', async (t) => {
  await t.rejects(
    compilingEagerly(() => Promise.reject(new Error('no such module'))),
    { message: 'no such module' },
  );
  const script = new Script(uncalled('after'));
  const after = await bytecodeOf(() => {
    script.runInThisContext();
    return Promise.resolve();
  });
  t.ok(after < 20_000, `${after} bytes`);
});

import t from 'tap';
import {
  BASE_RANGE_SIZE,
  CLONED_RANGE_SIZE,
  freeClonedRange,
  freeUserRange,
  RANGE_SIZE,
} from '../../../../daemon/seeds/user-range.js';
import { WORKER_UID } from '../../../../daemon/seeds/worker-plan.js';

void t.test('ranges of user ids never overlap, and one that is free again is used again', (t) => {
  const bases: number[] = [];
  for (let count = 0; count < 5; count++) {
    const base = freeUserRange(bases.map((idBase) => ({ idBase })));
    t.ok(bases.every((other) => Math.abs(other - base) >= RANGE_SIZE));
    bases.push(base);
  }
  const [first = 0, second = 0, ...rest] = bases;
  t.equal(freeUserRange([first, ...rest].map((idBase) => ({ idBase }))), second);
  const all = Array.from({ length: 30_000 }, (_, index) => ({
    idBase: first + index * RANGE_SIZE,
  }));
  t.throws(() => freeUserRange(all), { code: 'TURF_ERR_SEED' });
  t.ok(first + 30_000 * RANGE_SIZE < 2 ** 32, 'uids have 32 bits');
  t.end();
});

void t.test('a base has more ids, and nobody is given any of them', (t) => {
  const base = { idBase: freeUserRange([], BASE_RANGE_SIZE), idCount: BASE_RANGE_SIZE };
  const next = freeUserRange([base]);
  t.equal(next, base.idBase + BASE_RANGE_SIZE);
  const first = [{ idBase: base.idBase }, { idBase: base.idBase + 2 * RANGE_SIZE }];
  t.equal(
    freeUserRange(first, BASE_RANGE_SIZE),
    base.idBase + 3 * RANGE_SIZE,
    'a gap that is too small stays',
  );
  t.end();
});

void t.test('a clone of a base has a part of its ids, apart from the base and its other clones', (t) => {
  const base = { idBase: freeUserRange([], BASE_RANGE_SIZE), idCount: BASE_RANGE_SIZE };
  const clones: { idBase: number; idCount: number }[] = [];
  for (;;) {
    try {
      clones.push({ idBase: freeClonedRange(base, [base, ...clones]), idCount: CLONED_RANGE_SIZE });
    } catch (error) {
      t.match(error, { code: 'TURF_ERR_SEED' });
      break;
    }
  }
  t.equal(clones.length, 1023);
  t.equal(new Set(clones.map(({ idBase }) => idBase)).size, clones.length);
  t.ok(
    clones.every(
      ({ idBase }) =>
        idBase > base.idBase + WORKER_UID && idBase + CLONED_RANGE_SIZE <= base.idBase + BASE_RANGE_SIZE,
    ),
  );
  const [orphan] = clones.splice(500, 1);
  t.equal(freeClonedRange(base, [base, ...clones]), orphan?.idBase, 'one that is free again is used again');
  t.not(
    freeUserRange(orphan === undefined ? [] : [orphan], BASE_RANGE_SIZE),
    base.idBase,
    'it outlives its base',
  );
  t.end();
});

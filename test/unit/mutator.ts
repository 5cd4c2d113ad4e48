/** A generator of pseudo-random numbers that a seed repeats (mulberry32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** An integer from 0 to below `end`. */
  below(end: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % end;
  }

  pick<T>(list: readonly T[]): T {
    const chosen = list[this.below(list.length)];
    if (chosen === undefined && list.length === 0) throw new Error('nothing to pick from');
    return chosen as T;
  }
}

/** Values that parsers and compilers tend to be wrong about. */
const NASTY: readonly unknown[] = [
  null,
  true,
  '',
  '..',
  '/',
  '/../..',
  'a\u0000b',
  '\ud800',
  'x'.repeat(5000),
  '__proto__',
  'constructor',
  -1,
  0,
  0.5,
  1e308,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  2 ** 64,
  -(2 ** 63),
  [],
  {},
  [[]],
  [null],
  { toString: 1, length: -1 },
];

type Json = unknown;

const isObject = (value: Json): value is Record<string, Json> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A copy of a JSON document with one thing changed somewhere: a value replaced, removed, repeated or moved. */
export function mutate(random: Random, document: Json): Json {
  if (Array.isArray(document)) return mutateList(random, document);
  if (!isObject(document)) return random.pick(NASTY);
  const keys = Object.keys(document);
  if (keys.length === 0) return random.pick(NASTY);
  const key = random.pick(keys);
  switch (random.below(12)) {
    case 0:
      return random.pick(NASTY);
    case 1:
      return Object.fromEntries(Object.entries(document).filter(([name]) => name !== key));
    case 2:
      return { ...document, [JSON.stringify(random.pick(NASTY))]: document[key] };
    case 3:
      return { ...document, [key]: document[random.pick(keys)] };
    default:
      return { ...document, [key]: mutate(random, document[key]) };
  }
}

function mutateList(random: Random, list: readonly Json[]): Json {
  if (list.length === 0) return [random.pick(NASTY)];
  const at = random.below(list.length);
  switch (random.below(6)) {
    case 0:
      return list.filter((_, i) => i !== at);
    case 1:
      return [...list, list[at]];
    case 2:
      return [...list, random.pick(NASTY)];
    default:
      return list.map((value, i) => (i === at ? mutate(random, value) : value));
  }
}

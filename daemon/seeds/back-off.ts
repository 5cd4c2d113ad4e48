const FIRST_MS = 1000;
const LAST_MS = 10_000;
/** What lived so long did not fail at its start. */
const STABLE_MS = 10_000;

/** Milliseconds before the next attempt after so many failures in a row: none at first, then 1 s, doubling to 10 s. */
export function backOff(failures: number): number {
  return failures === 0 ? 0 : Math.min(LAST_MS, FIRST_MS * 2 ** (failures - 1));
}

/** Failures in a row, with the end of a worker that lived so many milliseconds. */
export function failuresAfter(failures: number, livedMs: number): number {
  return livedMs >= STABLE_MS ? 0 : failures + 1;
}

/** Milliseconds: setTimeout takes 31 bits, and fires at once for more. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

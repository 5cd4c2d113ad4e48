import type { Spread } from './statistics.js';

/** One line of the result. */
export interface Row {
  readonly what: string;
  readonly who: string;
  readonly unit: 'ms' | 'KiB' | '1/s';
  readonly figures: Spread;
}

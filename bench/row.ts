import { type Spread, spread } from './statistics.js';

/** One line of the result. */
export interface Row {
  readonly what: string;
  readonly who: string;
  readonly unit: 'ms' | 'KiB' | '1/s' | '%' | 'failed' | 'left';
  readonly figures: Spread;
}

/** @param values at least one, in that unit */
export function row(what: string, who: string, unit: Row['unit'], values: readonly number[]): Row {
  return { what, who, unit, figures: spread(values) };
}

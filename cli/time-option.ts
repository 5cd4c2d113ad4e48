import { LONGEST_TIMEOUT_MS } from './api/timeout.js';
import { usageError } from './options.js';

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * A length of time on the command line: `500ms`, `30s`, `10m`, `1.5h`, `7d`; seconds without a unit.
 *
 * @param flag for the error, e.g. `max-age`
 * @returns whole milliseconds
 * @throws {TurfError} TURF_ERR_USAGE
 */
export function timeOption(flag: string, text: string): number {
  const [, digits, unit = 's'] = /^(\d{1,9}(?:\.\d{1,6})?)(ms|[smhd])?$/.exec(text) ?? [];
  const factor = UNITS[unit];
  if (digits === undefined || factor === undefined)
    throw usageError(
      `invalid value ${JSON.stringify(text)} for flag -${flag}: not like 30s, 10m, 1.5h or 7d`,
    );
  return Math.round(Number(digits) * factor);
}

/**
 * The value of --timeout.
 *
 * @returns whole milliseconds, at least one
 * @throws {TurfError} TURF_ERR_USAGE
 */
export function timeoutOption(text: string): number {
  const milliseconds = Math.max(1, timeOption('timeout', text));
  if (milliseconds > LONGEST_TIMEOUT_MS)
    throw usageError(`invalid value ${JSON.stringify(text)} for flag -timeout: at most 1h`);
  return milliseconds;
}

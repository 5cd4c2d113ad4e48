export interface Spread {
  readonly n: number;
  readonly p5: number;
  readonly p50: number;
  readonly p95: number;
}

/** Median and 5th and 95th percentile (nearest rank) of at least one measurement. */
export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number =>
    round(sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))] ?? NaN);
  return { n: sorted.length, p5: at(0.05), p50: at(0.5), p95: at(0.95) };
}

/** Two decimals. */
export const round = (value: number): number => Math.round(value * 100) / 100;

/** Lines with columns padded to their widest cell; the first column is flush left, the others right. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  return rows
    .map((row) =>
      widths
        .map((width, column) =>
          column === 0 ? (row[column] ?? '').padEnd(width) : (row[column] ?? '').padStart(width),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

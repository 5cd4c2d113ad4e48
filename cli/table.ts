interface Layout {
  readonly indent?: number;
  /** Spaces after the widest cell of a column. */
  readonly gap?: number;
  /** Least width of a column with its gap. */
  readonly minimum?: number;
}

/** Lines of left-aligned columns; the last is not padded. */
export function columns(rows: readonly (readonly string[])[], layout: Layout = {}): string {
  const { indent = 0, gap = 2, minimum = 0 } = layout;
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, index) => {
      widths[index] = Math.max(widths[index] ?? minimum, cell.length + gap);
    });
  }
  const line = (row: readonly string[]) =>
    row.map((cell, index) => (index === row.length - 1 ? cell : cell.padEnd(widths[index] ?? 0))).join('');
  return rows.map((row) => `${' '.repeat(indent)}${line(row)}`.trimEnd() + '\n').join('');
}

/** A table as runc prints it: columns of at least 12, three spaces between. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  return columns([header, ...rows.map((row) => row.map(printable))], { gap: 3, minimum: 12 });
}

/** Keeps control characters of a value (a path may hold any) away from the terminal. */
function printable(cell: string): string {
  return cell.replace(/\p{Cc}/gu, (character) => {
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
}

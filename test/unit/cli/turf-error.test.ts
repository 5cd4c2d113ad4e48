import { readFileSync } from 'node:fs';
import t from 'tap';
import { ERROR_CODES } from '../../../cli/turf-error.js';

void t.test('docs/errors.md and the table of codes say the same, both ways', (t) => {
  const rows = readFileSync('docs/errors.md', 'utf8').matchAll(
    /^\| `(TURF_ERR_\w+)` +\| (\d+) +\| (\d+) +\|/gm,
  );
  const documented = [...rows].map(([, code, status, exit]) => [code, Number(status), Number(exit)]);
  const coded = Object.entries(ERROR_CODES).map(([code, { status, exit }]) => [code, status, exit]);
  t.same(documented, coded);
  t.end();
});

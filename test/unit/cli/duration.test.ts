import t from 'tap';
import { parseDuration } from '../../../cli/duration.js';

for (const [text, expected] of [
  ['5s', 5000],
  ['1m30s', 90_000],
  ['250ms', 250],
  ['1.5h', 5_400_000],
  ['1us', 0.001],
  ['0', 0],
  ['0s', 0],
  ['5', undefined],
  ['', undefined],
  ['-5s', undefined],
  ['s', undefined],
  ['5 s', undefined],
] as const) {
  t.equal(parseDuration(text), expected, JSON.stringify(text));
}

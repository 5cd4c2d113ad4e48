import t from 'tap';
import { backOff, failuresAfter } from '../../../../daemon/seeds/back-off.js';

void t.test('the first attempt is at once, later ones after 1 s, doubling to 10 s', (t) => {
  t.same([0, 1, 2, 3, 4, 5, 50].map(backOff), [0, 1000, 2000, 4000, 8000, 10_000, 10_000]);
  t.end();
});

void t.test('an end soon after the start is a failure, a later one begins the count anew', (t) => {
  t.equal(failuresAfter(2, 100), 3);
  t.equal(failuresAfter(2, 10_000), 0);
  t.end();
});

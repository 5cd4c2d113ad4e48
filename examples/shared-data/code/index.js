/** What takes long is done once, in the seed, and is shared by all its workers until one of them writes to it. */
import { smallestFactors } from './factors.js';

const LIMIT = 2_000_000;
const began = performance.now();
const factors = smallestFactors(LIMIT);
const tookMs = Math.round(performance.now() - began);

/** In the seed; a clone never runs it again. */
addEventListener('serialize', () => console.log(`factors up to ${LIMIT} in ${tookMs} ms`));

/** In each clone: the place to open what clones must not share. */
let forkedAt = 0;
addEventListener('deserialize', () => {
  forkedAt = Date.now();
});

/** @param {number} number */
function* factorise(number) {
  for (let rest = number; rest > 1;) {
    const factor = factors[rest] ?? rest;
    yield factor;
    rest /= factor;
  }
}

/** @type {ExportedHandler} */
export default {
  fetch(request) {
    const number = Number(new URL(request.url).pathname.slice(1));
    if (!Number.isInteger(number) || number < 1 || number > LIMIT)
      return Response.json({ error: `ask for a number from 1 to ${LIMIT}` }, { status: 400 });
    return Response.json({ number, factors: [...factorise(number)], tookMs, forkedAt, worker: aworker.id });
  },
};

/**
 * The smallest prime factor of every number up to `limit`, by a sieve.
 *
 * @param {number} limit
 */
export function smallestFactors(limit) {
  const factors = new Uint32Array(limit + 1);
  for (let number = 2; number <= limit; number++) {
    if (factors[number] !== 0) continue;
    for (let multiple = number; multiple <= limit; multiple += number) {
      if (factors[multiple] === 0) factors[multiple] = number;
    }
  }
  return factors;
}

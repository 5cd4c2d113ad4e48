import { getSystemErrorMap } from 'node:util';

/** Made once: Node builds the map anew at each call. */
const ERRORS = getSystemErrorMap();

/** Name and short text of a positive errno: `['ENOENT', 'no such file or directory']`. */
export function errnoNames(errno: number): readonly [code: string, text: string] {
  return ERRORS.get(-errno) ?? [`E${errno}`, `errno ${errno}`];
}

import path from 'node:path';

/** A path of the config as the container sees it: absolute, without `.`, `..` and doubled slashes. */
export function containerPath(written: string): string {
  return path.posix.resolve('/', written);
}

import { resolve } from 'node:path';
import type { CliContext } from './context.js';
import { readRegularFile } from './regular-file.js';
import { TurfError } from './turf-error.js';

const LARGEST_FILE = 1024 * 1024;
const STDIN = /^(?:-|\/dev\/(?:stdin|fd\/0)|\/proc\/self\/fd\/0)$/;
/** Names that mean something else to each process: the daemon, which reads the file, would find its own. */
const OF_THE_CALLER = /^\/(?:dev\/(?:fd|stdout|stderr|tty)|proc\/(?:thread-)?self)(?:\/|$)/;

/**
 * The text of a file that a command line names; `-` and `/dev/stdin` are the caller's standard input.
 *
 * @param option for errors, e.g. `--resources`
 * @throws {TurfError} TURF_ERR_USAGE where it cannot be read
 */
export async function readInput(context: CliContext, file: string, option: string): Promise<string> {
  const path = resolve(context.cwd, file);
  if (file === '-' || STDIN.test(path)) return Buffer.from(await context.readStdin()).toString('utf8');
  const refuse = (reason: string, cause?: unknown): TurfError =>
    new TurfError('TURF_ERR_USAGE', `${option}: ${reason}`, { path, cause });
  if (OF_THE_CALLER.test(path))
    throw refuse(`${path} is the caller's own, and the daemon cannot read it; - is standard input`);
  try {
    return (await readRegularFile(path, LARGEST_FILE)).toString('utf8');
  } catch (cause) {
    throw refuse(cause instanceof Error ? cause.message : String(cause), cause);
  }
}

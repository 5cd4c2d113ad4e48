import koffi from 'koffi';
import { kernelError } from './libturf.js';

const F_SETFD = 2;
const STANDARD_STREAMS = [0, 1, 2];

/**
 * Makes this process another program, as execve(2) does: pid, standard streams and environment stay.
 *
 * @param path absolute path of the program
 * @param args its arguments, without its name
 * @throws KernelError; it returns in no other way
 */
export function execProgram(
  path: string,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): never {
  const libc = koffi.load('libc.so.6');
  const fcntl = libc.func('int fcntl(int fd, int command, ...)');
  const execve = libc.func('int execve(const char *path, const char **argv, const char **envp)');
  // Node.js marks even these close-on-exec when it starts.
  for (const fd of STANDARD_STREAMS) fcntl(fd, F_SETFD, 'int', 0);
  const variables = Object.entries(env).map(([name, value = '']) => `${name}=${value}`);
  execve(path, [path, ...args, null], [...variables, null]);
  throw kernelError(`execute ${path}`, koffi.errno());
}

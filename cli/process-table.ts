import { execFile } from 'node:child_process';
import { TurfError } from './turf-error.js';

/** Bytes of output: a machine with very many processes and long command lines. */
const MOST_OUTPUT = 64 << 20;

/**
 * Runs ps(1) of the host and keeps the lines of these processes.
 *
 * @param options as ps takes them; they must make it print a column PID
 * @throws TurfError TURF_ERR_USAGE where ps refuses them or prints no such column, TURF_ERR_UNSUPPORTED without ps
 */
export async function processTable(pids: readonly number[], options: readonly string[]): Promise<string> {
  return selectProcesses(await ps(options), new Set(pids.map(String)));
}

/** The header of a table that ps printed, and the lines whose column PID is one of `pids`. */
export function selectProcesses(text: string, pids: ReadonlySet<string>): string {
  const [header = '', ...lines] = text.split('\n');
  const column = words(header).indexOf('PID');
  if (column < 0) {
    throw new TurfError('TURF_ERR_USAGE', "couldn't find PID field in ps output", { path: 'ps options' });
  }
  const chosen = lines.filter((line) => pids.has(words(line)[column] ?? ''));
  return [header, ...chosen].map((line) => `${line}\n`).join('');
}

const words = (line: string): string[] => line.trim().split(/\s+/);

function ps(options: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile('ps', options, { maxBuffer: MOST_OUTPUT }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else if (error.code === 'ENOENT')
        reject(new TurfError('TURF_ERR_UNSUPPORTED', 'ps: the program is not installed', { cause: error }));
      else {
        const said = stderr.trim() === '' ? error.message : stderr.trim();
        reject(new TurfError('TURF_ERR_USAGE', `ps: ${said}`, { path: 'ps options', cause: error }));
      }
    });
  });
}

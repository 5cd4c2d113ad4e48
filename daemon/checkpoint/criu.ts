import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type CriuOptions } from '../../cli/checkpoint.js';
import { TurfError } from '../../cli/turf-error.js';

/** CRIU runs ip(8) and iptables(8), which Debian keeps in sbin. */
export const CRIU_PATH = [process.env['PATH'] ?? '', '/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin'].join(
  delimiter,
);
/** Lines of the end of a log that an error quotes. */
const QUOTED = 4;

/**
 * The program.
 *
 * @param given absolute; absent: looked for on PATH
 * @throws TurfError TURF_ERR_UNSUPPORTED where it is not there
 */
export function findCriu(given: string | undefined, operation: 'checkpoint' | 'restore'): string {
  const found =
    given ??
    CRIU_PATH.split(delimiter)
      .filter((directory) => directory.startsWith('/'))
      .map((directory) => join(directory, 'criu'))
      .find(existsSync);
  if (found !== undefined && existsSync(found)) return found;
  const missing = found ?? 'criu, which is not on the PATH of the daemon';
  const message = `${operation} needs CRIU: there is no ${missing} (criu.org; Debian: apt-get install criu)`;
  throw new TurfError('TURF_ERR_UNSUPPORTED', message, { operation, path: '--criu' });
}

/** Absolute path of the log that CRIU writes. */
export function logOf({ imagePath, workPath = imagePath }: CriuOptions, name: 'dump' | 'restore'): string {
  return join(workPath, `${name}.log`);
}

/** Makes the directories of a call. @throws TurfError TURF_ERR_USAGE */
export function makeDirectories({ imagePath, workPath = imagePath }: CriuOptions): void {
  for (const [path, option] of [
    [imagePath, '--image-path'],
    [workPath, '--work-path'],
  ] as const) {
    try {
      mkdirSync(path, { recursive: true, mode: 0o700 });
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new TurfError('TURF_ERR_USAGE', `${option}: ${reason}`, { path: option, cause });
    }
  }
}

/** Arguments that both directions have. */
export function commonArguments(
  options: CriuOptions,
  rootfs: string,
  name: 'dump' | 'restore',
): readonly string[] {
  const { imagePath, workPath = imagePath } = options;
  const flags = [
    [options.tcpEstablished, '--tcp-established'],
    [options.tcpClose, '--tcp-close'],
    [options.tcpSkipInFlight, '--skip-in-flight'],
    [options.linkRemap, '--link-remap'],
    [options.externalUnixSockets, '--ext-unix-sk'],
    [options.shellJob, '--shell-job'],
    [options.fileLocks, '--file-locks'],
    [options.autoDedup, '--auto-dedup'],
    [options.lazyPages, '--lazy-pages'],
  ] as const;
  return [
    ...['--images-dir', imagePath, '--work-dir', workPath, '--root', rootfs],
    ...['--log-file', logOf(options, name), '-v4', `--manage-cgroups=${options.manageCgroups ?? 'soft'}`],
    ...flags.flatMap(([asked, flag]) => (asked === true ? [flag] : [])),
    ...(options.networkLock === undefined ? [] : [`--network-lock=${options.networkLock}`]),
    ...(options.emptyNetwork === true ? ['--empty-ns', 'net'] : []),
  ];
}

/** Runs CRIU to its end. @throws TurfError TURF_ERR_CHECKPOINT with the end of its log */
export async function runCriu(program: string, args: readonly string[], log: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    execFile(program, [...args], { env: { PATH: CRIU_PATH }, cwd: '/' }, (error, _stdout, stderr) => {
      if (error === null) resolve();
      else reject(criuFailure(`criu ${args[0] ?? ''}`, log, stderr, error));
    });
  });
}

/**
 * The error of a CRIU that did not succeed.
 *
 * @param otherwise quoted where there is no log
 */
export function criuFailure(step: string, log: string, otherwise = '', cause?: unknown): TurfError {
  const text = existsSync(log) ? readFileSync(log, 'utf8') : otherwise;
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const errors = lines.filter((line) => /\bError\b/.test(line));
  const quoted = (errors.length > 0 ? errors : lines).slice(-QUOTED).map((line) => line.trim());
  const message = `${step} failed: ${quoted.join('; ') || 'it said nothing'} (log: ${log})`;
  return new TurfError('TURF_ERR_CHECKPOINT', message, { operation: step, path: log, cause });
}

import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { CliContext } from './context.js';
import type { Globals } from './globals.js';
import { TurfError, type TurfErrorCode } from './turf-error.js';

/**
 * Tells the caller of an error: a plain message on stderr, and a line in the log file, which is what engines read.
 */
export async function reportError(context: CliContext, globals: Globals, error: unknown): Promise<void> {
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof TurfError ? error.code : 'TURF_ERR_SYSTEM';
  // Usage errors in runc's words name the program themselves.
  const prefix = message.startsWith('turf: ') ? '' : 'turf: ';
  await context.stderr(`${prefix}${message}\n`);
  if (globals.debug) await context.stderr(details(error, code));
  await log(context, globals, 'error', message, code);
}

/** Tells the caller of what does not stop the command: in the log file, or on stderr where there is none, as runc does. */
export async function reportWarning(context: CliContext, globals: Globals, message: string): Promise<void> {
  if (globals.logFile === undefined) await context.stderr(`turf: warning: ${message}\n`);
  else await log(context, globals, 'warning', message);
}

/** Appends a line to the log file, where there is one, with `--debug`. */
export async function logDebug(context: CliContext, globals: Globals, message: string): Promise<void> {
  if (globals.debug) await log(context, globals, 'debug', message);
}

async function log(
  context: CliContext,
  globals: Globals,
  level: 'error' | 'warning' | 'debug',
  message: string,
  code?: TurfErrorCode,
): Promise<void> {
  const { logFile } = globals;
  if (logFile === undefined) return;
  const time = new Date().toISOString();
  const line =
    globals.logFormat === 'json'
      ? JSON.stringify({ level, msg: message, time, ...(code === undefined ? {} : { code }) })
      : `time="${time}" level=${level} msg=${JSON.stringify(message)}`;
  try {
    // Without O_NONBLOCK a FIFO that nobody reads would hold a thread of the daemon. libuv adds O_CLOEXEC.
    const flags =
      constants.O_APPEND | constants.O_CREAT | constants.O_WRONLY | constants.O_NOCTTY | constants.O_NONBLOCK;
    const file = await open(logFile, flags, 0o666 & ~context.umask);
    try {
      await file.appendFile(`${line}\n`);
    } finally {
      await file.close();
    }
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    await context.stderr(`turf: cannot write the log file: ${why}\n`);
  }
}

function details(error: unknown, code: TurfErrorCode): string {
  const lines = [`code: ${code}`];
  if (error instanceof TurfError) {
    if (error.operation !== undefined) lines.push(`operation: ${error.operation}`);
    if (error.path !== undefined) lines.push(`path: ${error.path}`);
  }
  let cause = error instanceof Error ? error.cause : undefined;
  for (let depth = 0; cause instanceof Error && depth < 8; depth++) {
    lines.push(`caused by: ${cause.message}`);
    cause = cause.cause;
  }
  return lines.map((line) => `  ${line}\n`).join('');
}

import { resolve } from 'node:path';
import type { CliContext } from '../context.js';
import { usageError } from '../options.js';
import { readRegularFile } from '../regular-file.js';
import { TurfError } from '../turf-error.js';
import { defineVerb } from '../verb.js';

/** Bodies pass through the daemon's memory. */
const largestBody = 64 * 1024 * 1024;

export const verb = defineVerb({
  name: 'invoke',
  summary: 'send one HTTP request to a worker',
  description:
    'Sends a request to a worker on the address that it listens on, and prints the body of the answer. Exits 0 where\n' +
    'the status is below 400, else 1.',
  arguments: [{ name: 'ID', help: 'the worker' }],
  options: {
    method: { kind: 'string', short: 'X', value: 'M', help: 'method (default: GET, with --data POST)' },
    path: { kind: 'string', short: 'p', value: 'P', help: 'path with query (default: /)' },
    header: { kind: 'list', short: 'H', value: "'K: V'", help: 'request header' },
    data: { kind: 'string', short: 'd', value: 'D', help: 'body; @FILE: from a file; @-: from stdin' },
    include: { kind: 'flag', short: 'i', help: 'print status line and headers too' },
    timeout: { kind: 'number', value: 'SECONDS', help: 'give up after this long (default: 30)' },
  },
  examples: [
    { command: 'invoke w1', does: 'GET /' },
    {
      command: "invoke w1 --path /items --header 'content-type: application/json' --data @item.json",
      does: 'POST a file',
    },
  ],
  async run({ context, options, argument }) {
    const path = options.path ?? '/';
    if (!/^\/[\x21-\x7e]*$/.test(path)) throw usageError('--path must start with / and have no spaces');
    const headers = options.header.map(parseHeader);
    const body = options.data === undefined ? undefined : await readBody(options.data, context);
    const answer = await context.operations.invoke({
      id: argument(0),
      method: (options.method ?? (body === undefined ? 'GET' : 'POST')).toUpperCase(),
      path,
      headers,
      ...(body === undefined ? {} : { body }),
      ...(options.timeout === undefined
        ? {}
        : { timeoutMs: Math.max(1, Math.round(options.timeout * 1000)) }),
    });
    if (options.include) {
      const lines = answer.headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
      await context.stdout(`HTTP/1.1 ${answer.status} ${answer.statusText}\r\n${lines}\r\n`);
    }
    await context.stdout(answer.body);
    return answer.status < 400 ? 0 : 1;
  },
});

function parseHeader(text: string): [string, string] {
  const match = /^([!#$%&'*+.^_`|~\w-]+):[ \t]*([^\r\n\0]*)$/.exec(text);
  if (match === null) throw usageError(`--header ${JSON.stringify(text)}: not of the form 'NAME: VALUE'`);
  return [match[1] ?? '', (match[2] ?? '').trimEnd()];
}

async function readBody(data: string, context: CliContext): Promise<Uint8Array> {
  if (data === '@-') return context.readStdin();
  if (!data.startsWith('@')) return Buffer.from(data, 'utf8');
  const path = resolve(context.cwd, data.slice(1));
  try {
    return await readRegularFile(path, largestBody);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new TurfError('TURF_ERR_USAGE', `cannot read ${path}: ${why}`, { path, cause });
  }
}

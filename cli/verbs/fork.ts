import { resolve } from 'node:path';
import { timeOption } from '../time-option.js';
import { forkRequestSchema } from '../api/seed.js';
import type { ForkOptions, ForkResult } from '../operations.js';
import { usageError } from '../options.js';
import { table } from '../table.js';
import { defineVerb } from '../verb.js';

export const verb = defineVerb({
  name: 'fork',
  summary: 'fork a worker from a seed and start it',
  description:
    'Clones a seed into a new worker with its own namespaces, root, cgroup and identity, and prints the address that\n' +
    'it listens on.',
  arguments: [
    { name: 'SEED', help: 'the seed' },
    { name: 'ID', help: 'name of the new worker; with --count the names are ID-1, ID-2 and so on' },
  ],
  options: {
    bundle: { kind: 'string', short: 'b', value: 'DIR', help: "the worker's bundle (default: the seed's)" },
    code: { kind: 'string', value: 'DIR', help: 'directory that the worker sees as /code' },
    env: { kind: 'list', short: 'e', value: 'K=V', help: 'environment variable of the worker' },
    listen: {
      kind: 'string',
      short: 'l',
      value: 'ADDR',
      help: 'unix:PATH or tcp:HOST:PORT, port 0: any (default: a socket in the state directory)',
    },
    memory: { kind: 'size', short: 'm', value: 'N', help: 'memory limit in bytes, or with k, m, g' },
    cpus: { kind: 'number', value: 'N', help: 'CPU limit, e.g. 0.5' },
    network: {
      kind: 'string',
      value: 'NET',
      choices: ['none', 'host'],
      help: 'none: an empty network namespace; host: where the seed allows it (default: none)',
    },
    count: { kind: 'integer', short: 'n', value: 'N', help: 'fork so many: all of them, or none' },
    'on-exit': {
      kind: 'string',
      value: 'WHAT',
      choices: ['delete', 'keep', 'restart'],
      help: 'what becomes of a worker that has ended: delete, keep, or restart: another in its place (default: keep)',
    },
    ttl: { kind: 'string', value: 'TIME', help: 'end the worker after that time, e.g. 10m' },
    'max-requests': { kind: 'integer', value: 'N', help: 'the worker ends when it has answered N requests' },
    disposable: { kind: 'flag', help: 'as --max-requests 1' },
    idle: {
      kind: 'string',
      value: 'TIME',
      help: 'fork at the first connection, end the worker after that time without a request, and so on, e.g. 30s',
    },
    'when-unready': {
      kind: 'string',
      value: 'WHAT',
      choices: ['wait', 'fail', 'cold'],
      help: 'while the seed is not parked: wait, fail, or start a fresh process cold (default: fail)',
    },
    hold: { kind: 'flag', help: 'leave the worker parked until start' },
    cold: { kind: 'flag', help: "start a fresh process with the seed's code; the seed need not be ready" },
    format: {
      kind: 'string',
      short: 'f',
      value: 'FORMAT',
      choices: ['address', 'table', 'json'],
      help: 'address, table or json (default: address)',
    },
  },
  examples: [
    { command: 'fork seed1 w1', does: 'a worker, listening on a Unix socket' },
    {
      command: 'fork seed1 job --count 10 --disposable --on-exit delete',
      does: 'ten workers for one request each',
    },
    {
      command: 'fork seed1 shop --listen tcp:127.0.0.1:8080 --idle 30s',
      does: 'a worker that runs only while somebody asks',
    },
    {
      command: 'fork seed1 w2 --listen tcp:127.0.0.1:0 --memory 64m --cpus 0.5 --env MODE=test',
      does: 'a limited worker on a free TCP port',
    },
  ],
  async run({ context, options, argument }) {
    const path = (given: string) => resolve(context.cwd, given);
    const maxRequests = options.disposable ? 1 : options['max-requests'];
    const onExit = options['on-exit'];
    const request: ForkOptions = {
      seed: argument(0),
      id: argument(1),
      ...(options.bundle === undefined ? {} : { bundle: path(options.bundle) }),
      ...(options.code === undefined ? {} : { code: path(options.code) }),
      ...(options.env.length > 0 ? { env: environment(options.env, context.env) } : {}),
      ...(options.listen === undefined ? {} : { listen: listenAddress(options.listen, context.cwd) }),
      ...(options.memory === undefined ? {} : { memory: options.memory }),
      ...(options.cpus === undefined ? {} : { cpus: options.cpus }),
      ...(options.network === undefined ? {} : { network: options.network === 'host' ? 'host' : 'none' }),
      ...(options['when-unready'] === undefined ? {} : { whenUnready: unready(options['when-unready']) }),
      ...(options.hold ? { hold: true } : {}),
      ...(options.cold ? { cold: true } : {}),
      ...(onExit === 'delete' || onExit === 'keep' || onExit === 'restart' ? { onExit } : {}),
      ...(options.ttl === undefined ? {} : { ttlMs: Math.max(1, timeOption('ttl', options.ttl)) }),
      ...(maxRequests === undefined ? {} : { maxRequests }),
      ...(options.idle === undefined ? {} : { idleMs: Math.max(1, timeOption('idle', options.idle)) }),
    };
    checkBounds(request, options.count);
    const results =
      options.count === undefined
        ? [await context.operations.fork(request)]
        : await context.operations.forkMany(request, options.count);
    await context.stdout(formatResults(results, options.format, options.count !== undefined));
    return 0;
  },
});

function environment(
  pairs: readonly string[],
  callers: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const env = new Map<string, string>();
  for (const pair of pairs) {
    const split = pair.indexOf('=');
    const name = split < 0 ? pair : pair.slice(0, split);
    const value = split < 0 ? callers[name] : pair.slice(split + 1);
    if (name === '' || value === undefined) throw usageError(`--env ${pair}: not of the form NAME=VALUE`);
    env.set(name, value);
  }
  return Object.fromEntries(env);
}

/** Fields of a request and the flags that set them. */
const BOUNDED: Readonly<Record<string, string>> = {
  count: 'count',
  memory: 'memory',
  cpus: 'cpus',
  maxRequests: 'max-requests',
  ttlMs: 'ttl',
  idleMs: 'idle',
};

/** The bounds of the API are those of the command line. */
function checkBounds(request: ForkOptions, count: number | undefined): void {
  const result = forkRequestSchema.safeParse({ ...request, ...(count === undefined ? {} : { count }) });
  for (const { path, message } of result.error?.issues ?? []) {
    const flag = BOUNDED[String(path[0])];
    if (flag !== undefined) throw usageError(`invalid value for flag -${flag}: ${message}`);
  }
}

function unready(text: string): 'wait' | 'fail' | 'cold' {
  return text === 'wait' || text === 'cold' ? text : 'fail';
}

function listenAddress(text: string, cwd: string): string {
  const path = /^unix:(.+)$/s.exec(text)?.[1];
  return path === undefined ? text : `unix:${resolve(cwd, path)}`;
}

/** @param many as a JSON array, however many there are */
function formatResults(results: readonly ForkResult[], format: string | undefined, many: boolean): string {
  if (format === 'json') return `${JSON.stringify(many ? results : results[0])}\n`;
  if (format !== 'table') return results.map(({ listen }) => `${listen}\n`).join('');
  const rows = results.map(({ id, pid, listen, forkMs }) => [id, String(pid), listen, forkMs.toFixed(2)]);
  return table(['ID', 'PID', 'LISTEN', 'FORK MS'], rows);
}

import { resolve } from 'node:path';
import type { ForkResult } from '../operations.js';
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
    { name: 'ID', help: 'name of the new worker' },
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
      command: 'fork seed1 w2 --listen tcp:127.0.0.1:0 --memory 64m --cpus 0.5 --env MODE=test',
      does: 'a limited worker on a free TCP port',
    },
  ],
  async run({ context, options, argument }) {
    const path = (given: string) => resolve(context.cwd, given);
    const result = await context.operations.fork({
      seed: argument(0),
      id: argument(1),
      ...(options.bundle === undefined ? {} : { bundle: path(options.bundle) }),
      ...(options.code === undefined ? {} : { code: path(options.code) }),
      ...(options.env.length > 0 ? { env: environment(options.env, context.env) } : {}),
      ...(options.listen === undefined ? {} : { listen: listenAddress(options.listen, context.cwd) }),
      ...(options.memory === undefined ? {} : { memory: options.memory }),
      ...(options.cpus === undefined ? {} : { cpus: options.cpus }),
      ...(options.network === undefined ? {} : { network: options.network === 'host' ? 'host' : 'none' }),
      ...(options.hold ? { hold: true } : {}),
      ...(options.cold ? { cold: true } : {}),
    });
    await context.stdout(formatResult(result, options.format));
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

function listenAddress(text: string, cwd: string): string {
  const path = /^unix:(.+)$/s.exec(text)?.[1];
  return path === undefined ? text : `unix:${resolve(cwd, path)}`;
}

function formatResult(result: ForkResult, format: string | undefined): string {
  if (format === 'json') return `${JSON.stringify(result)}\n`;
  if (format !== 'table') return `${result.listen}\n`;
  const row = [result.id, String(result.pid), result.listen, result.forkMs.toFixed(2)];
  return table(['ID', 'PID', 'LISTEN', 'FORK MS'], [row]);
}

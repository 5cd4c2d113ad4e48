import { ConfigError } from '../../oci-spec/config-error.js';
import type { OciResources } from '../../oci-spec/config.js';
import { parseResources, validateResources } from '../../oci-spec/parse.js';
import type { CliContext } from '../context.js';
import { readInput } from '../input-file.js';
import { type OptionTable, type ParsedOptions, parseSize, usageError } from '../options.js';
import { TurfError } from '../turf-error.js';
import { defineVerb } from '../verb.js';

const table = {
  resources: {
    kind: 'string',
    short: 'r',
    value: 'FILE',
    help: 'JSON with the members of linux.resources to change, - for standard input; other options are then ignored',
  },
  'blkio-weight': { kind: 'string', value: 'N', help: 'block I/O weight, 10 to 1000' },
  'cpu-period': { kind: 'string', value: 'N', help: 'period of the CPU limit in microseconds' },
  'cpu-quota': { kind: 'string', value: 'N', help: 'CPU time in each period in microseconds; -1: no limit' },
  'cpu-burst': { kind: 'string', value: 'N', help: 'CPU time saved up for a burst in microseconds' },
  'cpu-share': { kind: 'string', value: 'N', help: 'CPU weight, 2 to 262144; 1 counts as 2' },
  'cpu-rt-period': { kind: 'string', value: 'N', help: 'period of the realtime budget in microseconds' },
  'cpu-rt-runtime': { kind: 'string', value: 'N', help: 'realtime budget in each period in microseconds' },
  'cpu-idle': {
    kind: 'string',
    value: 'N',
    help: '1: run only when nothing else does (SCHED_IDLE); 0: as usual',
  },
  'cpuset-cpus': { kind: 'string', value: 'LIST', help: 'CPUs to use, such as 0-3,7' },
  'cpuset-mems': { kind: 'string', value: 'LIST', help: 'memory nodes to use' },
  memory: {
    kind: 'string',
    short: 'm',
    value: 'N',
    help: 'memory limit in bytes, or with k, m, g; -1: no limit',
  },
  'memory-reservation': { kind: 'string', value: 'N', help: 'soft memory limit; -1: none' },
  'memory-swap': { kind: 'string', value: 'N', help: 'limit of memory and swap together; -1: no limit' },
  'kernel-memory': {
    kind: 'string',
    value: 'N',
    help: 'accepted for compatibility: no kernel has it any more',
  },
  'kernel-memory-tcp': { kind: 'string', value: 'N', help: 'limit of TCP buffers (cgroup v1)' },
  'pids-limit': { kind: 'string', value: 'N', help: 'number of tasks; -1: no limit' },
  'l3-cache-schema': { kind: 'string', value: 'LINE', help: 'Intel RDT: schemata line of the L3 cache' },
  'mem-bw-schema': { kind: 'string', value: 'LINE', help: 'Intel RDT: schemata line of memory bandwidth' },
} as const satisfies OptionTable;

type Options = ParsedOptions<typeof table>;
type Numeric = Exclude<keyof Options, 'resources' | 'cpuset-cpus' | 'cpuset-mems' | `${string}-schema`>;

export const verb = defineVerb({
  name: 'update',
  summary: 'change the limits of a container',
  description:
    'Changes limits of a container that has not ended. What is not given stays as it is. Either everything is changed or,\n' +
    'where one limit is refused, nothing. Device rules stay as they are.',
  arguments: [{ name: 'ID', help: 'the container' }],
  options: table,
  examples: [
    { command: 'update --memory 256m --pids-limit 100 hello', does: 'change two limits of hello' },
    { command: 'update --resources - hello', does: 'change what the JSON on standard input says' },
  ],
  async run({ context, options, argument }) {
    const resources =
      options.resources === undefined || options.resources === ''
        ? fromFlags(options)
        : await fromFile(context, options.resources);
    await context.operations.update(argument(0), {
      resources,
      ...(options['l3-cache-schema'] ? { l3CacheSchema: options['l3-cache-schema'] } : {}),
      ...(options['mem-bw-schema'] ? { memBwSchema: options['mem-bw-schema'] } : {}),
    });
    return 0;
  },
});

async function fromFile(context: CliContext, file: string): Promise<OciResources> {
  const text = await readInput(context, file, '--resources');
  return checked(() => parseResources(text), file === '-' ? 'standard input' : file);
}

function checked(step: () => OciResources, file?: string): OciResources {
  try {
    return step();
  } catch (cause) {
    if (!(cause instanceof ConfigError)) throw cause;
    const [first] = cause.issues;
    const where = file !== undefined && first?.path === '' ? `${file}: ` : '';
    throw new TurfError(cause.code, where + cause.message, {
      ...(first === undefined || first.path === '' ? {} : { path: first.path }),
      cause,
    });
  }
}

function fromFlags(options: Options): OciResources {
  const whole = (name: Numeric, signed = false): bigint | undefined => {
    const text = options[name];
    if (text === undefined || text === '') return undefined;
    if (!(signed ? /^-?\d{1,19}$/ : /^\d{1,20}$/).test(text)) invalid(name, text, 'must be a whole number');
    return BigInt(text);
  };
  const size = (name: Numeric): bigint | undefined => {
    const text = options[name];
    if (text === undefined || text === '') return undefined;
    if (text === '-1') return -1n;
    const bytes = parseSize(text);
    return bytes === undefined
      ? invalid(name, text, 'must be a size such as 64m, 1.5g or plain bytes, or -1')
      : BigInt(bytes);
  };
  const document = {
    memory: {
      limit: size('memory'),
      reservation: size('memory-reservation'),
      swap: size('memory-swap'),
      kernel: size('kernel-memory'),
      kernelTCP: size('kernel-memory-tcp'),
    },
    cpu: {
      shares: whole('cpu-share'),
      quota: whole('cpu-quota', true),
      period: whole('cpu-period'),
      burst: whole('cpu-burst'),
      realtimeRuntime: whole('cpu-rt-runtime', true),
      realtimePeriod: whole('cpu-rt-period'),
      idle: whole('cpu-idle', true),
      cpus: options['cpuset-cpus'] || undefined,
      mems: options['cpuset-mems'] || undefined,
    },
    pids: { limit: whole('pids-limit', true) },
    blockIO: { weight: whole('blkio-weight') },
  };
  return checked(() => validateResources(withoutAbsent(document)));
}

function invalid(name: string, text: string, why: string): never {
  throw usageError(`invalid value for ${name}: ${JSON.stringify(text)} ${why}`);
}

/** Small integers as numbers, as a parser would give them; what was not asked for goes, and groups that are then empty. */
function withoutAbsent(document: Readonly<Record<string, Readonly<Record<string, unknown>>>>): unknown {
  const groups = Object.entries(document).map(([group, members]) => {
    const asked = Object.entries(members).filter(([, value]) => value !== undefined);
    return [group, Object.fromEntries(asked.map(([name, value]) => [name, narrowed(value)]))] as const;
  });
  return Object.fromEntries(groups.filter(([, members]) => Object.keys(members).length > 0));
}

function narrowed(value: unknown): unknown {
  return typeof value === 'bigint' && Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

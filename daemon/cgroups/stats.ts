import { join } from 'node:path';
import { tryReadControl } from './control-file.js';

/** What a container uses. A value is absent where the kernel or the hierarchy does not tell. */
export interface CgroupStats {
  readonly memory: {
    /** Bytes. */
    readonly usage?: number;
    readonly peak?: number;
    /** Bytes; absent: no limit. */
    readonly limit?: number;
  };
  readonly cpu: {
    /** Nanoseconds. */
    readonly usage?: number;
    readonly throttled?: number;
  };
  readonly pids: { readonly current?: number; readonly limit?: number };
}

/** v1's "no limit" is the largest page-aligned long. */
const V1_UNLIMITED = 2 ** 62;

type Read = (file: string) => string | undefined;

function number(text: string | undefined): number | undefined {
  const value = text === undefined || text === '' ? NaN : Number(text);
  return Number.isFinite(value) && value < V1_UNLIMITED ? value : undefined;
}

/** The value of `key` in a file of `key value` lines. */
export function flatKeyed(text: string | undefined, key: string): number | undefined {
  const line = text?.split('\n').find((candidate) => candidate.startsWith(`${key} `));
  return line === undefined ? undefined : number(line.slice(key.length + 1));
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function present<T extends Record<string, number | undefined>>(values: T): Defined<T> {
  const result: Defined<T> = {};
  for (const key in values) {
    const value = values[key];
    if (value !== undefined) Object.assign(result, { [key]: value });
  }
  return result;
}

const thousand = (value: number | undefined): number | undefined =>
  value === undefined ? undefined : value * 1000;

/** @param directory of a v2 cgroup */
export function v2Stats(directory: string): CgroupStats {
  const read: Read = (file) => tryReadControl(join(directory, file));
  const cpu = read('cpu.stat');
  return {
    memory: present({
      usage: number(read('memory.current')),
      peak: number(read('memory.peak')),
      limit: number(read('memory.max')),
    }),
    cpu: present({
      usage: thousand(flatKeyed(cpu, 'usage_usec')),
      throttled: thousand(flatKeyed(cpu, 'throttled_usec')),
    }),
    pids: present({ current: number(read('pids.current')), limit: number(read('pids.max')) }),
  };
}

/** @param directoryOf the cgroup's directory in the v1 hierarchy of a controller */
export function v1Stats(directoryOf: (controller: string) => string | undefined): CgroupStats {
  const read = (controller: string, file: string): string | undefined => {
    const directory = directoryOf(controller);
    return directory === undefined ? undefined : tryReadControl(join(directory, file));
  };
  return {
    memory: present({
      usage: number(read('memory', 'memory.usage_in_bytes')),
      peak: number(read('memory', 'memory.max_usage_in_bytes')),
      limit: number(read('memory', 'memory.limit_in_bytes')),
    }),
    cpu: present({
      usage: number(read('cpuacct', 'cpuacct.usage')),
      throttled: flatKeyed(read('cpu', 'cpu.stat'), 'throttled_time'),
    }),
    pids: present({ current: number(read('pids', 'pids.current')), limit: number(read('pids', 'pids.max')) }),
  };
}

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject, JsonValue } from '../../oci-spec/json.js';
import { tryReadControl } from './control-file.js';

/** A control file's content by its name; undefined where it cannot be read. */
export interface Reader {
  (file: string): string | undefined;
  /** Names of the files that there are. */
  names(): readonly string[];
}

/** @param directory undefined: there is nothing to read */
export function reader(directory: string | undefined): Reader {
  const read = (file: string): string | undefined =>
    directory === undefined ? undefined : tryReadControl(join(directory, file));
  const names = (): readonly string[] => {
    try {
      return directory === undefined ? [] : readdirSync(directory);
    } catch {
      return [];
    }
  };
  return Object.assign(read, { names });
}

/** A number of any size; 0n where the text is none. */
export const count = (text: string | undefined): bigint =>
  text !== undefined && /^-?\d+$/.test(text) ? BigInt(text) : 0n;

/** As Go's `omitempty`: members that are zero or empty are left out. */
export function omitEmpty(members: Readonly<Record<string, JsonValue | undefined>>): JsonObject {
  const kept: JsonObject = {};
  for (const [name, value] of Object.entries(members)) {
    const empty =
      value === undefined ||
      value === 0n ||
      value === 0 ||
      value === '' ||
      (Array.isArray(value) && value.length === 0);
    if (!empty) kept[name] = value;
  }
  return kept;
}

/** Lines of `key number`. */
export function keyed(text: string | undefined): Map<string, bigint> {
  const values = new Map<string, bigint>();
  for (const line of text?.split('\n') ?? []) {
    const [key = '', value] = line.split(/\s+/);
    if (key !== '' && value !== undefined && /^\d+$/.test(value)) values.set(key, BigInt(value));
  }
  return values;
}

/** Members by name, as Go writes a map. */
export const sorted = (values: ReadonlyMap<string, bigint>): JsonObject =>
  Object.fromEntries([...values].sort(([a], [b]) => (a < b ? -1 : 1)));

/** A list such as `0-2,7`, written out. */
export function numbers(list: string | undefined): number[] {
  if (list === undefined || list === '') return [];
  return list.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);
  });
}

export const memoryEntry = (limit: bigint, usage = 0n, max = 0n, failcnt = 0n): JsonObject => ({
  limit,
  ...omitEmpty({ usage, max }),
  failcnt,
});

/** Huge pages as cgroup v2 counts them, by page size; reservations where the kernel counts those. */
export function hugetlbUsage(read: Reader): JsonObject {
  const usage: JsonObject = {};
  for (const name of read.names()) {
    const size = /^hugetlb\.([0-9]+[KMG]B)\.current$/.exec(name)?.[1];
    if (size === undefined) continue;
    const reserved = read(`hugetlb.${size}.rsvd.current`);
    const used = count(reserved ?? read(name));
    usage[size] = {
      ...omitEmpty({ usage: used }),
      failcnt: keyed(read(`hugetlb.${size}.events`)).get('max') ?? 0n,
    };
  }
  return usage;
}

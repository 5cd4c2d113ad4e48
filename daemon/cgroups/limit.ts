import { TurfError } from '../../cli/turf-error.js';

/** One thing to write into a cgroup, derived from a field of `linux.resources`. */
export interface Limit {
  /** The field at fault if it cannot be written. */
  readonly field: string;
  readonly controller: string;
  /** File names; the first that exists is written. */
  readonly files: readonly [string, ...string[]];
  readonly value: string;
  /** What the value is for a fallback file, where it differs. */
  readonly fallbackValue?: string;
  /** A missing file is no error: the kernel lacks what the value would switch off or refine. */
  readonly optional?: boolean;
}

export type Amount = number | bigint;

/** Collects limits; `undefined` and (unless told) 0 mean that the field asks for nothing. */
export class LimitList {
  readonly limits: Limit[] = [];

  add(
    field: string,
    controller: string,
    file: string | readonly [string, ...string[]],
    value: Amount | string | undefined,
    extra: Pick<Limit, 'fallbackValue' | 'optional'> = {},
  ): void {
    if (value === undefined) return;
    const files: readonly [string, ...string[]] = typeof file === 'string' ? [file] : file;
    this.limits.push({
      field: `linux.resources.${field}`,
      controller,
      files,
      value: String(value),
      ...extra,
    });
  }

  /** As add, where 0 means "not set" (runtime-spec fields that Go writes as a plain number). */
  addUnlessZero(field: string, controller: string, file: string, value: Amount | undefined): void {
    if (value !== undefined && BigInt(value) !== 0n) this.add(field, controller, file, value);
  }
}

/** Refuses a field that this kind of cgroup cannot do. @throws TurfError TURF_ERR_CGROUP */
export function refuseField(field: string, why: string): never {
  const path = `linux.resources.${field}`;
  throw new TurfError('TURF_ERR_CGROUP', `${path}: ${why}`, { path });
}

/** @throws TurfError TURF_ERR_CONFIG for a page size that is not as in `2MB`: it becomes part of a file name */
export function hugepageSize(pageSize: string, index: number): string {
  const path = `linux.resources.hugepageLimits[${index}].pageSize`;
  if (/^[1-9][0-9]*[KMG]B$/.test(pageSize)) return pageSize;
  throw new TurfError(
    'TURF_ERR_CONFIG',
    `${path}: ${JSON.stringify(pageSize)} is not a size like 2MB or 1GB`,
    {
      path,
    },
  );
}

/** runc: 0 and -1 both mean no limit. */
export const pidsLimit = (limit: Amount): string => (BigInt(limit) > 0n ? String(limit) : 'max');

import { readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type UpdateOptions } from '../../cli/operations.js';
import { TurfError } from '../../cli/turf-error.js';
import { type OciIntelRdt } from '../../oci-spec/config.js';
import { classOfService, enterIntelRdt, type RdtFacts } from './intel-rdt.js';
import { UndoStack } from './undo.js';

type Schemata = Pick<UpdateOptions, 'l3CacheSchema' | 'memBwSchema'>;

export interface RdtUpdate {
  /** What was made for the container; absent: nothing new. */
  readonly facts?: RdtFacts;
  /** Takes the changes back. */
  readonly undo: () => Promise<void>;
}

/**
 * Changes what a container's class of service has of cache and memory bandwidth. A container without one gets one of its own, as with runc.
 *
 * @param rdt linux.intelRdt of its config
 * @param root where resctrl is mounted
 * @param removeDirectory rmdir(2) on resctrl
 * @throws TurfError TURF_ERR_UNSUPPORTED where resctrl is not mounted, TURF_ERR_CONFIG where the kernel refuses a line
 */
export function updateIntelRdt(
  root: () => string,
  rdt: OciIntelRdt | undefined,
  { id, pid }: { readonly id: string; readonly pid: number },
  schemata: Schemata,
  removeDirectory: (path: string) => void = rmdirSync,
): RdtUpdate {
  const asked = (
    [
      ['--l3-cache-schema', schemata.l3CacheSchema],
      ['--mem-bw-schema', schemata.memBwSchema],
    ] as const
  ).flatMap(([flag, line]) => (line === undefined ? [] : [{ flag, line }]));
  const [first] = asked;
  if (first === undefined) return { undo: () => Promise.resolve() };
  const at = mounted(root, first.flag);
  if (rdt === undefined) {
    const undo = new UndoStack();
    const { l3CacheSchema, memBwSchema } = schemata;
    const wanted = {
      ...(l3CacheSchema === undefined ? {} : { l3CacheSchema }),
      ...(memBwSchema === undefined ? {} : { memBwSchema }),
    };
    const facts = enterIntelRdt(at, wanted, id, pid, undo, removeDirectory);
    return { facts, undo: () => undone(undo) };
  }
  const file = join(classOfService(at, rdt, id), 'schemata');
  const before = readFileSync(file, 'utf8');
  const restore = (): void => {
    writeFileSync(file, before);
  };
  for (const { flag, line } of asked) {
    try {
      writeFileSync(file, `${line}\n`);
    } catch (cause) {
      restore();
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new TurfError('TURF_ERR_CONFIG', `${flag}: ${reason}`, { path: flag, cause });
    }
  }
  return {
    undo() {
      restore();
      return Promise.resolve();
    },
  };
}

/** @throws Error of the first step that failed */
async function undone(undo: UndoStack): Promise<void> {
  const [first] = await undo.unwind();
  if (first !== undefined) throw first;
}

function mounted(root: () => string, flag: string): string {
  try {
    return root();
  } catch (cause) {
    const message = `${flag}: needs Intel RDT: no resctrl file system is mounted on this machine`;
    throw new TurfError('TURF_ERR_UNSUPPORTED', message, { path: flag, cause });
  }
}

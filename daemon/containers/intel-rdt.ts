import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TurfError } from '../../cli/turf-error.js';
import { type OciIntelRdt } from '../../oci-spec/config.js';
import { type UndoStack } from './undo.js';

/** What was made in the resctrl file system for a container, to be removed with it: absolute paths. */
export interface RdtFacts {
  /** The control group, where it was made for this container alone. */
  readonly group?: string | undefined;
  readonly monitor?: string | undefined;
}

const FIELD = 'linux.intelRdt';

/**
 * Where the resctrl file system is mounted.
 *
 * @param mountinfo as /proc/self/mountinfo has it (proc(5))
 * @throws TurfError TURF_ERR_UNSUPPORTED where it is not
 */
export function resctrlRoot(mountinfo: string = readFileSync('/proc/self/mountinfo', 'utf8')): string {
  for (const line of mountinfo.split('\n')) {
    const [place = '', filesystem = ''] = line.split(' - ', 2);
    const at = place.split(' ')[4];
    if (filesystem.startsWith('resctrl ') && at !== undefined) return at;
  }
  throw new TurfError('TURF_ERR_UNSUPPORTED', `${FIELD}: needs a mounted resctrl file system`, {
    path: FIELD,
  });
}

/** The directory of a container's class of service: `closID`, or one that is named after the container. */
export function classOfService(root: string, { closID }: OciIntelRdt, id: string): string {
  if (closID === '/') return root;
  return join(root, closID === undefined || closID === '' ? id : closID);
}

/**
 * Puts a container's first process into its class of service (runtime-spec, config-linux.md "IntelRdt").
 *
 * @param root where resctrl is mounted
 * @param removeDirectory takes a group away; rmdir(2) on resctrl
 * @throws TurfError with the field at fault
 */
export function enterIntelRdt(
  root: string,
  rdt: OciIntelRdt,
  id: string,
  pid: number,
  undo: UndoStack,
  removeDirectory: (path: string) => void = rmdirSync,
): RdtFacts {
  const own = (rdt.closID ?? '') === '';
  const group = classOfService(root, rdt, id);
  const limits = [rdt.l3CacheSchema ?? '', rdt.memBwSchema ?? ''].filter((line) => line !== '');
  const lines = rdt.schemata ?? [];

  const exists = existsSync(group);
  if (exists) {
    if (own) throw failure('closID', `${group} exists already`);
    compare(group, rdt);
  } else {
    if (!own && limits.length === 0 && lines.length === 0) throw failure('closID', `there is no ${group}`);
    attempt('closID', () => {
      mkdirSync(group);
    });
    undo.push('resctrl group', () => {
      removeDirectory(group);
    });
  }
  // What a group that was there before has is as the config says: it was compared.
  const written = exists ? lines : [...limits, ...lines];
  if (written.length > 0) {
    attempt(lines.length > 0 ? 'schemata' : 'l3CacheSchema', () => {
      writeFileSync(join(group, 'schemata'), `${written.join('\n')}\n`);
    });
  }
  attempt('closID', () => {
    writeFileSync(join(group, 'tasks'), String(pid));
  });
  const monitor = wantsMonitoring(rdt) ? join(group, 'mon_groups', id) : undefined;
  if (monitor !== undefined) {
    attempt('enableMonitoring', () => {
      mkdirSync(monitor);
    });
    undo.push('resctrl monitoring group', () => {
      removeDirectory(monitor);
    });
    attempt('enableMonitoring', () => {
      writeFileSync(join(monitor, 'tasks'), String(pid));
    });
  }
  return { ...(own ? { group } : {}), ...(monitor === undefined ? {} : { monitor }) };
}

/** Removes what enterIntelRdt made; what has gone already is fine. */
export function leaveIntelRdt(
  { group, monitor }: RdtFacts,
  removeDirectory: (path: string) => void = rmdirSync,
): void {
  for (const path of [monitor, group]) {
    if (path !== undefined && existsSync(path)) removeDirectory(path);
  }
}

/** The two older names of runtime-spec 1.1 and 1.2 asked for the same. */
function wantsMonitoring(rdt: OciIntelRdt): boolean {
  return rdt.enableMonitoring === true || rdt.enableCMT === true || rdt.enableMBM === true;
}

function compare(group: string, rdt: OciIntelRdt): void {
  const present = parseSchemata(readIfThere(join(group, 'schemata')));
  for (const name of ['l3CacheSchema', 'memBwSchema'] as const) {
    for (const [resource, domains] of parseSchemata(rdt[name] ?? '')) {
      for (const [domain, value] of domains) {
        if (present.get(resource)?.get(domain) === value) continue;
        throw failure(name, `${group} has other values than ${JSON.stringify(rdt[name])}`);
      }
    }
  }
}

/** `L3:0=7f0;1=1f` to its numbers' digits without leading zeros, by resource and domain. */
function parseSchemata(text: string): Map<string, Map<string, string>> {
  const resources = new Map<string, Map<string, string>>();
  for (const line of text.split('\n')) {
    const [resource = '', list] = line.trim().split(':', 2);
    if (list === undefined) continue;
    const domains = list.split(';').map((entry): [string, string] => {
      const [domain = '', value = ''] = entry.split('=', 2);
      return [
        domain.trim(),
        value
          .trim()
          .toLowerCase()
          .replace(/^0+(?=.)/, ''),
      ];
    });
    resources.set(resource, new Map(domains));
  }
  return resources;
}

function readIfThere(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

function attempt(name: string, step: () => void): void {
  try {
    step();
  } catch (cause) {
    throw failure(name, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function failure(name: string, reason: string, cause?: unknown): TurfError {
  const path = `${FIELD}.${name}`;
  return new TurfError('TURF_ERR_CONFIG', `${path}: ${reason}`, { path, cause });
}

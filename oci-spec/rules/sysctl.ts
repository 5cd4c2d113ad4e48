import type { OciConfig } from '../config.js';
import { type Report, show } from '../config-error.js';
import type { NamespaceType } from '../namespaces.js';
import { sysctlPath } from '../sysctl-name.js';
import type { HasNamespace } from './namespaces.js';

/** Every sysctl that has a value per namespace (ipc_namespaces(7), network_namespaces(7), uts_namespaces(7)). */
const NAMESPACED: readonly (readonly [pattern: RegExp, type: NamespaceType])[] = [
  [/^kernel\/(msgmax|msgmnb|msgmni|sem|shmall|shmmax|shmmni|shm_rmid_forced)$/, 'ipc'],
  [/^fs\/mqueue\/[^/]+$/, 'ipc'],
  [/^net\//, 'network'],
  [/^kernel\/domainname$/, 'uts'],
];

/** A sysctl that belongs to no namespace of the container would change the host: runc and crun refuse it too. */
export function checkSysctl(config: OciConfig, has: HasNamespace, report: Report): void {
  const seen = new Map<string, string>();
  for (const [name, value] of Object.entries(config.linux?.sysctl ?? {})) {
    const path = `linux.sysctl[${JSON.stringify(name)}]`;
    const file = sysctlPath(name);
    if (file === undefined) {
      report(path, 'is not the name of a sysctl');
      continue;
    }
    const twin = seen.get(file);
    if (twin !== undefined) report(path, `is the same sysctl as ${show(twin)}`);
    seen.set(file, name);
    if (value.includes('\n')) report(path, 'must be one line');
    if (file === 'kernel/hostname') report(path, 'cannot be set here; use hostname');
    else if (file === 'kernel/domainname' && (config.domainname ?? '') !== '')
      report(path, 'conflicts with domainname');
    else checkNamespace(file, path, has, report);
  }
}

function checkNamespace(file: string, path: string, has: HasNamespace, report: Report): void {
  const type = NAMESPACED.find(([pattern]) => pattern.test(file))?.[1];
  if (type === undefined) report(path, 'belongs to no namespace: it would change the host');
  else if (!has(type))
    report(path, `needs ${type === 'ipc' ? 'an' : 'a'} ${type} namespace in linux.namespaces`);
}

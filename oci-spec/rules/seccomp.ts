import type { OciSeccomp } from '../config.js';
import type { Report } from '../config-error.js';
import type { SeccompAction } from '../seccomp-names.js';

/** MAX_ERRNO of linux/err.h; a tracer gets 16 bits (SECCOMP_RET_DATA). */
const MAX_RETURN: Partial<Record<SeccompAction, number>> = { SCMP_ACT_ERRNO: 4095, SCMP_ACT_TRACE: 65_535 };

/** runtime-spec config-linux.md "Seccomp". */
export function checkSeccomp(seccomp: OciSeccomp, report: Report): void {
  const path = 'linux.seccomp';
  checkReturn(seccomp.defaultAction, seccomp.defaultErrnoRet, `${path}.defaultErrnoRet`, report);
  if (seccomp.defaultAction === 'SCMP_ACT_NOTIFY')
    report(`${path}.defaultAction`, 'must not be SCMP_ACT_NOTIFY: nobody could answer the first call');
  const hasListener = (seccomp.listenerPath ?? '') !== '';
  if (!hasListener && (seccomp.listenerMetadata ?? '') !== '')
    report(`${path}.listenerMetadata`, 'needs listenerPath');
  for (const [index, rule] of (seccomp.syscalls ?? []).entries()) {
    const rulePath = `${path}.syscalls[${index}]`;
    for (const [position, name] of rule.names.entries()) {
      if (name === '') report(`${rulePath}.names[${position}]`, 'must not be empty');
    }
    checkReturn(rule.action, rule.errnoRet, `${rulePath}.errnoRet`, report);
    if (rule.action === 'SCMP_ACT_NOTIFY' && !hasListener)
      report(`${rulePath}.action`, 'SCMP_ACT_NOTIFY needs linux.seccomp.listenerPath');
  }
}

function checkReturn(action: SeccompAction, value: number | undefined, path: string, report: Report): void {
  if (value === undefined) return;
  const max = MAX_RETURN[action];
  // Go programs write the zero value of fields that they do not use.
  if (max === undefined) {
    if (value !== 0) report(path, `is not for ${action}, only for SCMP_ACT_ERRNO and SCMP_ACT_TRACE`);
  } else if (value > max) report(path, `must be at most ${max}, got ${value}`);
}

import { type Report } from '../config-error.js';
import { formatPath } from '../validate.js';

/** The kernel takes strings up to the first NUL: one in a path or an argument would mean something else than what was checked. */
export function checkNul(value: unknown, pointer: string, report: Report): void {
  if (typeof value === 'string') {
    if (value.includes('\0')) report(formatPath('', pointer), 'must not contain a NUL character');
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, member] of Object.entries(value)) {
      const step =
        name.includes('/') || name.includes('~') ? name.replaceAll('~', '~0').replaceAll('/', '~1') : name;
      if (name.includes('\0')) report(formatPath('', pointer), 'must not have a name with a NUL character');
      else if (typeof member === 'string' || typeof member === 'object')
        checkNul(member, `${pointer}/${step}`, report);
    }
  }
}

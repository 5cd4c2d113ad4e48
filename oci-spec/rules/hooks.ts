import { HOOK_PHASES } from '../config-schema.js';
import type { OciHooks } from '../config.js';
import { type Report, show } from '../config-error.js';

/** runtime-spec config.md "POSIX-platform Hooks". */
export function checkHooks(hooks: OciHooks, report: Report): void {
  for (const phase of HOOK_PHASES) {
    for (const [index, hook] of (hooks[phase] ?? []).entries()) {
      const path = `hooks.${phase}[${index}]`;
      if (!hook.path.startsWith('/'))
        report(`${path}.path`, `must be an absolute path, got ${show(hook.path)}`);
      if (hook.timeout !== undefined && hook.timeout <= 0)
        report(`${path}.timeout`, `must be greater than zero, got ${hook.timeout}`);
    }
  }
}

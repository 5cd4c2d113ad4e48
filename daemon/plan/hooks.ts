import { type PlanContext, PID_PLACEHOLDER } from './plan-input.js';

/** Hooks that run inside the container; the daemon runs the others (runtime-spec config.md "POSIX-platform Hooks"). */
export function runHooks(
  { input, config, plan }: PlanContext,
  phase: 'createContainer' | 'startContainer',
): void {
  const hooks = config.hooks?.[phase] ?? [];
  if (hooks.length === 0) return;
  const stateJson = input.stateJson(PID_PLACEHOLDER, phase === 'createContainer' ? 'creating' : 'created');
  hooks.forEach((hook, i) => {
    plan.hook(`hooks.${phase}[${i}]`, {
      path: hook.path,
      args: hook.args !== undefined && hook.args.length > 0 ? hook.args : [hook.path],
      env: hook.env ?? [],
      timeout: hook.timeout ?? 0,
      stateJson,
      phase,
    });
  });
}

import { type Container } from './container.js';

/** How a container ended, in words for events: `exit 1`, `SIGKILL`, `oom`, `gone`. */
export function endReason({ lifecycle, cgroup }: Container): string {
  if (lifecycle.state !== 'stopped') return 'gone';
  if ((cgroup?.oomCount() ?? 0) > 0) return 'oom';
  const { exitCode, exitSignal } = lifecycle.exit;
  if (exitSignal !== undefined) return exitSignal;
  return exitCode === undefined ? 'gone' : `exit ${exitCode}`;
}

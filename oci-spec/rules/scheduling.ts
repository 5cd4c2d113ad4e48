import type { OciMemoryPolicy, OciProcess, OciScheduler } from '../config.js';
import { type Report, show } from '../config-error.js';
import { isCpuList } from './cpu-list.js';

/** What sched_setattr(2) and set_mempolicy(2) refuse whatever the machine, named by field. */
export function checkScheduling(process: OciProcess, report: Report): void {
  if (process.scheduler !== undefined) checkScheduler(process.scheduler, report);
  for (const part of ['initial', 'final'] as const) {
    const list = process.execCPUAffinity?.[part] ?? '';
    if (list !== '' && !isCpuList(list))
      report(`process.execCPUAffinity.${part}`, `must be a list such as "0-3,7", got ${show(list)}`);
  }
}

function checkScheduler(scheduler: OciScheduler, report: Report): void {
  const { policy, nice = 0, priority = 0, runtime = 0, deadline = 0, period = 0 } = scheduler;
  const path = 'process.scheduler';
  if (nice < -20 || nice > 19) report(`${path}.nice`, `must be -20 to 19, got ${nice}`);
  if (policy === 'SCHED_FIFO' || policy === 'SCHED_RR') {
    if (priority < 1 || priority > 99)
      report(`${path}.priority`, `must be 1 to 99 for ${policy}, got ${priority}`);
  } else if (priority !== 0) report(`${path}.priority`, `is for SCHED_FIFO and SCHED_RR, not for ${policy}`);

  if (policy !== 'SCHED_DEADLINE') {
    for (const [name, value] of Object.entries({ runtime, deadline, period })) {
      if (value !== 0 && value !== 0n) report(`${path}.${name}`, `is for SCHED_DEADLINE, not for ${policy}`);
    }
    return;
  }
  // sched(7): runtime <= deadline <= period; the kernel's own granularity is 1024 ns.
  if (runtime < 1024)
    report(`${path}.runtime`, `must be at least 1024 nanoseconds, got ${runtime.toString()}`);
  if (deadline < runtime)
    report(
      `${path}.deadline`,
      `must be at least the runtime ${runtime.toString()}, got ${deadline.toString()}`,
    );
  if (period !== 0 && period !== 0n && period < deadline)
    report(
      `${path}.period`,
      `must be at least the deadline ${deadline.toString()}, got ${period.toString()}`,
    );
}

/** set_mempolicy(2): which modes take nodes, and which flags go together. */
export function checkMemoryPolicy(policy: OciMemoryPolicy, report: Report): void {
  const { mode, nodes = '', flags = [] } = policy;
  const path = 'linux.memoryPolicy';
  if (nodes !== '' && !isCpuList(nodes))
    report(`${path}.nodes`, `must be a list such as "0-3,7", got ${show(nodes)}`);
  if (mode === 'MPOL_DEFAULT' || mode === 'MPOL_LOCAL') {
    if (nodes !== '') report(`${path}.nodes`, `must be empty for ${mode}, got ${show(nodes)}`);
    if (flags.length > 0) report(`${path}.flags`, `must be empty for ${mode}`);
  } else if (nodes === '' && mode !== 'MPOL_PREFERRED') report(`${path}.nodes`, `is required for ${mode}`);
  if (flags.includes('MPOL_F_STATIC_NODES') && flags.includes('MPOL_F_RELATIVE_NODES'))
    report(`${path}.flags`, 'must not have both MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES');
}

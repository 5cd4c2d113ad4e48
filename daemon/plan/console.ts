import { TurfError } from '../../cli/turf-error.js';
import type { PlanContext } from './plan-input.js';

/** The session of the process and, where it has one, its terminal: a new pty whose master goes to the console socket. */
export function openConsole({ input, config, plan, ownMounts }: PlanContext): void {
  const process = config.process;
  if (process?.terminal !== true) {
    plan.setsid('process');
    return;
  }
  const path = 'process.terminal';
  if (input.consoleSocketFd === undefined) {
    throw new TurfError('TURF_ERR_USAGE', `${path}: needs a console socket`, { path });
  }
  plan.console(path, {
    socket: plan.addFd(input.consoleSocketFd),
    rows: process.consoleSize?.height ?? 0,
    columns: process.consoleSize?.width ?? 0,
    uid: process.user?.uid ?? 0,
    bindDevConsole: ownMounts,
  });
}

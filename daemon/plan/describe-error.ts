import { errnoNames } from '../../native-shim/errno.js';
import { OP } from './opcodes.js';

/** The payload of an `E` frame: what the executor of a plan could not do (docs/protocol.md, sync channel). */
export interface PlanFailure {
  /** Positive errno. */
  readonly errno: number;
  /** Operation, counted from 0; 0xffffffff: the plan itself is malformed. */
  readonly opIndex: number;
  readonly opcode: number;
  /** The object, as the executor names it: `mount proc on /proc`. */
  readonly detail: string;
}

/**
 * The text of an executor's error: config field, object, reason, as in
 * `mounts[3]: mount proc on /proc: operation not permitted`.
 */
export function describePlanFailure(labels: readonly string[], failure: PlanFailure): string {
  const label = labels[failure.opIndex] ?? 'launch plan';
  const reason = isComplete(failure) ? '' : errnoNames(failure.errno)[1];
  return [label, failure.detail, reason].filter((part) => part !== '').join(': ');
}

/** Texts that say the reason themselves. */
function isComplete({ opcode, detail }: PlanFailure): boolean {
  return (
    opcode === OP.HOOK ||
    (opcode === OP.FIND_PROGRAM && detail.endsWith('executable file not found in $PATH'))
  );
}

import { parseCpuList } from '../../oci-spec/rules/cpu-list.js';
import type { OciMemoryPolicy, OciProcess } from '../../oci-spec/config.js';
import {
  IO_PRIORITY_CLASSES,
  MEMORY_POLICY_FLAGS,
  MEMORY_POLICY_MODES,
  SCHEDULER_FLAGS,
  SCHEDULER_POLICIES,
} from '../../oci-spec/scheduling-names.js';
import type { PlanBuilder } from './encode.js';

/** IOPRIO_CLASS_SHIFT of linux/ioprio.h. */
const CLASS_SHIFT = 13;
const WORD_BYTES = 8;

/** process.scheduler and process.ioPriority; to be set while the process still has CAP_SYS_NICE. */
export function schedule(plan: PlanBuilder, { scheduler, ioPriority }: OciProcess): void {
  if (ioPriority !== undefined) {
    const level = IO_PRIORITY_CLASSES[ioPriority.class] << CLASS_SHIFT;
    plan.ioPriority('process.ioPriority', level | ioPriority.priority);
  }
  if (scheduler !== undefined) {
    plan.scheduler('process.scheduler', {
      policy: SCHEDULER_POLICIES[scheduler.policy],
      flags: (scheduler.flags ?? []).reduce((bits, flag) => bits | SCHEDULER_FLAGS[flag], 0),
      nice: scheduler.nice ?? 0,
      priority: scheduler.priority ?? 0,
      runtime: scheduler.runtime ?? 0,
      deadline: scheduler.deadline ?? 0,
      period: scheduler.period ?? 0,
    });
  }
}

/** linux.memoryPolicy, of the process and of what it forks. */
export function placeMemory(plan: PlanBuilder, policy: OciMemoryPolicy | undefined): void {
  if (policy === undefined) return;
  const mode = (policy.flags ?? []).reduce<number>(
    (bits, flag) => bits | MEMORY_POLICY_FLAGS[flag],
    MEMORY_POLICY_MODES[policy.mode],
  );
  plan.memoryPolicy('linux.memoryPolicy', mode, nodeMask(policy.nodes ?? ''));
}

/** Bit N for node N, in whole 64-bit words; empty for no nodes. */
function nodeMask(list: string): Buffer {
  const nodes = parseCpuList(list);
  if (nodes.length === 0) return Buffer.alloc(0);
  const words = Math.floor(Math.max(...nodes) / 64) + 1;
  const mask = Buffer.alloc(words * WORD_BYTES);
  for (const node of nodes) {
    const at = node >> 3;
    mask.writeUInt8(mask.readUInt8(at) | (1 << (node & 7)), at);
  }
  return mask;
}

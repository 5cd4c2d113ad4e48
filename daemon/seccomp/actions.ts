import { SCMP_ACT, SCMP_CMP } from '../../native-shim/libseccomp.js';
import type { SeccompAction, SeccompOperator } from '../../oci-spec/seccomp-names.js';

const EPERM = 1;

const ACTIONS: Record<SeccompAction, number> = {
  SCMP_ACT_ALLOW: SCMP_ACT.ALLOW,
  SCMP_ACT_ERRNO: SCMP_ACT.ERRNO,
  SCMP_ACT_KILL: SCMP_ACT.KILL_THREAD,
  SCMP_ACT_KILL_PROCESS: SCMP_ACT.KILL_PROCESS,
  SCMP_ACT_KILL_THREAD: SCMP_ACT.KILL_THREAD,
  SCMP_ACT_LOG: SCMP_ACT.LOG,
  SCMP_ACT_NOTIFY: SCMP_ACT.NOTIFY,
  SCMP_ACT_TRACE: SCMP_ACT.TRACE,
  SCMP_ACT_TRAP: SCMP_ACT.TRAP,
};

export const OPERATORS: Record<SeccompOperator, number> = {
  SCMP_CMP_EQ: SCMP_CMP.EQ,
  SCMP_CMP_GE: SCMP_CMP.GE,
  SCMP_CMP_GT: SCMP_CMP.GT,
  SCMP_CMP_LE: SCMP_CMP.LE,
  SCMP_CMP_LT: SCMP_CMP.LT,
  SCMP_CMP_MASKED_EQ: SCMP_CMP.MASKED_EQ,
  SCMP_CMP_NE: SCMP_CMP.NE,
};

/**
 * The kernel's 32-bit action. ERRNO and TRACE carry `errnoRet` (EPERM if absent; runtime-spec config-linux.md "Seccomp").
 */
export function actionValue(action: SeccompAction, errnoRet: number | undefined): number {
  const base = ACTIONS[action];
  const carriesData = action === 'SCMP_ACT_ERRNO' || action === 'SCMP_ACT_TRACE';
  return carriesData ? base + ((errnoRet ?? EPERM) & 0xffff) : base;
}

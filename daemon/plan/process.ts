import { TurfError } from '../../cli/turf-error.js';
import { capabilityMask } from '../../oci-spec/capabilities.js';
import type { OciProcess } from '../../oci-spec/config.js';
import { isRlimitName, RLIMITS } from '../../oci-spec/rlimits.js';
import { sysctlPath } from '../../oci-spec/sysctl-name.js';
import { PID_PLACEHOLDER, type PlanContext, type ProcessContext } from './plan-input.js';
import { placeMemory, schedule } from './scheduling.js';

/** Where programs are looked for if process.env has no PATH: what login(1) gives root. */
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const DEFAULT_UMASK = 0o022;
/** PER_LINUX and PER_LINUX32 of linux/personality.h. */
const PERSONAS = { LINUX: 0x0000, LINUX32: 0x0008 } as const;

/** linux.sysctl, by path below /proc/sys. */
export function setSysctls({ linux, plan }: PlanContext): void {
  for (const [name, value] of Object.entries(linux.sysctl ?? {})) {
    const label = `linux.sysctl["${name}"]`;
    const path = sysctlPath(name);
    if (path === undefined) throw configError(label, 'is not the name of a sysctl');
    plan.sysctl(label, path, value);
  }
}

/** What has to be set while the process still has every privilege. */
export function limitProcess({ linux, plan }: ProcessContext, process: OciProcess): void {
  (process.rlimits ?? []).forEach(({ type, soft, hard }, i) => {
    const label = `process.rlimits[${i}]`;
    if (!isRlimitName(type)) throw configError(label, `${type} is not a resource limit`);
    plan.rlimit(label, RLIMITS[type], BigInt(soft), BigInt(hard));
  });
  if (process.oomScoreAdj !== undefined) {
    plan.writeProcSelf('process.oomScoreAdj', 'oom_score_adj', String(process.oomScoreAdj));
  }
  if (linux.personality !== undefined) {
    plan.personality('linux.personality', PERSONAS[linux.personality.domain]);
  }
  placeMemory(plan, linux.memoryPolicy);
  schedule(plan, process);
}

/** What the two kinds of program, a container's own and one that joins it, wait for. */
export interface ProgramGate {
  /** Between all preparations and execve(2). */
  readonly start: () => void;
  /** Before a filter that is loaded early, and that `start` may not pass. */
  readonly beforeEarlyFilter?: () => void;
}

/**
 * From root to the user's program: ids, capabilities, filter, start gate, exec.
 *
 * seccomp(2) needs no_new_privs or CAP_SYS_ADMIN. With either at the end, the filter is loaded just before exec and sees none of our own
 * system calls. Otherwise it must be loaded before the privileges go, as in runc: then it has to allow prctl, setresuid, setgroups, capset,
 * sendmsg, accept4, recvmsg and execve, which every engine's profile does.
 */
export function becomeProgram(context: ProcessContext, process: OciProcess, gate: ProgramGate): void {
  const { input, plan } = context;
  const args = process.args ?? [];
  const program = args[0];
  if (program === undefined) throw configError('process.args', 'is required');
  if (context.linux.seccomp !== undefined && input.seccomp === undefined) {
    throw configError('linux.seccomp', 'was not compiled');
  }

  const isLateFilter = loadsFilterLast(process);
  const loadFilter = (): void => {
    const { seccomp, seccompListener } = input;
    if (seccomp === undefined) return;
    if (seccompListener !== undefined) {
      const { stateJson } = seccompListener;
      plan.seccompState('linux.seccomp', stateJson(PID_PLACEHOLDER, isLateFilter ? 'created' : 'creating'));
    }
    const fd = seccompListener?.fd;
    plan.seccomp('linux.seccomp', seccomp.flags, seccomp.bpf, fd === undefined ? -1 : plan.addFd(fd));
  };

  plan.closeFds('process', input.preserveFds ?? 0);
  // As root: the directory may be one that only root can enter (runc tries root first too).
  plan.chdir('process.cwd', process.cwd, false);
  if (!isLateFilter) {
    if (input.seccomp !== undefined) gate.beforeEarlyFilter?.();
    loadFilter();
  }
  becomeUser(context, process);
  if (process.noNewPrivileges === true) plan.noNewPrivs('process.noNewPrivileges');
  const env = environment(process, input.home);
  plan.findProgram('process.args[0]', program, searchPath(env));
  gate.start();
  for (const { fd, number } of input.adopt ?? []) plan.adoptFd('process', plan.addFd(fd), number);
  if (isLateFilter) loadFilter();
  plan.exec('process.args', args, env);
}

function becomeUser({ plan }: ProcessContext, process: OciProcess): void {
  const sets = process.capabilities ?? {};
  const permitted = capabilityMask(sets.permitted);
  const inheritable = capabilityMask(sets.inheritable);
  plan.dropBounding('process.capabilities.bounding', capabilityMask(sets.bounding));
  const user = process.user ?? { uid: 0, gid: 0 };
  plan.user('process.user', { uid: user.uid, gid: user.gid, groups: user.additionalGids ?? [] });
  plan.umask('process.user.umask', user.umask ?? DEFAULT_UMASK);
  plan.capabilities('process.capabilities', {
    effective: capabilityMask(sets.effective),
    permitted,
    inheritable,
    // PR_CAP_AMBIENT_RAISE refuses what is not in both of the others; engines list such capabilities all the same.
    ambient: capabilityMask(sets.ambient) & permitted & inheritable,
  });
}

/** Both take effect at execve(2). Stacked AppArmor has a directory of its own since 5.8. */
export function writeSecurityLabels({ plan }: ProcessContext, process: OciProcess): void {
  const profile = process.apparmorProfile ?? '';
  // Unconfined is what the daemon's children are anyway, and engines ask for it where there is no AppArmor.
  if (profile !== '' && profile !== 'unconfined') {
    plan.writeProcSelf('process.apparmorProfile', 'attr/apparmor/exec', `exec ${profile}`);
  }
  if (process.selinuxLabel !== undefined && process.selinuxLabel !== '') {
    plan.writeProcSelf('process.selinuxLabel', 'attr/exec', process.selinuxLabel);
  }
}

/** Whether the filter is loaded just before the program, after start: seccomp(2) lets the process then. */
export function loadsFilterLast(process: OciProcess): boolean {
  return process.noNewPrivileges === true || keepsSysAdmin(process);
}

function keepsSysAdmin(process: OciProcess): boolean {
  return (process.capabilities?.effective ?? []).includes('CAP_SYS_ADMIN');
}

function environment(process: OciProcess, home: string | undefined): readonly string[] {
  const env = process.env ?? [];
  if (home === undefined || env.some((entry) => entry.startsWith('HOME='))) return env;
  return [...env, `HOME=${home}`];
}

/** Of a repeated variable the last value counts, as after runc. */
function searchPath(env: readonly string[]): string {
  const entry = env.findLast((variable) => variable.startsWith('PATH='));
  return entry === undefined ? DEFAULT_PATH : entry.slice('PATH='.length);
}

function configError(path: string, reason: string): TurfError {
  return new TurfError('TURF_ERR_CONFIG', `${path}: ${reason}`, { path });
}

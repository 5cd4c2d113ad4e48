import { TurfError } from '../../cli/turf-error.js';
import type { ArgumentCheck, Libseccomp, SeccompFilter } from '../../native-shim/libseccomp.js';
import type { OciSeccomp, OciSeccompArg } from '../../oci-spec/config.js';
import { SECCOMP_FLAGS } from '../../oci-spec/seccomp-names.js';
import { actionValue, OPERATORS } from './actions.js';
import { notifies } from './listener.js';
import { enosysPrefix, type HighestSyscall } from './enosys.js';

const ENOSYS = 38;
/** BPF_MAXINSNS of linux/bpf_common.h: seccomp(2) takes no longer program. */
const MAX_INSTRUCTIONS = 4096;

export interface CompiledSeccomp {
  /** SECCOMP_FILTER_FLAG_*. */
  readonly flags: number;
  /** struct sock_filter[]. */
  readonly bpf: Buffer;
}

/**
 * Compiles `linux.seccomp`. System calls that libseccomp does not know are skipped (profiles name those of every kernel), as are
 * rules that repeat the default action and architectures that libseccomp does not know (their calls kill the caller, as those
 * of every architecture that is not listed). The native architecture is always covered.
 *
 * @throws TurfError TURF_ERR_CONFIG where libseccomp refuses a rule
 */
export function compileSeccomp(profile: OciSeccomp, lib: Libseccomp): CompiledSeccomp {
  const defaultAction = actionValue(profile.defaultAction, profile.defaultErrnoRet);
  const filter = lib.newFilter(defaultAction);
  try {
    const arches = addArchitectures(filter, profile, lib);
    addRules(filter, profile, defaultAction, lib);
    const bpf = Buffer.concat([unknownSyscalls(profile, arches, lib), filter.exportBpf()]);
    if (bpf.length > MAX_INSTRUCTIONS * 8) {
      throw configError('linux.seccomp', `the filter has more than ${MAX_INSTRUCTIONS} instructions`);
    }
    return { flags: seccompFlags(profile), bpf };
  } finally {
    filter.release();
  }
}

/**
 * SECCOMP_FILTER_FLAG_* of the profile; none are added to what it lists. TSYNC says nothing to a process of one thread, and the kernel
 * takes it together with a notification descriptor in another form only (seccomp(2)): it is left out then.
 */
export function seccompFlags(profile: OciSeccomp): number {
  const flags = (profile.flags ?? []).reduce((bits, flag) => bits | SECCOMP_FLAGS[flag], 0);
  return notifies(profile) ? flags & ~SECCOMP_FLAGS.SECCOMP_FILTER_FLAG_TSYNC : flags;
}

function addArchitectures(filter: SeccompFilter, profile: OciSeccomp, lib: Libseccomp): number[] {
  const arches = new Set([lib.nativeArch]);
  (profile.architectures ?? []).forEach((name, i) => {
    const token = lib.archToken(name.slice('SCMP_ARCH_'.length).toLowerCase());
    if (token === undefined) return;
    arches.add(token);
    if (filter.hasArch(token)) return;
    attempt(`linux.seccomp.architectures[${i}]`, () => {
      filter.addArch(token);
    });
  });
  return [...arches];
}

function addRules(filter: SeccompFilter, profile: OciSeccomp, defaultAction: number, lib: Libseccomp): void {
  (profile.syscalls ?? []).forEach((rule, i) => {
    const action = actionValue(rule.action, rule.errnoRet);
    if (action === defaultAction) return;
    const alternatives = conjunctions(rule.args ?? []);
    for (const name of rule.names) {
      const syscall = lib.syscallNumber(name);
      if (syscall === undefined) continue;
      for (const checks of alternatives) {
        attempt(`linux.seccomp.syscalls[${i}] (${name})`, () => {
          filter.addRule(action, syscall, checks);
        });
      }
    }
  });
}

/**
 * libseccomp takes one condition per argument and joins them by "and". Where a profile has several on one argument, every
 * condition becomes a rule of its own, joined by "or": what engines write them for, and what runc does.
 */
function conjunctions(args: readonly OciSeccompArg[]): ArgumentCheck[][] {
  const checks = args.map(({ index, op, value, valueTwo }) => ({
    index,
    op: OPERATORS[op],
    a: BigInt(value),
    b: BigInt(valueTwo ?? 0),
  }));
  const repeated = new Set(checks.map(({ index }) => index)).size < checks.length;
  return repeated ? checks.map((one) => [one]) : [checks];
}

function unknownSyscalls(profile: OciSeccomp, arches: readonly number[], lib: Libseccomp): Buffer {
  const denies = [
    'SCMP_ACT_ERRNO',
    'SCMP_ACT_KILL',
    'SCMP_ACT_KILL_PROCESS',
    'SCMP_ACT_KILL_THREAD',
    'SCMP_ACT_TRAP',
  ];
  const saysEnosys = profile.defaultAction === 'SCMP_ACT_ERRNO' && profile.defaultErrnoRet === ENOSYS;
  if (!denies.includes(profile.defaultAction) || saysEnosys) return Buffer.alloc(0);

  const x32 = lib.archToken('x32');
  const names = new Set((profile.syscalls ?? []).flatMap((rule) => rule.names));
  const highest: HighestSyscall[] = [];
  for (const arch of arches) {
    if (arch === x32) continue;
    let number = -1;
    for (const name of names) number = Math.max(number, lib.syscallNumberOn(arch, name) ?? -1);
    if (number >= 0) highest.push({ arch, number });
  }
  return enosysPrefix(highest);
}

function attempt(path: string, step: () => void): void {
  try {
    step();
  } catch (cause) {
    throw configError(path, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function configError(path: string, reason: string, cause?: unknown): TurfError {
  return new TurfError('TURF_ERR_CONFIG', `${path}: ${reason}`, { path, cause });
}

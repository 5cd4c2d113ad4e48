import { CAPABILITIES } from '../capabilities.js';
import type { OciProcess } from '../config.js';
import { type Report, show } from '../config-error.js';
import { isRlimitName } from '../rlimits.js';
import { checkScheduling } from './scheduling.js';

/** (uid_t) -1 means "leave unchanged" to setresuid(2). */
const NO_ID = 0xffff_ffff;

/** runtime-spec config.md "Process". `needsArgs`: false for workers, whose arguments have a default. */
export function checkProcess(process: OciProcess, needsArgs: boolean, report: Report): void {
  if (!process.cwd.startsWith('/'))
    report('process.cwd', `must be an absolute path, got ${show(process.cwd)}`);
  checkArgs(process, needsArgs, report);
  checkUser(process, report);
  checkRlimits(process, report);
  checkEffective(process, report);
  checkScheduling(process, report);
  const { terminal, consoleSize } = process;
  if (terminal === true && consoleSize !== undefined) {
    for (const side of ['height', 'width'] as const) {
      if (consoleSize[side] > 0xffff)
        report(`process.consoleSize.${side}`, `must be at most 65535, got ${consoleSize[side]}`);
    }
  }
  for (const [index, variable] of (process.env ?? []).entries()) {
    if (variable.startsWith('=') || !variable.includes('='))
      report(`process.env[${index}]`, `must be NAME=VALUE, got ${show(variable)}`);
  }
}

function checkArgs(process: OciProcess, needsArgs: boolean, report: Report): void {
  const { args } = process;
  if (args === undefined) {
    if (needsArgs) report('process.args', 'is required');
  } else if (args.length === 0) report('process.args', 'must not be empty');
  else if (args[0] === '') report('process.args[0]', 'must not be empty');
}

function checkUser(process: OciProcess, report: Report): void {
  const user = process.user;
  if (user === undefined) return;
  for (const kind of ['uid', 'gid'] as const) {
    if (user[kind] === NO_ID) report(`process.user.${kind}`, `must be at most 4294967294, got ${NO_ID}`);
  }
  for (const [index, gid] of (user.additionalGids ?? []).entries()) {
    if (gid === NO_ID)
      report(`process.user.additionalGids[${index}]`, `must be at most 4294967294, got ${NO_ID}`);
  }
  if (user.umask !== undefined && user.umask > 0o777)
    report('process.user.umask', `must be 0 to 511 (octal 777), got ${user.umask}`);
  if (user.username !== undefined && user.username !== '')
    report('process.user.username', 'is for Windows only; set uid and gid');
}

function checkRlimits(process: OciProcess, report: Report): void {
  const seen = new Set<string>();
  for (const [index, { type, soft, hard }] of (process.rlimits ?? []).entries()) {
    const path = `process.rlimits[${index}]`;
    if (!isRlimitName(type)) report(`${path}.type`, `is not a resource limit: ${show(type)}`);
    else if (seen.has(type)) report(`${path}.type`, `repeats ${type}`);
    seen.add(type);
    if (soft > hard)
      report(`${path}.soft`, `must not exceed the hard limit ${hard.toString()}, got ${soft.toString()}`);
  }
}

/** capset(2) refuses an effective set that is not within the permitted one. */
function checkEffective(process: OciProcess, report: Report): void {
  const sets = process.capabilities;
  if (sets === undefined) return;
  const permitted = new Set(sets.permitted);
  for (const [index, name] of (sets.effective ?? []).entries()) {
    if (CAPABILITIES.has(name) && !permitted.has(name))
      report(`process.capabilities.effective[${index}]`, `${name} must be permitted too`);
  }
}

/** Capabilities that this kernel's list does not have: runtime-spec wants a warning, no error. */
export function capabilityWarnings(process: OciProcess, report: Report): void {
  for (const set of ['bounding', 'effective', 'inheritable', 'permitted', 'ambient'] as const) {
    for (const [index, name] of (process.capabilities?.[set] ?? []).entries()) {
      if (!CAPABILITIES.has(name))
        report(`process.capabilities.${set}[${index}]`, `unknown capability ${show(name)} is ignored`);
    }
  }
}

/** runc and crun start the process without such an ambient capability, as the kernel refuses to raise it (capabilities(7)). */
export function ambientWarnings(process: OciProcess, report: Report): void {
  const { ambient = [], permitted = [], inheritable = [] } = process.capabilities ?? {};
  for (const [index, name] of ambient.entries()) {
    if (CAPABILITIES.has(name) && !(permitted.includes(name) && inheritable.includes(name)))
      report(
        `process.capabilities.ambient[${index}]`,
        `${name} is not set: it is not both permitted and inheritable`,
      );
  }
}

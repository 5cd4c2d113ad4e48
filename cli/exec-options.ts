import { resolve } from 'node:path';
import { CAPABILITIES } from '../oci-spec/capabilities.js';
import type { ExecOptions } from './exec.js';
import { readInput } from './input-file.js';
import { usageError, type OptionTable } from './options.js';
import type { Invocation } from './verb.js';

export const execOptions = {
  process: {
    kind: 'string',
    short: 'p',
    value: 'FILE',
    help: 'JSON file with a process object, as in config.json; - for standard input',
  },
  tty: { kind: 'flag', short: 't', help: 'give the program a terminal' },
  detach: { kind: 'flag', short: 'd', help: 'exit once the program runs' },
  'pid-file': { kind: 'string', value: 'FILE', help: 'file that the process id is written to' },
  'pidfd-socket': {
    kind: 'string',
    value: 'PATH',
    help: 'AF_UNIX socket that receives a pidfd of the program',
  },
  'console-socket': {
    kind: 'string',
    value: 'PATH',
    help: 'AF_UNIX socket that receives the master of the console',
  },
  user: { kind: 'string', short: 'u', value: 'UID[:GID]', help: 'ids of the program, as numbers' },
  'additional-gids': { kind: 'list', short: 'g', value: 'GID', help: 'one more supplementary group' },
  cwd: { kind: 'string', value: 'DIR', help: 'working directory in the container' },
  env: { kind: 'list', short: 'e', value: 'NAME=VALUE', help: 'one more variable' },
  cap: {
    kind: 'list',
    short: 'c',
    value: 'CAP',
    help: 'one more capability, as CAP_KILL; unknown ones are ignored with a warning',
  },
  'no-new-privs': { kind: 'flag', help: 'set no_new_privs' },
  'preserve-fds': {
    kind: 'integer',
    value: 'N',
    help: 'pass N more descriptors after the standard three (default: 0)',
  },
  cgroup: {
    kind: 'list',
    value: '[CONTROLLERS:]PATH',
    help: "an existing cgroup below the container's, for all controllers or, on v1, for some",
  },
  'ignore-paused': { kind: 'flag', help: 'also in a paused container; the program runs once it is resumed' },
  apparmor: { kind: 'string', value: 'PROFILE', help: 'AppArmor profile of the program' },
  'process-label': { kind: 'string', value: 'LABEL', help: 'SELinux label of the program' },
  'no-subreaper': { kind: 'flag', help: 'accepted for compatibility; the client is no subreaper' },
} as const satisfies OptionTable;

const mostPreserved = 1024;
/** (uid_t) -1 means "leave unchanged" to setresuid(2). */
const greatestId = 0xffff_fffe;

/** What `exec` asks of the daemon, paths made absolute. */
export async function toExecOptions(invocation: Invocation<typeof execOptions>): Promise<ExecOptions> {
  const { context, options } = invocation;
  const [id = '', ...words] = invocation.arguments;
  const args = words[0] === '--' ? words.slice(1) : words;
  const path = (given: string): string => resolve(context.cwd, given);
  const preserveFds = options['preserve-fds'] ?? 0;
  if (preserveFds > mostPreserved) throw usageError(`--preserve-fds: at most ${mostPreserved}`);
  if (args.length === 0 && !options.process) throw usageError('turf: "exec" requires at least 2 argument(s)');
  return {
    id,
    launcher: context.launcher,
    ...(options.process ? { process: await readInput(context, options.process, '--process') } : {}),
    ...(args.length > 0 ? { args } : {}),
    ...(options.cwd ? { cwd: options.cwd } : {}),
    ...(options.env.length > 0 ? { env: options.env } : {}),
    ...(options.user ? { user: parseUser(options.user) } : {}),
    ...(options['additional-gids'].length > 0
      ? { additionalGids: options['additional-gids'].map((gid) => parseId('--additional-gids', gid, gid)) }
      : {}),
    ...(options.cap.length > 0 ? { capabilities: options.cap.filter((name) => CAPABILITIES.has(name)) } : {}),
    ...(options['no-new-privs'] ? { noNewPrivileges: true } : {}),
    ...(options.tty ? { terminal: true } : {}),
    ...(options.apparmor ? { apparmorProfile: options.apparmor } : {}),
    ...(options['process-label'] ? { selinuxLabel: options['process-label'] } : {}),
    ...(options.cgroup.length > 0 ? { cgroup: options.cgroup } : {}),
    ...(options['ignore-paused'] ? { ignorePaused: true } : {}),
    ...(preserveFds > 0 ? { preserveFds } : {}),
    ...(options['pid-file'] ? { pidFile: path(options['pid-file']) } : {}),
    ...(options['pidfd-socket'] ? { pidfdSocket: path(options['pidfd-socket']) } : {}),
    ...(options['console-socket'] ? { consoleSocket: path(options['console-socket']) } : {}),
  };
}

/** Numbers only: whoever takes "7x" for 7, or nothing for 0, runs a program as somebody else (CVE-2026-30892). */
function parseUser(text: string): { uid: number; gid?: number } {
  const [uid = '', gid, ...more] = text.split(':');
  if (more.length > 0) throw usageError(`--user ${text}: not of the form UID[:GID]`);
  return {
    uid: parseId('--user', text, uid),
    ...(gid === undefined ? {} : { gid: parseId('--user', text, gid) }),
  };
}

function parseId(option: string, given: string, text: string): number {
  const id = /^\d{1,10}$/.test(text) ? Number(text) : NaN;
  if (!(id <= greatestId)) throw usageError(`${option} ${given}: ids are numbers from 0 to ${greatestId}`);
  return id;
}

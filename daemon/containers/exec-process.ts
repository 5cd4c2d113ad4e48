import { type ExecOptions } from '../../cli/exec.js';
import { TurfError } from '../../cli/turf-error.js';
import { CAPABILITIES } from '../../oci-spec/capabilities.js';
import { type OciConfig, type OciProcess } from '../../oci-spec/config.js';
import { readProcess, validateProcess } from '../../oci-spec/parse.js';
import { splitVariable } from '../environment.js';

/**
 * The process that `exec` starts: the container's own or the one that was given, as the options change it.
 *
 * @param config of the container
 * @throws TurfError TURF_ERR_CONFIG with the path of the field at fault, TURF_ERR_USAGE
 */
export function execProcess(config: OciConfig, options: ExecOptions): OciProcess {
  const own = config.process;
  if (own === undefined) throw new TurfError('TURF_ERR_CONFIG', 'process: is required', { path: 'process' });
  const base =
    options.process === undefined ? ownProcess(own) : withDefaults(readProcess(options.process), own);
  const changed = applyUser(applyCapabilities(base, options), options);
  return validateProcess({
    ...changed,
    ...(options.args === undefined ? {} : { args: [...options.args] }),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.env === undefined ? {} : { env: mergeEnvironment(changed.env ?? [], options.env) }),
    ...(options.noNewPrivileges === undefined ? {} : { noNewPrivileges: options.noNewPrivileges }),
    ...(options.terminal === undefined ? {} : { terminal: options.terminal }),
    ...(options.apparmorProfile === undefined ? {} : { apparmorProfile: options.apparmorProfile }),
    ...(options.selinuxLabel === undefined ? {} : { selinuxLabel: options.selinuxLabel }),
  });
}

/** Nothing but --tty makes a terminal for a program that is no container's own. */
function ownProcess(own: OciProcess): OciProcess {
  return { ...own, terminal: false, args: [] };
}

/** What a given process leaves out is what the container's has, so that exec is never more than create. */
function withDefaults(given: OciProcess, own: OciProcess): OciProcess {
  const inherited = [
    'capabilities',
    'rlimits',
    'noNewPrivileges',
    'apparmorProfile',
    'selinuxLabel',
    'oomScoreAdj',
    'scheduler',
    'ioPriority',
    'execCPUAffinity',
  ] as const;
  const missing = inherited.filter((name) => given[name] === undefined || given[name] === '');
  return { ...given, ...Object.fromEntries(missing.map((name) => [name, own[name]] as const).filter(isSet)) };
}

const isSet = ([, value]: readonly [string, unknown]): boolean => value !== undefined;

/** As runc's --cap: not inheritable, and so not ambient (CVE-2022-29162). */
function applyCapabilities(process: OciProcess, { capabilities }: ExecOptions): OciProcess {
  if (capabilities === undefined) return process;
  for (const name of capabilities) {
    if (!CAPABILITIES.has(name))
      throw new TurfError('TURF_ERR_USAGE', `unknown capability ${JSON.stringify(name)}`, { path: 'cap' });
  }
  const sets = process.capabilities ?? {};
  const add = (set: readonly string[] | undefined): string[] => [
    ...new Set([...(set ?? []), ...capabilities]),
  ];
  return {
    ...process,
    capabilities: {
      ...sets,
      bounding: add(sets.bounding),
      effective: add(sets.effective),
      permitted: add(sets.permitted),
    },
  };
}

function applyUser(process: OciProcess, { user, additionalGids }: ExecOptions): OciProcess {
  const before = process.user ?? { uid: 0, gid: 0 };
  return {
    ...process,
    user: {
      ...before,
      ...(user === undefined ? {} : { uid: user.uid, gid: user.gid ?? before.gid }),
      ...(additionalGids === undefined
        ? {}
        : { additionalGids: [...(before.additionalGids ?? []), ...additionalGids] }),
    },
  };
}

/** getenv(3) finds the first of several variables of a name: the one replaced has to go. */
function mergeEnvironment(before: readonly string[], added: readonly string[]): string[] {
  const names = new Set(added.map((variable) => splitVariable(variable)[0]));
  return [...before.filter((variable) => !names.has(splitVariable(variable)[0])), ...added];
}

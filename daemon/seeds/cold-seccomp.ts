import { type OciSeccomp } from '../../oci-spec/config.js';
import { WORKER_SECCOMP } from './worker-seccomp.js';

/**
 * The filter in which Node.js starts, before the process gives itself the workers' (native-shim/confine/): what a worker may call, what
 * `execve` and the start of Node 20 to 26 add (strace), and seccomp(2), which installs the next filter. Filters add up, so that none of the
 * additions is left when user code runs.
 */
export const COLD_SECCOMP: OciSeccomp = {
  ...WORKER_SECCOMP,
  syscalls: [
    {
      names: ['arch_prctl', 'capget', 'execve', 'pkey_alloc', 'pkey_free', 'prlimit64', 'seccomp'],
      action: 'SCMP_ACT_ALLOW',
    },
    ...(WORKER_SECCOMP.syscalls ?? []).filter(({ names }) => !names.includes('prlimit64')),
  ],
};

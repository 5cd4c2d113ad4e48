import { closeSync, constants, openSync } from 'node:fs';
import { type ExecOptions, type ExecResult } from '../../cli/exec.js';
import { TurfError } from '../../cli/turf-error.js';
import { type OciConfig, type OciProcess } from '../../oci-spec/config.js';
import { refuseUnsupported } from '../../oci-spec/unsupported.js';
import { type Machine } from '../machine.js';
import { compileExecPlan, hasOwnRoot } from '../plan/exec.js';
import { asTurfError } from './bundle.js';
import { openConsoleSocket } from './console-socket.js';
import { type Container } from './container.js';
import { openExecCgroup } from './exec-cgroup.js';
import { execProcess } from './exec-process.js';
import { homeDirectory } from './home.js';
import { plainRequest } from './launch.js';
import { assertAllowed, observedState } from './lifecycle.js';
import { writePidFile } from './pid-file.js';
import { sendPidfd } from './pidfd-socket.js';
import { signalProcess } from './process-facts.js';
import { storedConfig } from './stored-config.js';
import { SyncChannel } from './sync.js';

type Own = (fd: number) => number;

/** What containers were made from, for those that programs are executed in again and again. */
const configs = new WeakMap<Container, OciConfig>();

/**
 * Starts a program in a container: with its namespaces, cgroup, root, identity, limits, labels and filter, as create would.
 *
 * @param stdio descriptors for 0, 1 and 2; absent: the launcher's own
 * @returns once the program has been executed
 * @throws TurfError TURF_ERR_STATE, TURF_ERR_CONFIG, TURF_ERR_LAUNCH where the program could not be executed
 */
export async function execInContainer(
  machine: Machine,
  container: Container,
  options: ExecOptions,
  stdio?: readonly [number, number, number],
): Promise<ExecResult> {
  const { id, facts } = container;
  if (facts.kind !== 'container') {
    const why = facts.kind === 'worker' ? 'a worker has no programs' : 'a seed is there to be cloned';
    throw new TurfError('TURF_ERR_UNSUPPORTED', `cannot exec in ${id}: ${why}`, { operation: `exec ${id}` });
  }
  assertAllowed(id, options.ignorePaused === true ? 'execPaused' : 'exec', observedState(container));
  const config = configs.get(container) ?? storedConfig(machine.store, id);
  configs.set(container, config);
  const process = asTurfError(() => {
    const made = execProcess(config, options);
    refuseUnsupported({ ociVersion: config.ociVersion, process: made }, machine.capabilities);
    return made;
  });
  const open: number[] = [];
  try {
    const own = (fd: number): number => {
      open.push(fd);
      return fd;
    };
    const pid = await launch(machine, container, options, { config, process, stdio, own });
    if (options.pidFile !== undefined) writePidFile(options.pidFile, pid);
    machine.log.debug({ id, pid, args: process.args }, 'program executed in a container');
    return { pid };
  } finally {
    for (const fd of open) closeSync(fd);
  }
}

interface Prepared {
  readonly config: OciConfig;
  readonly process: OciProcess;
  readonly stdio: readonly [number, number, number] | undefined;
  readonly own: Own;
}

async function launch(
  machine: Machine,
  container: Container,
  options: ExecOptions,
  { config, process, stdio, own }: Prepared,
): Promise<number> {
  const { id, facts, pidfd, cgroup } = container;
  const { kernel } = machine;
  const first = facts.process;
  if (pidfd === undefined || first === undefined) throw stopped(id);
  const linux = config.linux ?? {};
  // Whoever listens knows the container's own process only.
  if ((linux.seccomp?.listenerPath ?? '') !== '') {
    const path = 'linux.seccomp.listenerPath';
    const message = `${path}: exec cannot give its program a filter that notifies`;
    throw new TurfError('TURF_ERR_UNSUPPORTED', message, { path });
  }
  const consoleSocketFd = openConsoleSocket(kernel, options, process.terminal === true, own);
  const rootFd = hasOwnRoot(linux) ? undefined : own(openRoot(first.pid));
  const entry =
    cgroup === undefined ? { tasksFds: [] } : openExecCgroup(cgroup.describe(), first.pid, options.cgroup);
  entry.tasksFds.forEach(own);
  if (entry.cgroupFd !== undefined) own(entry.cgroupFd);
  // What was found by its pid was its own, as long as the process is there.
  if (!signalProcess(kernel, pidfd, 0)) throw stopped(id);
  const plan = compileExecPlan({
    id,
    process,
    linux,
    pidfd,
    enterFds: entry.tasksFds,
    noNewKeyring: facts.noNewKeyring === true,
    preserveFds: options.preserveFds ?? 0,
    home: homeDirectory(kernel, facts.rootfs, process.user?.uid ?? 0),
    ...(rootFd === undefined ? {} : { rootFd }),
    ...(consoleSocketFd === undefined ? {} : { consoleSocketFd }),
    ...(linux.seccomp === undefined ? {} : { seccomp: machine.seccomp.compile(linux.seccomp) }),
  });
  const planFd = own(kernel.sealedMemfd('turf-plan', plan.bytes));
  const [ours, theirs] = kernel.socketpair();
  const sync = new SyncChannel(ours);
  try {
    const launcher = options.launcher ?? machine.supervisor;
    try {
      const request = { preserveFds: options.preserveFds ?? 0, stdio, cgroupDirectory: entry.cgroupFd };
      await launcher.launch(plainRequest([machine.initProgram, planFd, theirs, ...plan.fds], request));
    } finally {
      closeSync(theirs);
    }
    return await sync.untilExecuted(plan.labels, async (pid) => {
      // Nobody reaps it before its launcher knows of it.
      if (options.pidfdSocket !== undefined)
        sendPidfd(kernel, options.pidfdSocket, 'setns', own(kernel.pidfdOpen(pid)));
      await launcher.succeed(pid);
    });
  } finally {
    sync.close();
  }
}

/** The root directory of a process; a link of procfs that leads to the directory itself, whatever its path is. */
function openRoot(pid: number): number {
  return openSync(`/proc/${pid}/root`, constants.O_RDONLY | constants.O_DIRECTORY);
}

function stopped(id: string): TurfError {
  return new TurfError('TURF_ERR_STATE', `cannot exec in a stopped container: ${id}`, {
    operation: `exec ${id}`,
  });
}

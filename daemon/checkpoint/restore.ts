import { closeSync, readFileSync, rmSync } from 'node:fs';
import { type RestoreOptions } from '../../cli/checkpoint.js';
import { TurfError } from '../../cli/turf-error.js';
import { cgroupView } from '../containers/container-cgroup.js';
import { type Launch } from '../containers/create.js';
import { logStdio } from '../containers/logs.js';
import { plainRequest, watchProcess } from '../containers/launch.js';
import { lendHostResources } from '../containers/linux-extras.js';
import { openNamespaces } from '../containers/namespaces.js';
import { openProcess } from '../containers/process-facts.js';
import { SyncChannel } from '../containers/sync.js';
import { type Machine } from '../machine.js';
import { compileCriuPlan } from '../plan/criu.js';
import { commonArguments, CRIU_PATH, criuFailure, findCriu, logOf } from './criu.js';
import { readImage } from './image.js';
import { sourceOf } from './outside.js';

/** What is inherited is numbered from here, above standard streams and what launchers preserve. */
const FIRST_NAMESPACE_FD = 10;

/**
 * How a container comes to be that goes on where a checkpoint was made: CRIU takes the place of `turf-init`, in the container's cgroup, and
 * its processes are born there. CRIU is a child of the launcher, and so is the first process that it makes.
 *
 * @throws TurfError TURF_ERR_UNSUPPORTED, TURF_ERR_USAGE at once; the rest when it runs
 */
export function restoring(options: RestoreOptions): Launch {
  const program = findCriu(options.criu, 'restore');
  const image = readImage(options.imagePath);
  return async ({ machine, exits, undo, spec, container, cgroup, own }) => {
    const { create } = options;
    const { config } = spec;
    refuseTerminal(config.process?.terminal === true);
    const joined = openNamespaces(config);
    joined.forEach(own);
    const entry = cgroup.enter();
    entry.tasksFds.forEach(own);
    if (entry.cgroupFd !== undefined) own(entry.cgroupFd);
    const view = cgroupView(cgroup, machine);
    const adopt = image.namespaces.map(({ type, key }, index) => {
      const fd = joined.get(type);
      const path = 'linux.namespaces';
      if (fd === undefined)
        throw new TurfError('TURF_ERR_CONFIG', `${path}: the images want a ${type} namespace by path`, {
          path,
        });
      return { fd, key, number: FIRST_NAMESPACE_FD + index };
    });
    const pidFile = machine.store.path(container.id, 'restored.pid');
    rmSync(pidFile, { force: true });
    const external = image.mounts.map(
      (point) => `mnt[${point}]:${sourceOf(point, config, create.bundle, view)}`,
    );
    const inherited = [
      ...image.streams.map(({ fd, key }) => `fd[${fd}]:${key}`),
      ...adopt.map(({ number, key }) => `fd[${number}]:${key}`),
    ];
    const args = [
      ...[program, 'restore', '--restore-detached', '--restore-sibling', '--pidfile', pidFile],
      ...commonArguments(options, spec.rootfs, 'restore'),
      ...['--cgroup-root', cgroup.describe().path],
      ...external.flatMap((resource) => ['--external', resource]),
      ...inherited.flatMap((descriptor) => ['--inherit-fd', descriptor]),
      ...(options.lsmProfile === undefined ? [] : ['--lsm-profile', options.lsmProfile]),
      ...(options.lsmMountContext === undefined ? [] : ['--lsm-mount-context', options.lsmMountContext]),
    ];
    const plan = compileCriuPlan({
      rootfs: spec.rootfs,
      enterFds: entry.tasksFds,
      adopt,
      args,
      env: [`PATH=${CRIU_PATH}`],
    });
    const launcher = create.launcher ?? machine.supervisor;
    const stdio = create.launcher === undefined ? logStdio(machine.store, container.id, own) : undefined;
    const planFd = own(machine.kernel.sealedMemfd('turf-plan', plan.bytes));
    const [ours, theirs] = machine.kernel.socketpair();
    const sync = new SyncChannel(ours);
    try {
      const request = { preserveFds: 0, stdio, cgroupDirectory: entry.cgroupFd };
      machine.log.info({ id: container.id, args }, 'criu is started');
      let criu: number;
      try {
        criu = await launcher.launch(
          plainRequest([machine.initProgram, planFd, theirs, ...plan.fds], request),
        );
      } finally {
        closeSync(theirs);
      }
      await sync.untilReplaced(plan.labels, async () => {
        if (cgroup.needsPid) {
          await cgroup.start(criu);
          machine.store.writeFacts(container.learn({ cgroup: cgroup.describe() }));
        }
        return '';
      });
      await untilEnded(machine, criu);
    } finally {
      sync.close();
    }
    const pid = readPid(pidFile);
    if (pid === undefined || !watchProcess(machine, exits, undo, container, pid))
      throw criuFailure('criu restore', logOf(options, 'restore'));
    await launcher.succeed(pid);
    lendHostResources(
      machine,
      container,
      { ...config, linux: { ...config.linux, netDevices: {} } },
      pid,
      undo,
    );
  };
}

function refuseTerminal(terminal: boolean): void {
  if (!terminal) return;
  const path = 'process.terminal';
  throw new TurfError('TURF_ERR_UNSUPPORTED', `${path}: a terminal cannot be restored`, { path });
}

/** CRIU is a child of the launcher's: the supervisor tells of its end as of any watched process. */
async function untilEnded(machine: Machine, pid: number): Promise<void> {
  const opened = openProcess(machine.kernel, pid);
  if (opened === undefined) return;
  const { pidfd, facts } = opened;
  const ended = new Promise<void>((resolve) => {
    machine.supervisor.on('died', function died(end) {
      if (end.pid !== pid || end.startTime !== facts.startTime) return;
      machine.supervisor.off('died', died);
      resolve();
    });
  });
  machine.supervisor.watch(pid, facts.startTime, pidfd);
  await ended;
  closeSync(pidfd);
}

function readPid(path: string): number | undefined {
  try {
    const pid = Number(readFileSync(path, 'utf8'));
    return Number.isInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

import { closeSync, existsSync, openSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { type ForkOptions, type ForkResult } from '../../cli/operations.js';
import { TurfError } from '../../cli/turf-error.js';
import { type OciConfig, type OciResources } from '../../oci-spec/config.js';
import { type CgroupHandle } from '../cgroups/cgroup.js';
import { createCgroup } from '../cgroups/create.js';
import { cgroupfsLocation } from '../cgroups/path.js';
import { countsSwap, enterAs, workerResources } from '../cgroups/worker.js';
import { Container } from '../containers/container.js';
import { type ExitWatch } from '../containers/exits.js';
import { type Facts } from '../containers/facts.js';
import { endFirstProcess } from '../containers/kill.js';
import { UndoStack } from '../containers/undo.js';
import { type Machine } from '../machine.js';
import { NAMESPACES } from '../../oci-spec/namespaces.js';
import { type CompiledSeccomp } from '../seccomp/compile.js';
import { inertTree } from './inert-tree.js';
import { bindListener, type Listener, removeListener } from './listen.js';
import { RESOLVER_FILES } from './runtime-files.js';
import { CloneRequest, openClone } from './seed-control.js';
import { mainModule } from './seed-spec.js';
import { LISTEN_FD, workerPlan } from './worker-plan.js';
import { type WorkerSpec, workerSpec } from './worker-spec.js';

const FORK_PATIENCE_MS = 10_000;

/**
 * Clones a seed into a worker: parked until `start` where `hold` is asked for, running otherwise. Everything is undone if a step
 * fails.
 *
 * @throws TurfError
 */
export async function forkWorker(
  machine: Machine,
  exits: ExitWatch,
  seccomp: CompiledSeccomp,
  options: ForkOptions,
  configOf: (seed: Container) => OciConfig,
): Promise<{ container: Container; result: ForkResult }> {
  const begun = process.hrtime.bigint();
  const { id } = options;
  const spec = workerSpec(machine, options, configOf);
  const undo = new UndoStack();
  try {
    machine.store.reserve(id);
    undo.push('state directory', () => {
      machine.containers.delete(id);
      machine.store.remove(id);
    });
    const request = requestClone(machine, id, spec);
    undo.push('clone request', () => request.sync.close());
    const container = new Container(firstFacts(machine, id, spec));
    exits.hush(container);
    machine.containers.set(id, container);
    // A worker without a bundle of its own ran what its seed ran; a link spares a file.
    if (spec.configText === undefined) machine.store.linkConfig(options.seed, id);
    else machine.store.writeConfig(id, spec.configText);
    const listener = await bindListener(machine.kernel, spec.listen);
    undo.push('listening socket', () => removeListener(machine.kernel, listener.address));
    try {
      const cgroup = workerCgroup(machine, id, spec.resources, options);
      undo.push('cgroup', async () => {
        await cgroup.kill(constants.signals.SIGKILL);
        await cgroup.destroy();
      });
      container.ownCgroup(cgroup);
      await clone(machine, exits, undo, seccomp, {
        request,
        container,
        cgroup,
        listener,
        spec,
        hold: options.hold === true,
      });
      const facts = container.learn({
        phase: 'created',
        cgroup: cgroup.describe(),
        listen: listener.address,
      });
      machine.store.writeFacts(facts);
    } finally {
      closeSync(listener.fd);
    }
    container.enter(options.hold === true ? { state: 'created' } : { state: 'running' });
    undo.clear();
    const pid = container.facts.process?.pid ?? 0;
    const forkMs = Number(process.hrtime.bigint() - begun) / 1e6;
    machine.log.debug({ id, pid, seed: options.seed, forkMs }, 'worker forked');
    exits.announce(container, { type: 'fork', id, pid, seed: options.seed });
    return { container, result: { id, pid, listen: listener.address, forkMs } };
  } catch (error) {
    const suppressed = await undo.unwind();
    for (const err of suppressed) machine.log.error({ id, err }, 'could not undo a failed fork');
    throw error;
  }
}

/** The seed clones itself while the daemon prepares what the clone is to become. */
function requestClone(machine: Machine, id: string, spec: WorkerSpec): CloneRequest {
  const info = JSON.stringify({ id, env: spec.env, main: mainModule(spec.config), listenFd: LISTEN_FD });
  const path = machine.store.path(spec.seed.id, 'control.sock');
  return new CloneRequest(machine.kernel, path, unshareFlags(spec.hostNetwork), info);
}

function firstFacts(machine: Machine, id: string, spec: WorkerSpec): Facts {
  const { seed, config } = spec;
  return {
    version: 1,
    id,
    kind: 'worker',
    ociVersion: config.ociVersion,
    bundle: spec.bundle,
    rootfs: '',
    created: new Date().toISOString(),
    bootId: machine.bootId,
    phase: 'creating',
    owner: machine.owner,
    annotations: config.annotations ?? {},
    hooks: [],
    logs: true,
    seed: seed.id,
    ...(seed.facts.idBase === undefined ? {} : { idBase: seed.facts.idBase }),
  };
}

function workerCgroup(
  machine: Machine,
  id: string,
  resources: OciResources | undefined,
  options: ForkOptions,
): CgroupHandle {
  const limits = workerResources(
    {
      ...(options.memory === undefined ? {} : { memory: options.memory }),
      ...(options.cpus === undefined ? {} : { cpus: options.cpus }),
    },
    countsSwap(machine.cgroupLayout),
  );
  const location = cgroupfsLocation(id);
  if (location.manager !== 'cgroupfs')
    throw new TurfError('TURF_ERR_CGROUP', 'a worker has a cgroupfs cgroup');
  return createCgroup({
    layout: machine.cgroupLayout,
    attachDeviceFilter: machine.attachDeviceFilter,
    path: location.path,
    resources: {
      ...resources,
      memory: { ...resources?.memory, ...limits.memory },
      cpu: { ...resources?.cpu, ...limits.cpu },
    },
    scope: 'lean',
  });
}

interface CloneInput {
  readonly request: CloneRequest;
  readonly container: Container;
  readonly cgroup: CgroupHandle;
  readonly listener: Listener;
  readonly spec: WorkerSpec;
  readonly hold: boolean;
}

async function clone(
  machine: Machine,
  exits: ExitWatch,
  undo: UndoStack,
  seccomp: CompiledSeccomp,
  input: CloneInput,
): Promise<void> {
  const { request, container, cgroup, spec } = input;
  const { kernel, store } = machine;
  const { id } = container;
  const seedPid = spec.seed.facts.process?.pid ?? 0;
  const open: number[] = [];
  const own = (fd: number): number => {
    open.push(fd);
    return fd;
  };
  const expired = new AbortController();
  const timer = setTimeout(() => {
    expired.abort();
    request.sync.close();
  }, FORK_PATIENCE_MS);
  try {
    const root = join(store.root, '.worker-root');
    const { tasksFds } = enterAs(cgroup, spec.seed.facts.idBase ?? 0, machine.openAs);
    tasksFds.forEach(own);
    const plan = workerPlan({
      hostname: id.slice(0, 63),
      ownNetwork: !spec.hostNetwork,
      rootTree: own(inertTree(kernel, root)),
      codeTree: own(inertTree(kernel, spec.code)),
      files: new Map(
        spec.hostNetwork ? resolverFiles().map((path) => [path, own(inertTree(kernel, path))]) : [],
      ),
      tasksFds,
      stdio: [
        own(openSync('/dev/null', 'r')),
        own(store.openLog(id, 'stdout')),
        own(store.openLog(id, 'stderr')),
      ],
      listenFd: input.listener.fd,
      startSocketFd: input.hold ? own(kernel.listenUnix(store.path(id, 'start.sock'), 0o600)) : undefined,
      seccomp,
    });
    container.label(plan.labels);
    const planFd = own(kernel.sealedMemfd('turf-plan', plan.bytes));
    const { sync } = request;
    try {
      // Before the clone is known to be one: what is not is ended with all of its cgroup.
      request.become(planFd, plan.fds);
      const pid = await request.pid();
      const opened = openClone(kernel, pid, seedPid, (...key) => exits.watches(...key));
      if (opened === undefined) {
        // It may have said why it ended.
        await sync.untilReady(plan.labels, () => Promise.resolve(''));
        throw new TurfError('TURF_ERR_LAUNCH', 'the clone ended before it was set up');
      }
      const { pidfd, startTime } = opened;
      container.ownProcess(pidfd);
      undo.push('clone', async () => {
        endFirstProcess(machine, container);
        await exits.settle(container);
      });
      container.learn({ process: { pid, startTime: startTime.toString() } });
      exits.watch(container, pid, startTime, pidfd);
      await sync.untilReady(plan.labels, () => {
        cgroup.attach(pid);
        return Promise.resolve('');
      });
    } finally {
      sync.close();
    }
  } catch (cause) {
    if (!expired.signal.aborted) throw cause;
    throw new TurfError('TURF_ERR_TIMEOUT', `seed ${spec.seed.id} did not fork in ${FORK_PATIENCE_MS} ms`, {
      cause,
    });
  } finally {
    clearTimeout(timer);
    for (const fd of open) closeSync(fd);
  }
}

/** Those that this host has; some are links, which the mount follows. */
function resolverFiles(): string[] {
  return RESOLVER_FILES.filter((path) => existsSync(path));
}

function unshareFlags(hostNetwork: boolean): number {
  const { pid, mount, ipc, uts, network } = NAMESPACES;
  return pid.flag | mount.flag | ipc.flag | uts.flag | (hostNetwork ? 0 : network.flag);
}

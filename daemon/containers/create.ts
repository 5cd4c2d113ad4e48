import { closeSync } from 'node:fs';
import { constants } from 'node:os';
import { type CreateOptions } from '../../cli/operations.js';
import { type OciConfig } from '../../oci-spec/config.js';
import { type CgroupHandle } from '../cgroups/cgroup.js';
import { type Machine } from '../machine.js';
import { compilePlan } from '../plan/compile.js';
import { openConsoleSocket } from './console-socket.js';
import { cgroupView, makeCgroup } from './container-cgroup.js';
import { Container } from './container.js';
import { type ExitWatch } from './exits.js';
import { type Facts } from './facts.js';
import { homeDirectory } from './home.js';
import { runHooks } from './hooks.js';
import { resctrlRoot } from './intel-rdt.js';
import { launchContainer, newUserNamespace } from './launch.js';
import { lendHostResources } from './linux-extras.js';
import { logStdio } from './logs.js';
import { openMountSources } from './mount-sources.js';
import { openNamespaces } from './namespaces.js';
import { hookState } from './oci-state.js';
import { prepareListener } from './seccomp-listener.js';
import { writePidFile } from './pid-file.js';
import { sendPidfd } from './pidfd-socket.js';
import { reserve } from './reserve.js';
import { UndoStack } from './undo.js';

/** What create is told of the container beyond the caller's options: the two kinds of bundle differ only here. */
export interface ContainerSpec {
  readonly config: OciConfig;
  /** The text that is kept as config.json. */
  readonly configText: string;
  /** Absolute path of the root file system. */
  readonly rootfs: string;
  readonly facts: Partial<Facts> & Pick<Facts, 'kind'>;
  /** Index in config.mounts → detached mount to attach there; the callee closes them. */
  readonly mountFds: ReadonlyMap<number, number>;
  /** Descriptors that the program is to have, by number; the callee closes them. */
  readonly adopt: readonly { readonly fd: number; readonly number: number }[];
  /** A seed or a worker: its user namespace comes last (see PlanInput), and its cgroup has only the controllers that it needs. */
  readonly confined?: true;
  /** Undoes what `prepare` made outside of the container's directory. */
  readonly release?: () => void;
}

/** What a container's first process is made with. */
export interface LaunchContext {
  readonly machine: Machine;
  readonly exits: ExitWatch;
  readonly undo: UndoStack;
  readonly options: CreateOptions;
  readonly spec: ContainerSpec;
  readonly container: Container;
  readonly cgroup: CgroupHandle;
  /** Takes a descriptor that is closed when the launch has ended, however it did. */
  readonly own: (fd: number) => number;
}

/** Makes the first process of a container, and has it watched. */
export type Launch = (context: LaunchContext) => Promise<void>;

/** How a container comes to be, and what it is then. */
export interface Origin {
  readonly launch: Launch;
  readonly state: 'created' | 'running';
  readonly event: 'create' | 'restore';
}

const FROM_CONFIG: Origin = { launch: launchProgram, state: 'created', event: 'create' };

/**
 * Makes a container from its spec: up to the point where its first process waits to be started, or as far as `origin` says. Everything
 * is undone if a step fails.
 *
 * @param prepare called once the id is taken; may use the container's directory
 * @throws TurfError
 */
export async function createContainer(
  machine: Machine,
  exits: ExitWatch,
  options: CreateOptions,
  prepare: () => ContainerSpec | Promise<ContainerSpec>,
  origin: Origin = FROM_CONFIG,
): Promise<Container> {
  const { id } = options;
  const undo = new UndoStack();
  const given: number[] = [];
  try {
    reserve(machine, id, undo);
    const spec = await prepare();
    given.push(...spec.mountFds.values(), ...spec.adopt.map(({ fd }) => fd));
    if (spec.release !== undefined) undo.push('what the container was given', spec.release);
    const container = new Container(firstFacts(machine, options, spec));
    exits.hush(container);
    machine.containers.set(id, container);
    machine.store.writeConfig(id, spec.configText);
    // runtime-spec, runtime.md "Lifecycle", steps 4 to 13: a hook that fails leads to them, too.
    undo.push('poststop hooks', async () => {
      if (container.facts.process === undefined) return;
      const state = hookState(container, 'stopped', 0);
      await runHooks('poststop', spec.config.hooks?.poststop, state, options.bundle);
    });

    const cgroup = makeCgroup(
      machine,
      id,
      spec.config,
      options.systemdCgroup,
      spec.confined === true ? 'lean' : 'full',
    );
    undo.push('cgroup', async () => {
      await cgroup.kill(constants.signals.SIGKILL);
      await cgroup.destroy();
    });
    container.ownCgroup(cgroup);
    // Written before a process exists, so that a daemon that dies now leaves a trace of it.
    machine.store.writeFacts(container.learn(cgroup.needsPid ? {} : { cgroup: cgroup.describe() }));
    await launch(origin.launch, { machine, exits, undo, options, spec, container, cgroup });

    const { process } = container.facts;
    machine.store.writeFacts(container.learn({ phase: 'created', cgroup: cgroup.describe() }));
    if (options.pidFile !== undefined && process !== undefined) writePidFile(options.pidFile, process.pid);
    if (options.pidfdSocket !== undefined && container.pidfd !== undefined)
      sendPidfd(machine.kernel, options.pidfdSocket, 'standard', container.pidfd);
    container.enter({ state: origin.state });
    undo.clear();
    machine.log.info({ id, pid: process?.pid, bundle: options.bundle }, `container ${origin.event}d`);
    exits.announce(container, {
      type: origin.event,
      id,
      ...(process === undefined ? {} : { pid: process.pid }),
    });
    return container;
  } catch (error) {
    const suppressed = await undo.unwind();
    for (const err of suppressed) machine.log.error({ id, err }, 'could not undo a failed create');
    throw error;
  } finally {
    for (const fd of given) closeSync(fd);
  }
}

function firstFacts(machine: Machine, options: CreateOptions, spec: ContainerSpec): Facts {
  return {
    version: 1,
    id: options.id,
    ociVersion: spec.config.ociVersion,
    bundle: options.bundle,
    rootfs: spec.rootfs,
    created: new Date().toISOString(),
    bootId: machine.bootId,
    phase: 'creating',
    owner: machine.owner,
    annotations: spec.config.annotations ?? {},
    hooks: Object.keys(spec.config.hooks ?? {}),
    logs: options.launcher === undefined,
    ...(options.noNewKeyring === true ? { noNewKeyring: true } : {}),
    ...spec.facts,
  };
}

/** The steps that hold descriptors: each is closed here, whatever happens. */
async function launch(run: Launch, context: Omit<LaunchContext, 'own'>): Promise<void> {
  const open: number[] = [];
  const own = (fd: number): number => {
    open.push(fd);
    return fd;
  };
  try {
    await run({ ...context, own });
  } finally {
    for (const fd of open) closeSync(fd);
  }
}

async function launchProgram(context: LaunchContext): Promise<void> {
  const { machine, exits, undo, options, spec, container, cgroup, own } = context;
  const { id } = options;
  const { config } = spec;
  const namespaceFds = openNamespaces(config);
  namespaceFds.forEach(own);
  const entry = cgroup.enter();
  entry.tasksFds.forEach(own);
  if (entry.cgroupFd !== undefined) own(entry.cgroupFd);
  const consoleSocketFd = openConsoleSocket(machine.kernel, options, config.process?.terminal === true, own);
  const late = spec.confined === true;
  if (config.linux?.intelRdt !== undefined) resctrlRoot();
  const { sources, rootfs: rootfsFd } = openMountSources({
    kernel: machine.kernel,
    config,
    bundle: options.bundle,
    rootfs: spec.rootfs,
    namespaceFds,
    given: spec.mountFds,
    ownUserNamespace: newUserNamespace(config) && !late,
    own,
  });
  const uid = config.process?.user?.uid ?? 0;
  const seccompListener = prepareListener(machine, container, config, own);
  const plan = compilePlan({
    id,
    config,
    bundle: options.bundle,
    rootfs: spec.rootfs,
    stateJson: (pid, status) => hookState(container, status, pid),
    cgroup: { enterFds: entry.tasksFds, mounts: cgroupView(cgroup, machine) },
    namespaceFds,
    startSocketFd: own(machine.kernel.listenUnix(machine.store.path(id, 'start.sock'), 0o600)),
    withoutSync: !needsSync(config, cgroup),
    noPivot: options.noPivot ?? false,
    noNewKeyring: options.noNewKeyring ?? false,
    preserveFds: options.preserveFds ?? 0,
    bindSourceFds: new Map([...sources, ...spec.mountFds]),
    home: homeDirectory(machine.kernel, spec.rootfs, uid),
    adopt: spec.adopt,
    lateUserNamespace: late,
    selinux: machine.capabilities.selinux,
    ...(seccompListener === undefined ? {} : { seccompListener }),
    ...(rootfsFd === undefined ? {} : { rootfsFd }),
    ...(consoleSocketFd === undefined ? {} : { consoleSocketFd }),
    ...(config.linux?.seccomp === undefined
      ? {}
      : { seccomp: machine.seccomp.compile(config.linux.seccomp) }),
  });
  container.label(plan.labels);
  await launchContainer(machine, exits, undo, {
    container,
    config,
    plan,
    launcher: options.launcher ?? machine.supervisor,
    preserveFds: options.preserveFds ?? 0,
    lateUserNamespace: late,
    cgroupDirectory: entry.cgroupFd,
    stdio: options.launcher === undefined ? logStdio(machine.store, id, own) : undefined,
    onPid: async (pid) => {
      if (cgroup.needsPid) {
        await cgroup.start(pid);
        machine.store.writeFacts(container.learn({ cgroup: cgroup.describe() }));
      }
      lendHostResources(machine, container, config, pid, undo);
    },
  });
}

/** Whether the daemon, or a hook that is told the pid, has something to do between the clone and the rest of the plan: what `onPid` and launchContainer do there. */
function needsSync({ hooks, linux }: OciConfig, cgroup: CgroupHandle): boolean {
  return (
    cgroup.needsPid ||
    Object.values(hooks ?? {}).some((list) => list.length > 0) ||
    linux?.namespaces?.some(({ type }) => type === 'user') === true ||
    linux?.intelRdt !== undefined ||
    Object.keys(linux?.netDevices ?? {}).length > 0 ||
    linux?.seccomp?.listenerPath !== undefined
  );
}

import { closeSync } from 'node:fs';
import { type ForkOptions, type ForkResult } from '../../cli/operations.js';
import { TurfError } from '../../cli/turf-error.js';
import { type OciConfig } from '../../oci-spec/config.js';
import { type CgroupHandle } from '../cgroups/cgroup.js';
import { enterAs } from '../cgroups/worker.js';
import { Container } from '../containers/container.js';
import { type ExitWatch } from '../containers/exits.js';
import { logStdio } from '../containers/logs.js';
import { reserve } from '../containers/reserve.js';
import { EndedEarly } from '../containers/sync.js';
import { UndoStack } from '../containers/undo.js';
import { type Machine } from '../machine.js';
import { PlanBuilder } from '../plan/encode.js';
import { type CompiledSeccomp } from '../seccomp/compile.js';
import { type AheadClone } from './ahead-clone.js';
import { type AheadClones } from './ahead.js';
import {
  addRoot,
  askedClone,
  checkPlace,
  type CloneCgroup,
  type CloneProcess,
  enterCloneCgroup,
  finishPlan,
  makeCloneCgroup,
  ownClone,
  PlanDescriptors,
  requestClone,
  withPatience,
  WORKER_NAMESPACES,
} from './cloning.js';
import { bindListener, type Listener, removeListener } from './listen.js';
import { type CloneRequest } from './seed-control.js';
import { mainModule } from './seed-spec.js';
import { askedLimits, limitWorkerCgroup } from './worker-cgroup.js';
import { firstFacts, type Given, keepConfig, type Stdio } from './worker-home.js';
import { becomeWorker, LISTEN_FD, place } from './worker-plan.js';
import { type WorkerSpec, workerSpec } from './worker-spec.js';

const FORK_PATIENCE_MS = 10_000;

export interface ForkContext {
  readonly machine: Machine;
  readonly exits: ExitWatch;
  readonly ahead: AheadClones;
  readonly seccomp: CompiledSeccomp;
  readonly configOf: (seed: Container) => OciConfig;
}

/** What a worker is made of: a clone that was there already, or one that the seed is making. */
type Making =
  | { readonly kind: 'ahead'; readonly clone: AheadClone }
  | { readonly kind: 'asked'; readonly request: CloneRequest; readonly cgroup: CgroupHandle };

/** A clone made ahead was killed while it was given its plan, before any user code ran. */
class AheadCloneLost extends Error {}

/**
 * Clones a seed into a worker: parked until `start` where `hold` is asked for, running otherwise. Everything is undone if a step
 * fails.
 *
 * @throws TurfError
 */
export async function forkWorker(
  context: ForkContext,
  options: ForkOptions,
  given: Given,
): Promise<{ container: Container; result: ForkResult }> {
  try {
    return await forkOnce(context, options, given, context.ahead);
  } catch (error) {
    if (!(error instanceof AheadCloneLost)) throw error;
    return forkOnce(context, options, given, undefined);
  }
}

/** @param ahead clones that may be taken; undefined: the seed is asked for one @throws TurfError, AheadCloneLost */
async function forkOnce(
  context: ForkContext,
  options: ForkOptions,
  given: Given,
  ahead: AheadClones | undefined,
): Promise<{ container: Container; result: ForkResult }> {
  const { stdio, waking, systemdCgroup: systemd } = given;
  const { machine, exits } = context;
  const begun = process.hrtime.bigint();
  const { id } = options;
  const spec = workerSpec(machine, options, context.configOf);
  const undo = new UndoStack();
  let making: Making | undefined;
  try {
    if (waking === undefined) reserve(machine, id, undo);
    else undo.push('state', () => machine.store.writeFacts(waking.asleep.facts));
    const resources = askedLimits(machine, spec.resources, options);
    making = begin(machine, ahead, spec, { id, cgroupsPath: spec.cgroupsPath, systemd, resources }, undo);
    const container = new Container(firstFacts(machine, id, spec, { stdio, waking }));
    exits.hush(container);
    // One that wakes is asleep to whoever asks until it runs.
    if (waking === undefined) machine.containers.set(id, container);
    keepConfig(machine, id, spec);
    const listener = waking?.listener ?? (await bindListener(machine.kernel, spec.listen));
    if (waking === undefined)
      undo.push('listening socket', () => removeListener(machine.kernel, listener.address));
    const hold = options.hold === true;
    try {
      const cgroup = making.kind === 'ahead' ? making.clone.cgroup : making.cgroup;
      container.ownCgroup(cgroup);
      // Not where a daemon that finds a half-made worker would look for it.
      if (spec.cgroupsPath !== undefined && !cgroup.needsPid)
        machine.store.writeFacts(container.learn({ cgroup: cgroup.describe() }));
      await become(context, undo, { making, container, listener, spec, stdio, hold });
      if (waking !== undefined) machine.store.removeExit(id);
      machine.store.writeFacts(
        container.learn({ phase: 'created', cgroup: cgroup.describe(), listen: listener.address }),
      );
    } finally {
      if (waking === undefined) closeSync(listener.fd);
    }
    container.enter(hold ? { state: 'created' } : { state: 'running' });
    machine.containers.set(id, container);
    undo.clear();
    const pid = container.facts.process?.pid ?? 0;
    const forkMs = Number(process.hrtime.bigint() - begun) / 1e6;
    machine.log.debug({ id, pid, seed: options.seed, from: making.kind, forkMs }, 'worker forked');
    exits.announce(container, { type: 'fork', id, pid, seed: options.seed });
    return { container, result: { id, pid, listen: listener.address, forkMs } };
  } catch (error) {
    const suppressed = await undo.unwind();
    for (const err of suppressed) machine.log.error({ id, err }, 'could not undo a failed fork');
    throw making?.kind === 'ahead' && error instanceof EndedEarly ? new AheadCloneLost() : error;
  }
}

/** Takes a clone that is there; otherwise the seed clones itself while the daemon prepares what the clone is to become. */
function begin(
  machine: Machine,
  ahead: AheadClones | undefined,
  spec: WorkerSpec,
  wanted: CloneCgroup,
  undo: UndoStack,
): Making {
  const { resources, systemd } = wanted;
  // One that is there has a cgroup and knows its code already.
  const clone =
    typeof spec.code === 'string' && spec.cgroupsPath === undefined && systemd !== true
      ? ahead?.take(spec.seed.id, { code: spec.code, hostNetwork: spec.hostNetwork, resources })
      : undefined;
  if (clone !== undefined) {
    undo.push('clone', () => clone.end());
    limitWorkerCgroup(machine, clone.cgroupPath, resources);
    return { kind: 'ahead', clone };
  }
  const request = requestClone(machine, spec.seed, WORKER_NAMESPACES, spec.hostNetwork);
  undo.push('clone request', () => request.sync.close());
  const cgroup = makeCloneCgroup(machine, wanted, undo);
  return { kind: 'asked', request, cgroup };
}

interface Becoming {
  readonly making: Making;
  readonly container: Container;
  readonly listener: Listener;
  readonly spec: WorkerSpec;
  readonly stdio: Stdio | undefined;
  readonly hold: boolean;
}

/** Gives the clone the plan that makes it the worker, and waits until it is one. */
async function become(context: ForkContext, undo: UndoStack, becoming: Becoming): Promise<void> {
  const { machine, exits } = context;
  const { making, container, spec } = becoming;
  const request = making.kind === 'ahead' ? making.clone.request : making.request;
  const descriptors = new PlanDescriptors();
  try {
    const { planFd, fds, labels } = lastPlan(context, descriptors, becoming);
    container.label(labels);
    const info = JSON.stringify({
      id: container.id,
      env: spec.env,
      main: mainModule(spec.config),
      listenFd: LISTEN_FD,
      limits: spec.limits,
      nodeModules: spec.nodeModules,
      ...(spec.maxRequests === undefined ? {} : { maxRequests: spec.maxRequests }),
      ...(spec.idleMs === undefined ? {} : { idleMs: spec.idleMs }),
    });
    // Before the clone is known to be one: what is not is ended with all of its cgroup.
    request.become(info, planFd, fds);
    await withPatience(
      request,
      FORK_PATIENCE_MS,
      async () => {
        const clone = await cloned(context, making, spec.seed, labels);
        const { pid } = clone;
        ownClone(machine, exits, container, clone, undo);
        await request.sync.untilReady(labels, async () => {
          await enterCloneCgroup(container.cgroup, pid);
          return '';
        });
        await checkPlace(exits, container, 'worker');
      },
      (cause) =>
        new TurfError('TURF_ERR_TIMEOUT', `seed ${spec.seed.id} did not fork in ${FORK_PATIENCE_MS} ms`, {
          cause,
        }),
    );
  } finally {
    request.sync.close();
    descriptors.close();
  }
}

function lastPlan(
  { machine, seccomp }: ForkContext,
  descriptors: PlanDescriptors,
  { making, container, listener, spec, stdio, hold }: Becoming,
): ReturnType<typeof finishPlan> {
  const { kernel, store } = machine;
  const { id } = container;
  const own = (fd: number): number => descriptors.own(fd);
  const plan = new PlanBuilder();
  if (making.kind === 'asked') {
    const { tasksFds } = enterAs(making.cgroup, spec.seed.facts.idBase ?? 0, machine.openAs);
    tasksFds.forEach(own);
    place(plan, { tasksFds, ownNetwork: !spec.hostNetwork });
  }
  if (making.kind === 'asked' || making.clone.code === undefined)
    addRoot(machine, plan, descriptors, spec.code, spec.hostNetwork);
  becomeWorker(plan, {
    hostname: id.slice(0, 63),
    stdio: stdio ?? logStdio(store, id, own),
    listenFd: listener.fd,
    startSocketFd: hold ? own(kernel.listenUnix(store.path(id, 'start.sock'), 0o600)) : undefined,
    seccomp,
  });
  return finishPlan(machine, plan, descriptors);
}

/** The clone's process; the container owns the pidfd from then on. */
async function cloned(
  { machine, exits }: ForkContext,
  making: Making,
  seed: Container,
  labels: readonly string[],
): Promise<CloneProcess> {
  if (making.kind === 'ahead') return making.clone.release();
  return askedClone(machine, exits, making.request, seed, labels);
}

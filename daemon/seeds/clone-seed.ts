import { closeSync, openSync } from 'node:fs';
import { TurfError } from '../../cli/turf-error.js';
import { KernelError } from '../../native-shim/kernel.js';
import { type OciConfig } from '../../oci-spec/config.js';
import { type TurfMember } from '../../oci-spec/turf-member.js';
import { enterAs } from '../cgroups/worker.js';
import { type Bundle, directoryInBundle } from '../containers/bundle.js';
import { Container } from '../containers/container.js';
import { type ExitWatch } from '../containers/exits.js';
import { type Facts } from '../containers/facts.js';
import { logStdio } from '../containers/logs.js';
import { reserve } from '../containers/reserve.js';
import { UndoStack } from '../containers/undo.js';
import { type Machine } from '../machine.js';
import { PlanBuilder } from '../plan/encode.js';
import { SYNC_ID_MAPS } from '../plan/plan-input.js';
import {
  askedClone,
  checkPlace,
  enterCloneCgroup,
  finishPlan,
  makeCloneCgroup,
  ownClone,
  PlanDescriptors,
  requestClone,
  withPatience,
} from './cloning.js';
import { inertTree } from './inert-tree.js';
import { type CloneRequest } from './seed-control.js';
import { becomeSeed, CLONED_CONTROL_FD } from './seed-plan.js';
import { mainModule, newTmp } from './seed-spec.js';
import { CLONED_RANGE_SIZE, freeClonedRange } from './user-range.js';
import { place } from './worker-plan.js';
import { checkHostNetwork, limitsOf, readySeed } from './worker-spec.js';

const PATIENCE_MS = 10_000;

/** No PID namespace: the end of its first process would end all clones nested in it (decision 7). */
const SEED_NAMESPACES = ['mount', 'ipc', 'uts'] as const;

export interface SeedCloning {
  readonly id: string;
  /** Id of the seed that is cloned. */
  readonly from: string;
  readonly bundle: Bundle;
  readonly member: Extract<TurfMember, { kind: 'seed' }>;
}

interface Becoming {
  readonly request: CloneRequest;
  readonly base: Container;
  readonly container: Container;
  readonly config: OciConfig;
  readonly member: SeedCloning['member'];
  readonly code: string;
  readonly hostNetwork: boolean;
}

/**
 * Makes a userland seed as a clone of a runtime seed: it shares the base's memory, and loads code of its own. Everything is undone if a step
 * fails. The clone runs; it has not parked yet.
 *
 * @throws TurfError
 */
export async function cloneSeed(
  machine: Machine,
  exits: ExitWatch,
  { id, from, bundle, member }: SeedCloning,
): Promise<Container> {
  const base = findBase(machine, from);
  const { config } = bundle;
  const code = checkedCode(bundle, member);
  const hostNetwork = member.network === 'host';
  if (hostNetwork) checkHostNetwork(base);
  const undo = new UndoStack();
  try {
    reserve(machine, id, undo);
    const request = requestClone(machine, base, SEED_NAMESPACES, hostNetwork);
    undo.push('clone request', () => request.sync.close());
    const container = new Container(firstFacts(machine, id, base, bundle, member, code));
    exits.hush(container);
    machine.containers.set(id, container);
    machine.store.writeConfig(id, bundle.text);
    const cgroup = makeCloneCgroup(
      machine,
      {
        id,
        cgroupsPath: config.linux?.cgroupsPath,
        systemd: undefined,
        resources: limitsOf(config) ?? {},
      },
      undo,
    );
    container.ownCgroup(cgroup);
    machine.store.writeFacts(container.learn(cgroup.needsPid ? {} : { cgroup: cgroup.describe() }));
    await become(machine, exits, undo, { request, base, container, config, member, code, hostNetwork });
    machine.store.writeFacts(container.learn({ phase: 'created', cgroup: cgroup.describe() }));
    container.enter({ state: 'running' });
    undo.clear();
    const pid = container.facts.process?.pid ?? 0;
    machine.log.info({ id, pid, seed: base.id, bundle: bundle.directory }, 'seed cloned');
    exits.announce(container, { type: 'fork', id, pid, seed: base.id });
    return container;
  } catch (error) {
    for (const err of await undo.unwind()) machine.log.error({ id, err }, 'could not undo a failed clone');
    throw error;
  }
}

function findBase(machine: Machine, from: string): Container {
  const base = readySeed(machine, from, 'from');
  if (base.facts.seedMode === 'runtime') return base;
  throw new TurfError('TURF_ERR_SEED', `from: seed ${from} has loaded code: only a runtime seed is a base`, {
    path: 'from',
  });
}

/** The code directory. @throws TurfError TURF_ERR_CONFIG for what a clone cannot be given */
function checkedCode({ directory, config }: Bundle, { mode, code }: SeedCloning['member']): string {
  const refuse = (path: string, why: string): never => {
    throw new TurfError('TURF_ERR_CONFIG', `${path}: ${why}`, { path });
  };
  if (Object.keys(config.hooks ?? {}).length > 0)
    refuse('hooks', 'a seed that is cloned from another runs none');
  if (mode !== 'userland' || code === undefined)
    return refuse('turf.seed', 'a seed that is cloned from another is a userland seed, with code');
  return directoryInBundle(directory, code, 'turf.code');
}

function firstFacts(
  machine: Machine,
  id: string,
  base: Container,
  { directory, config }: Bundle,
  member: SeedCloning['member'],
  code: string,
): Facts {
  return {
    version: 1,
    id,
    kind: 'seed',
    ociVersion: config.ociVersion,
    bundle: directory,
    rootfs: '',
    created: new Date().toISOString(),
    bootId: machine.bootId,
    phase: 'creating',
    owner: machine.owner,
    annotations: config.annotations ?? {},
    hooks: [],
    logs: true,
    seedMode: 'userland',
    idBase: freeClonedRange(
      base.facts,
      [...machine.containers.values()].map(({ facts }) => facts),
    ),
    idCount: CLONED_RANGE_SIZE,
    hostNetwork: member.network === 'host',
    ...(member.pool === undefined ? {} : { pool: member.pool }),
    code,
    seed: base.id,
  };
}

/** Gives the clone the plan that makes it a seed, and waits until it is one. */
async function become(
  machine: Machine,
  exits: ExitWatch,
  undo: UndoStack,
  becoming: Becoming,
): Promise<void> {
  const { request, base, container, config, member } = becoming;
  const descriptors = new PlanDescriptors();
  try {
    const { planFd, fds, labels } = seedPlan(machine, descriptors, becoming);
    container.label(labels);
    const seed = {
      mode: 'userland',
      main: mainModule(config),
      controlFd: CLONED_CONTROL_FD,
      nodeModules: member.nodeModules,
    };
    await withPatience(
      request,
      PATIENCE_MS,
      async () => {
        const clone = await askedClone(machine, exits, request, base, labels);
        ownClone(machine, exits, container, clone, undo);
        // Not before: a clone is known by its base's user namespace, which it leaves.
        request.becomeSeed(JSON.stringify({ id: container.id, seed }), planFd, fds);
        await request.sync.untilReady(labels, async (tag) => {
          if (tag === SYNC_ID_MAPS) mapIds(machine, base, container, clone.pid);
          else await enterCloneCgroup(container.cgroup, clone.pid);
          return '';
        });
        await checkPlace(exits, container, 'seed');
      },
      (cause) =>
        new TurfError('TURF_ERR_TIMEOUT', `seed ${base.id} made no clone in ${PATIENCE_MS} ms`, { cause }),
    );
  } finally {
    request.sync.close();
    descriptors.close();
  }
}

function seedPlan(
  machine: Machine,
  descriptors: PlanDescriptors,
  { base, container, code, hostNetwork }: Becoming,
): ReturnType<typeof finishPlan> {
  const { kernel, store } = machine;
  const { id, cgroup } = container;
  const own = (fd: number): number => descriptors.own(fd);
  const plan = new PlanBuilder();
  if (cgroup === undefined) throw new Error(`seed ${id} has no cgroup`);
  const { tasksFds } = enterAs(cgroup, base.facts.idBase ?? 0, machine.openAs);
  tasksFds.forEach(own);
  place(plan, { tasksFds, ownNetwork: !hostNetwork });
  becomeSeed(plan, {
    hostname: id.slice(0, 63),
    stdio: logStdio(store, id, own),
    codeTree: own(inertTree(kernel, code)),
    tmpTree: own(newTmp(kernel)),
    controlFd: own(kernel.listenUnix(store.path(id, 'control.sock'), 0o600)),
  });
  return finishPlan(machine, plan, descriptors);
}

/**
 * Gives the clone's new user namespace its part of the base's ids.
 *
 * @throws TurfError TURF_ERR_SEED; also where the clone has not made one, since the base's has its maps already
 */
function mapIds(machine: Machine, base: Container, { facts }: Container, pid: number): void {
  const first = (facts.idBase ?? 0) - (base.facts.idBase ?? 0);
  const map = `0 ${first} ${CLONED_RANGE_SIZE}\n`;
  const parent = openSync(`/proc/${base.facts.process?.pid ?? 0}/ns/user`, 'r');
  try {
    machine.kernel.mapNestedUserNamespace(parent, pid, map, map);
  } catch (cause) {
    if (!(cause instanceof KernelError)) throw cause;
    throw new TurfError('TURF_ERR_SEED', `cannot map the ids of seed ${facts.id}: ${cause.message}`, {
      cause,
    });
  } finally {
    closeSync(parent);
  }
}

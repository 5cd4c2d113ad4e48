import { closeSync, writeFileSync } from 'node:fs';
import { type Launcher, type LaunchRequest } from '../../cli/operations.js';
import { TurfError } from '../../cli/turf-error.js';
import { type OciConfig } from '../../oci-spec/config.js';
import { type Machine } from '../machine.js';
import { type CompiledPlan, SYNC_ID_MAPS, SYNC_NAMESPACES } from '../plan/plan-input.js';
import { type Container } from './container.js';
import { type ExitWatch } from './exits.js';
import { runHooks } from './hooks.js';
import { endFirstProcess } from './kill.js';
import { mapLines } from './mount-sources.js';
import { hookState } from './oci-state.js';
import { openProcess } from './process-facts.js';
import { SyncChannel } from './sync.js';
import { type UndoStack } from './undo.js';

const SETSID = 1;
const KEEP_STDIO = 2;
/** Descriptors before the plan's own in a launch request: turf-init, the plan, the sync channel. */
const LEADING_FDS = 3;

export interface LaunchInput {
  readonly container: Container;
  readonly config: OciConfig;
  readonly plan: CompiledPlan;
  readonly launcher: Launcher;
  readonly preserveFds: number;
  /** See PlanInput. */
  readonly lateUserNamespace: boolean;
  /** A cgroup v2 directory that the process is born in. */
  readonly cgroupDirectory: number | undefined;
  /** Descriptors for 0, 1 and 2; absent: the launcher's own. */
  readonly stdio: readonly [number, number, number] | undefined;
  /** Called once namespaces exist and the pid is known, before hooks run. */
  readonly onPid: (pid: number) => Promise<void>;
}

/**
 * Has the launcher clone `turf-init` with the plan, and drives it to the point where it waits to be started.
 *
 * @throws TurfError; what was made is on the undo stack
 */
export async function launchContainer(
  machine: Machine,
  exits: ExitWatch,
  undo: UndoStack,
  input: LaunchInput,
): Promise<void> {
  const { container, config, plan } = input;
  const planFd = machine.kernel.sealedMemfd('turf-plan', plan.bytes);
  let sync: SyncChannel | undefined;
  let theirs: number | undefined;
  const ended = new AbortController();
  try {
    const [ours, given] = machine.kernel.socketpair();
    theirs = given;
    sync = new SyncChannel(ours);
    const pid = await input.launcher.launch(launchRequest(machine, input, planFd, theirs));
    closeSync(theirs);
    theirs = undefined;
    // A process that has gone already may have said why.
    if (!watchProcess(machine, exits, undo, container, pid)) {
      await sync.untilReady(plan.labels, () => Promise.reject(tooEarly()));
      throw tooEarly();
    }
    void container.whenStopped().then(() => ended.abort());
    await sync.untilReady(plan.labels, async (tag) => {
      const idMaps = input.lateUserNamespace ? SYNC_ID_MAPS : SYNC_NAMESPACES;
      if (tag === idMaps && newUserNamespace(config)) writeIdMappings(pid, config);
      if (tag !== SYNC_NAMESPACES) return '';
      await input.onPid(pid);
      const state = hookState(container, 'creating', pid);
      const { bundle } = container.facts;
      // Deprecated hooks keep what they were told before there were createRuntime hooks: the container is created, not started.
      const prestart = hookState(container, 'created', pid);
      await runHooks('prestart', config.hooks?.prestart, prestart, bundle, ended.signal);
      await runHooks('createRuntime', config.hooks?.createRuntime, state, bundle, ended.signal);
      return String(pid);
    });
  } finally {
    closeSync(planFd);
    if (theirs !== undefined) closeSync(theirs);
    sync?.close();
  }
}

/** A launch request for a process in the launcher's own namespaces. @param fds turf-init, plan, sync channel, the plan's own */
export function plainRequest(
  fds: readonly number[],
  { stdio, cgroupDirectory, preserveFds }: Pick<LaunchInput, 'stdio' | 'cgroupDirectory' | 'preserveFds'>,
): LaunchRequest {
  const all = [...fds];
  const add = (fd: number | undefined): number => (fd === undefined ? -1 : all.push(fd) - 1);
  return {
    cloneFlags: 0,
    flags: stdio === undefined ? KEEP_STDIO : SETSID,
    preserveFds,
    cgroupFd: add(cgroupDirectory),
    userNsFd: -1,
    pidNsFd: -1,
    stdinFd: add(stdio?.[0]),
    stdoutFd: add(stdio?.[1]),
    stderrFd: add(stdio?.[2]),
    fds: all,
  };
}

function tooEarly(): TurfError {
  return new TurfError('TURF_ERR_LAUNCH', 'the first process ended before the container was set up');
}

function launchRequest(machine: Machine, input: LaunchInput, planFd: number, sync: number): LaunchRequest {
  const { plan } = input;
  const join = (index: number): number => (index < 0 ? -1 : index + LEADING_FDS);
  return {
    ...plainRequest([machine.initProgram, planFd, sync, ...plan.fds], input),
    cloneFlags: plan.cloneFlags,
    userNsFd: join(plan.userNsJoinIndex),
    pidNsFd: join(plan.pidNsJoinIndex),
  };
}

/** Has the end of a container's first process reported. @returns false where the process has gone already */
export function watchProcess(
  machine: Machine,
  exits: ExitWatch,
  undo: UndoStack,
  container: Container,
  pid: number,
): boolean {
  const opened = openProcess(machine.kernel, pid);
  if (opened === undefined) return false;
  const { pidfd, facts } = opened;
  container.ownProcess(pidfd);
  undo.push('first process', async () => {
    endFirstProcess(machine, container);
    await exits.settle(container);
  });
  container.learn({ process: { pid, startTime: facts.startTime.toString() } });
  exits.watch(container, pid, facts.startTime, pidfd);
  return true;
}

export function newUserNamespace(config: OciConfig): boolean {
  return config.linux?.namespaces?.some(({ type, path }) => type === 'user' && (path ?? '') === '') === true;
}

/** Writes uid_map and gid_map of a new user namespace (user_namespaces(7)); each file takes one write. */
function writeIdMappings(pid: number, config: OciConfig): void {
  for (const [file, field, mappings] of [
    ['gid_map', 'linux.gidMappings', config.linux?.gidMappings],
    ['uid_map', 'linux.uidMappings', config.linux?.uidMappings],
  ] as const) {
    try {
      writeFileSync(`/proc/${pid}/${file}`, mapLines(mappings));
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new TurfError('TURF_ERR_CONFIG', `${field}: ${reason}`, { path: field, cause });
    }
  }
}

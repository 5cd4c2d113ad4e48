import { closeSync } from 'node:fs';
import { type Launcher } from '../../cli/operations.js';
import { TurfError } from '../../cli/turf-error.js';
import { KernelError } from '../../native-shim/kernel.js';
import { signalNumber } from '../../oci-spec/signals.js';
import { encodeFrame } from '../channel/frame-channel.js';
import { PayloadWriter } from '../channel/payload.js';
import { type Container } from '../containers/container.js';
import { type Exit, type Facts } from '../containers/facts.js';
import { endFirstProcess } from '../containers/kill.js';
import { openProcess, runs } from '../containers/process-facts.js';
import { SyncChannel } from '../containers/sync.js';
import { type Machine } from '../machine.js';
import { PlanBuilder } from '../plan/encode.js';
import { capabilityMask } from '../../oci-spec/capabilities.js';

/** docs/protocol.md, "Launch request": the caller's descriptors 0 to 2. */
const KEEP_STDIO = 2;
const UNKNOWN_STATUS = 255;

/** A process that descends from the caller, for a worker that does not (native-shim/plan/stand-in.c). */
export interface StandIn {
  readonly pid: number;
  /** The caller's standard descriptors, for the worker; `releaseStandIn` closes them. */
  readonly stdio: readonly [number, number, number];
  /** Connection to it: its end, unless a worker was sent, is the stand-in's. */
  readonly socket: number;
}

/**
 * Has the caller clone a stand-in, which waits for its worker.
 *
 * @throws TurfError
 */
export async function launchStandIn(machine: Machine, launcher: Launcher): Promise<StandIn> {
  const { kernel } = machine;
  const open: number[] = [];
  const own = (fd: number): number => {
    open.push(fd);
    return fd;
  };
  const [socket, theirs] = kernel.socketpair();
  own(theirs);
  try {
    const plan = standInPlan(theirs);
    const planFd = own(kernel.sealedMemfd('turf-plan', plan.bytes));
    const [ours, given] = kernel.socketpair();
    own(given);
    const sync = new SyncChannel(ours);
    try {
      const none = -1;
      const pid = await launcher.launch({
        cloneFlags: 0,
        flags: KEEP_STDIO,
        preserveFds: 0,
        cgroupFd: none,
        userNsFd: none,
        pidNsFd: none,
        stdinFd: none,
        stdoutFd: none,
        stderrFd: none,
        fds: [machine.initProgram, planFd, given, ...plan.fds],
      });
      closeSync(given);
      open.splice(open.indexOf(given), 1);
      await sync.untilReady(plan.labels, () => Promise.resolve(''));
      return { pid, socket, stdio: receiveStdio(machine, socket) };
    } finally {
      sync.close();
    }
  } catch (error) {
    closeSync(socket);
    throw error;
  } finally {
    for (const fd of open) closeSync(fd);
  }
}

/** It is root of the host, for signals to any worker, and can do nothing else. */
function standInPlan(socket: number): ReturnType<PlanBuilder['finish']> {
  const plan = new PlanBuilder();
  const kill = capabilityMask(['CAP_KILL']);
  plan.setsid('stand-in');
  plan.dropBounding('stand-in', kill);
  plan.capabilities('stand-in', { effective: kill, permitted: kill, inheritable: 0n, ambient: 0n });
  plan.noNewPrivs('stand-in');
  plan.standIn('stand-in', plan.addFd(socket));
  return plan.finish();
}

/** It sent them before it reported that it is ready. */
function receiveStdio({ kernel }: Machine, socket: number): [number, number, number] {
  const { fds } = kernel.receive(socket, 8);
  const [stdin, stdout, stderr] = fds;
  if (stdin !== undefined && stdout !== undefined && stderr !== undefined) return [stdin, stdout, stderr];
  for (const fd of fds) closeSync(fd);
  throw new TurfError('TURF_ERR_LAUNCH', 'the stand-in did not hand over its standard descriptors');
}

/** Keeps stand-ins and their workers together: each ends with the other. */
export class StandIns {
  readonly #machine: Machine;
  /** `pid-startTime` of a stand-in → its worker. */
  readonly #workers = new Map<string, Container>();

  constructor(machine: Machine) {
    this.#machine = machine;
    machine.supervisor.on('died', ({ pid, startTime }) => {
      const key = `${pid}-${startTime}`;
      const worker = this.#workers.get(key);
      if (worker === undefined) return;
      this.#workers.delete(key);
      endFirstProcess(machine, worker);
    });
  }

  /**
   * Makes a stand-in the one of a worker: in its cgroup, for its signals, with its end.
   *
   * @param standIn its socket is the callee's from now on
   * @throws TurfError where either has gone; the worker's end is the stand-in's then, too
   */
  represent(container: Container, standIn: StandIn): void {
    const { kernel, store } = this.#machine;
    const { pid, socket } = standIn;
    void container.whenStopped().then((exit) => this.#tell(socket, exit));
    container.cgroup?.attach(pid);
    const startTime = this.#watch(container, pid);
    if (startTime === undefined || container.pidfd === undefined)
      throw new TurfError('TURF_ERR_LAUNCH', 'the clone or its stand-in ended before it was set up');
    store.writeFacts(container.learn({ standIn: { pid, startTime: startTime.toString() } }));
    kernel.send(socket, encodeFrame('W'), [container.pidfd]);
  }

  /** Takes over what an earlier daemon left: a stand-in that has gone takes its worker along. */
  recover(container: Container): void {
    const { standIn } = container.facts;
    if (standIn === undefined || container.lifecycle.state === 'stopped') return;
    if (this.#watch(container, standIn.pid, standIn) === undefined) endFirstProcess(this.#machine, container);
  }

  /** @returns its start time; undefined where it has gone */
  #watch(container: Container, pid: number, known?: NonNullable<Facts['standIn']>): bigint | undefined {
    const { kernel, supervisor } = this.#machine;
    const opened = openProcess(kernel, pid);
    if (opened === undefined) return undefined;
    const { pidfd, facts } = opened;
    try {
      if (!runs(facts) || (known !== undefined && facts.startTime !== BigInt(known.startTime)))
        return undefined;
      this.#workers.set(`${pid}-${facts.startTime}`, container);
      supervisor.watch(pid, facts.startTime, pidfd);
      return facts.startTime;
    } finally {
      closeSync(pidfd);
    }
  }

  /** Kernels before Linux 6.15 do not tell a stand-in how its worker ended. */
  #tell(socket: number, exit: Exit): void {
    try {
      this.#machine.kernel.send(
        socket,
        encodeFrame('X', new PayloadWriter().u32(waitStatus(exit)).finish()),
        [],
      );
    } catch (error) {
      // It knew already.
      if (!(error instanceof KernelError && error.code === 'EPIPE')) throw error;
    } finally {
      closeSync(socket);
    }
  }
}

/** Closes the caller's descriptors; a stand-in that was not `given` to a worker ends. */
export function releaseStandIn({ socket, stdio }: StandIn, given: boolean): void {
  for (const fd of stdio) closeSync(fd);
  if (!given) closeSync(socket);
}

function waitStatus({ exitCode, exitSignal }: Exit): number {
  if (exitSignal !== undefined) return signalNumber(exitSignal) ?? UNKNOWN_STATUS << 8;
  return (exitCode ?? UNKNOWN_STATUS) << 8;
}

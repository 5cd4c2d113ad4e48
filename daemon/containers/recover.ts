import { closeSync } from 'node:fs';
import { type Machine } from '../machine.js';
import { restoreCgroup } from './container-cgroup.js';
import { Container } from './container.js';
import { type ExitWatch } from './exits.js';
import { type Facts } from './facts.js';
import { endCgroup, removeLeftoverCgroup } from './leftovers.js';
import { leaveIntelRdt } from './intel-rdt.js';
import { openProcess, runs } from './process-facts.js';
import { waitsForStart } from './start-connection.js';

/**
 * Takes over what an earlier daemon left: containers that run or wait, exit statuses of those that ended meanwhile, and
 * half-made ones, which are removed.
 *
 * @returns the seeds that still run, whose parking is not known yet
 */
export async function recoverContainers(machine: Machine, exits: ExitWatch): Promise<Container[]> {
  const { store, log } = machine;
  const seeds: Container[] = [];
  const halfMade: { id: string; facts: Facts | undefined }[] = [];
  // No pause in this loop: the supervisor's report of an end must find the container watched.
  for (const { id, facts, error } of store.entries()) {
    try {
      if (error !== undefined) throw error;
      if (facts === undefined || facts.phase === 'creating') {
        halfMade.push({ id, facts });
        continue;
      }
      const container = recoverOne(machine, exits, facts);
      if (facts.kind === 'seed' && container.lifecycle.state === 'running') seeds.push(container);
    } catch (err) {
      log.error({ id, err }, 'could not take over a container');
      // Whatever it was, it can be looked at and deleted.
      machine.containers.get(id)?.stop({ stoppedAt: new Date().toISOString() });
    }
  }
  for (const { id, facts } of halfMade) {
    try {
      await removeHalfMade(machine, id, facts);
    } catch (err) {
      log.error({ id, err }, 'could not remove a half-made container');
    }
  }
  // What is left tells of processes that are nobody's first one.
  store.removeExitRecords();
  return seeds;
}

function recoverOne(machine: Machine, exits: ExitWatch, facts: Facts): Container {
  const { store, kernel } = machine;
  const container = new Container(facts);
  machine.containers.set(facts.id, container);
  if (facts.cgroup !== undefined) container.ownCgroup(restoreCgroup(facts.cgroup));
  const exit = store.readExit(facts.id);
  if (exit !== undefined) {
    container.stop(exit);
    return container;
  }
  const { process } = facts;
  if (
    process !== undefined &&
    facts.bootId === machine.bootId &&
    watchIfAlive(machine, exits, container, process)
  ) {
    const waits = waitsForStart(kernel, store.path(facts.id, 'start.sock'));
    container.enter({ state: waits ? 'created' : 'running' });
    machine.log.info({ id: facts.id, pid: process.pid }, 'container taken over');
    return container;
  }
  const record = process === undefined ? undefined : store.readExitRecord(process.pid, process.startTime);
  exits.record(container, record?.status ?? -1, record?.at ?? new Date().toISOString());
  if (process !== undefined) store.removeExitRecords(process.pid, process.startTime);
  return container;
}

function watchIfAlive(
  machine: Machine,
  exits: ExitWatch,
  container: Container,
  { pid, startTime }: NonNullable<Facts['process']>,
): boolean {
  const opened = openProcess(machine.kernel, pid);
  if (opened === undefined) return false;
  const { pidfd, facts } = opened;
  if (facts.startTime !== BigInt(startTime) || !runs(facts)) {
    closeSync(pidfd);
    return false;
  }
  container.ownProcess(pidfd);
  exits.watch(container, pid, BigInt(startTime), pidfd);
  return true;
}

/**
 * A daemon that died while it created a container left no first process (its sync channel broke), but maybe all else. A clone's
 * cgroup is at its default place, and is only written down once the clone lives.
 */
async function removeHalfMade(machine: Machine, id: string, facts: Facts | undefined): Promise<void> {
  if (facts?.cgroup === undefined) await removeLeftoverCgroup(machine, id);
  else await endCgroup(restoreCgroup(facts.cgroup));
  if (facts?.rdt !== undefined) leaveIntelRdt(facts.rdt);
  machine.store.remove(id);
  machine.log.warn({ id }, 'removed a half-made container');
}

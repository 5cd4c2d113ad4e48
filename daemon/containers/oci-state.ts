import { type ContainerState } from '../../cli/operations.js';
import { type Container } from './container.js';
import { observedState, turfState } from './lifecycle.js';

/** The container's state as `turf state` prints it (runtime-spec, runtime.md "State", and runc's extra fields). */
export function containerState(container: Container): ContainerState {
  const { facts, lifecycle } = container;
  const exit = lifecycle.state === 'stopped' ? lifecycle.exit : undefined;
  const oomKills = exit === undefined ? (container.cgroup?.oomCount() ?? 0) : (exit.oomKills ?? 0);
  // An engine knows, and waits for, what it made.
  const pid = exit === undefined ? ((facts.standIn ?? facts.process)?.pid ?? 0) : 0;
  return {
    ociVersion: facts.ociVersion,
    id: facts.id,
    pid,
    status: observedState(container),
    bundle: facts.bundle,
    rootfs: facts.rootfs,
    created: facts.created,
    ...(Object.keys(facts.annotations).length === 0 ? {} : { annotations: facts.annotations }),
    owner: facts.owner,
    turf: {
      kind: facts.kind,
      state: turfState(container),
      ...(facts.seed === undefined ? {} : { seed: facts.seed }),
      ...(facts.start === undefined ? {} : { start: facts.start }),
      ...(facts.listen === undefined ? {} : { listen: facts.listen }),
      ...(exit?.exitCode === undefined ? {} : { exitCode: exit.exitCode }),
      ...(exit?.exitSignal === undefined ? {} : { exitSignal: exit.exitSignal }),
      ...(oomKills > 0 ? { oomKills } : {}),
      ...(facts.resources === undefined ? {} : { resources: facts.resources }),
      ...(exit === undefined ? {} : { stoppedAt: exit.stoppedAt }),
    },
  };
}

/**
 * The state that hooks read on their stdin.
 *
 * @param pid the first process, or the placeholder `@PID@` that turf-init fills in
 */
export function hookState(container: Container, status: string, pid: number | '@PID@'): string {
  const { facts } = container;
  const json = JSON.stringify({
    ociVersion: facts.ociVersion,
    id: facts.id,
    status,
    pid,
    bundle: facts.bundle,
    ...(Object.keys(facts.annotations).length === 0 ? {} : { annotations: facts.annotations }),
  });
  // The placeholder stands for a number: it must not stay quoted.
  return pid === '@PID@' ? json.replace('"pid":"@PID@"', '"pid":@PID@') : json;
}

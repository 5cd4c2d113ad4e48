import { type Container } from '../containers/container.js';
import { type Facts } from '../containers/facts.js';
import { type Machine } from '../machine.js';
import { type Listener } from './listen.js';
import { type WorkerSpec } from './worker-spec.js';

/** Descriptors for 0, 1 and 2. */
export type Stdio = readonly [number, number, number];

/** A worker that is there already, asleep: its directory, and its socket, which stays the caller's. */
export interface Waking {
  readonly asleep: Container;
  readonly listener: Listener;
  readonly life: NonNullable<Facts['life']>;
}

/** What a fork need not make. */
export interface Given {
  /** What the worker reads and writes; stays the caller's. Absent: its output goes to log files. */
  readonly stdio?: Stdio | undefined;
  readonly waking?: Waking | undefined;
  /** Whether the caller wants systemd to make its cgroup; absent: see makeCloneCgroup. */
  readonly systemdCgroup?: boolean | undefined;
}

/** A worker without a bundle of its own runs what its seed was made from; a link spares a file. */
export function keepConfig({ store }: Machine, id: string, { seed, configText }: WorkerSpec): void {
  if (configText === undefined) store.linkConfig(seed.id, id);
  else store.writeConfig(id, configText);
}

/** What is known of a worker before there is a process. */
export function firstFacts(
  machine: Machine,
  id: string,
  spec: WorkerSpec,
  { stdio, waking }: Given = {},
): Facts {
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
    // What wakes is no half-made container if the daemon dies meanwhile.
    phase: waking === undefined ? 'creating' : 'created',
    owner: machine.owner,
    annotations: config.annotations ?? {},
    hooks: [],
    logs: stdio === undefined,
    seed: seed.id,
    ...(seed.facts.idBase === undefined ? {} : { idBase: seed.facts.idBase }),
    ...(seed.facts.idCount === undefined ? {} : { idCount: seed.facts.idCount }),
    ...(waking === undefined ? {} : { life: waking.life, listen: waking.listener.address }),
  };
}

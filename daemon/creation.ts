import { closeSync } from 'node:fs';
import {
  type CreateOptions,
  type CreateResult,
  type ForkOptions,
  type ForkResult,
} from '../cli/operations.js';
import { type RestoreOptions } from '../cli/checkpoint.js';
import { TurfError } from '../cli/turf-error.js';
import { configWarnings } from '../oci-spec/semantic.js';
import { readTurfMember, type TurfMember } from '../oci-spec/turf-member.js';
import { refuseUnsupported } from '../oci-spec/unsupported.js';
import { asTurfError, type Bundle, readBundle, rootDirectory } from './containers/bundle.js';
import { type Container } from './containers/container.js';
import { type ContainerSpec, createContainer, type Origin } from './containers/create.js';
import { deleteContainer } from './containers/delete.js';
import { type ExitWatch } from './containers/exits.js';
import { withListenFds } from './containers/listen-fds.js';
import { writePidFile } from './containers/pid-file.js';
import { sendPidfd } from './containers/pidfd-socket.js';
import { startContainer } from './containers/start.js';
import { restoring } from './checkpoint/restore.js';
import { type Machine } from './machine.js';
import { type Seeds } from './seeds/seeds.js';
import { launchStandIn, releaseStandIn } from './seeds/stand-in.js';

/** Makes whatever a bundle asks for: a container, a seed, a clone of one, or a worker that starts cold. The caller holds the id's lock. */
export class Creation {
  readonly #machine: Machine;
  readonly #exits: ExitWatch;
  readonly #seeds: Seeds;

  constructor(machine: Machine, exits: ExitWatch, seeds: Seeds) {
    this.#machine = machine;
    this.#exits = exits;
    this.#seeds = seeds;
  }

  /** @throws TurfError */
  async create(options: CreateOptions): Promise<CreateResult> {
    if (options.seed !== undefined) return this.#createWorker(options, options.seed);
    const bundle = readBundle(options.bundle);
    const member = asTurfError(() => readTurfMember(bundle.config));
    if (member.kind === 'worker') return this.#createWorker(options, member.from);
    const container = await this.#create(options, bundle, member);
    return { id: options.id, pid: container.facts.process?.pid ?? 0 };
  }

  /**
   * Makes a container that goes on where a checkpoint was made.
   *
   * @throws TurfError
   */
  async restore(options: RestoreOptions): Promise<CreateResult> {
    const { create } = options;
    const bundle = readBundle(create.bundle);
    const member = asTurfError(() => readTurfMember(bundle.config));
    if (member.kind !== 'container')
      throw new TurfError(
        'TURF_ERR_UNSUPPORTED',
        `turf: a ${member.kind} cannot be restored from a checkpoint`,
        {
          path: 'turf',
        },
      );
    const launch = restoring(options);
    const container = await this.#create(create, bundle, member, {
      launch,
      state: 'running',
      event: 'restore',
    });
    return { id: create.id, pid: container.facts.process?.pid ?? 0 };
  }

  /**
   * Starts a worker with the code of a seed, in a process of its own.
   *
   * @throws TurfError
   */
  async forkCold(options: ForkOptions, seed: Container): Promise<ForkResult> {
    const begun = performance.now();
    const { id } = options;
    const container = await createContainer(
      this.#machine,
      this.#exits,
      { id, bundle: options.bundle ?? seed.facts.bundle },
      () => this.#seeds.coldForkSpec(options),
    );
    if (options.hold !== true) await this.#startOrDelete(container);
    const { process, listen } = container.facts;
    return { id, pid: process?.pid ?? 0, listen: listen ?? '', forkMs: performance.now() - begun };
  }

  async #startOrDelete(container: Container): Promise<void> {
    try {
      await startContainer(this.#machine, this.#exits, container);
    } catch (error) {
      await deleteContainer(this.#machine, container, true);
      throw error;
    }
  }

  #create(options: CreateOptions, bundle: Bundle, member: TurfMember, origin?: Origin): Promise<Container> {
    asTurfError(() => refuseUnsupported(bundle.config, this.#machine.capabilities));
    for (const { path, message } of configWarnings(bundle.config)) {
      this.#machine.log.warn({ id: options.id, field: path }, message);
    }
    return createContainer(
      this.#machine,
      this.#exits,
      options,
      () => this.#spec(options, bundle, member),
      origin,
    );
  }

  #spec(options: CreateOptions, bundle: Bundle, member: TurfMember): ContainerSpec | Promise<ContainerSpec> {
    switch (member.kind) {
      case 'container':
        return {
          config: withListenFds(bundle.config, options.listenFds ?? 0),
          configText: bundle.text,
          rootfs: rootDirectory(bundle.directory, bundle.config),
          facts: { kind: 'container' },
          mountFds: new Map(),
          adopt: [],
        };
      case 'seed':
        if (member.from !== undefined) {
          const message = 'turf.from: a seed that is cloned from another is made by seed create';
          throw new TurfError('TURF_ERR_UNSUPPORTED', message, { path: 'turf.from' });
        }
        return this.#seeds.spec(options.id, bundle, member);
      case 'aworker':
        refuseTerminal(options);
        return this.#seeds.coldSpec(options.id, bundle, member);
      case 'worker':
        throw new Error(`a clone of ${member.from} is not created from a plan`);
    }
  }

  #sendPidfd(path: string, pid: number): void {
    const { kernel } = this.#machine;
    const pidfd = kernel.pidfdOpen(pid);
    try {
      sendPidfd(kernel, path, 'standard', pidfd);
    } finally {
      closeSync(pidfd);
    }
  }

  async #createWorker(options: CreateOptions, seed: string): Promise<CreateResult> {
    const { id, bundle, pidFile, pidfdSocket, launcher, systemdCgroup } = options;
    refuseTerminal(options);
    // With --seed the caller asks turf for a worker; a bundle that names its seed is run by an engine, which needs a child.
    const standIn =
      launcher === undefined || options.seed !== undefined
        ? undefined
        : await launchStandIn(this.#machine, launcher);
    let given = false;
    try {
      const { container, result } = await this.#seeds.fork(
        { id, seed, bundle, hold: true },
        { systemdCgroup, ...(standIn === undefined ? {} : { stdio: standIn.stdio }) },
      );
      try {
        if (standIn !== undefined) {
          given = true;
          this.#seeds.standIns.represent(container, standIn);
        }
        const pid = standIn?.pid ?? result.pid;
        if (pidFile !== undefined) writePidFile(pidFile, pid);
        if (pidfdSocket !== undefined) this.#sendPidfd(pidfdSocket, pid);
        return { id, pid };
      } catch (error) {
        await deleteContainer(this.#machine, container, true);
        throw error;
      }
    } finally {
      if (standIn !== undefined) releaseStandIn(standIn, given);
    }
  }
}

function refuseTerminal({ consoleSocket, consoleFd }: CreateOptions): void {
  if (consoleSocket === undefined && consoleFd === undefined) return;
  throw new TurfError('TURF_ERR_USAGE', 'a worker has no terminal', { path: 'process.terminal' });
}

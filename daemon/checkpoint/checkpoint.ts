import { readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { type CheckpointOptions } from '../../cli/checkpoint.js';
import { TurfError } from '../../cli/turf-error.js';
import { type OciConfig } from '../../oci-spec/config.js';
import { type Container } from '../containers/container.js';
import { deleteContainer } from '../containers/delete.js';
import { assertAllowed, observedState } from '../containers/lifecycle.js';
import { storedConfig } from '../containers/stored-config.js';
import { type Machine } from '../machine.js';
import { commonArguments, findCriu, logOf, makeDirectories, runCriu } from './criu.js';
import { type CheckpointImage, removeImage, writeImage } from './image.js';
import { outsideMounts, outsideStreams } from './outside.js';

const END_PATIENCE_MS = 10_000;

/**
 * Has CRIU save the processes of a container. It ends with that, and is deleted, unless it is to be left running; where CRIU fails, it
 * goes on.
 *
 * @throws TurfError TURF_ERR_STATE, TURF_ERR_UNSUPPORTED, TURF_ERR_USAGE, TURF_ERR_CHECKPOINT
 */
export async function checkpointContainer(
  machine: Machine,
  container: Container,
  options: CheckpointOptions,
): Promise<void> {
  const { id, facts } = container;
  refuseKind(container);
  assertAllowed(id, 'checkpoint', observedState(container));
  const pid = facts.process?.pid ?? 0;
  const program = findCriu(options.criu, 'checkpoint');
  const config = storedConfig(machine.store, id);
  const mountinfo = readFileSync(`/proc/${pid}/mountinfo`, 'utf8');
  const mounts = outsideMounts(config, mountinfo);
  const streams = outsideStreams(pid, mountinfo);
  const namespaces = joinedNamespaces(config, pid);
  makeDirectories(options);

  const external = [
    ...mounts.map((point) => `mnt[${point}]:${point}`),
    ...streams.filter(({ named }) => named).map(({ key }) => key),
    ...namespaces.map(({ external }) => external),
  ];
  const command = options.preDump === true ? 'pre-dump' : 'dump';
  const args = [
    command,
    ...['--tree', String(pid)],
    ...commonArguments(options, facts.rootfs, 'dump'),
    ...freezer(container),
    ...external.flatMap((resource) => ['--external', resource]),
    ...dumpArguments(options),
  ];
  machine.log.info({ id, program, args }, 'criu is started');
  // Before: without it the images of a container that has ended would be worth nothing.
  writeImage(options.imagePath, {
    version: 1,
    mounts: [...mounts],
    streams: streams.map(({ fd, key }) => ({ fd, key })),
    namespaces: namespaces.map(({ type, key }) => ({ type, key })),
  });
  try {
    await runCriu(program, args, logOf(options, 'dump'));
  } catch (error) {
    removeImage(options.imagePath);
    throw error;
  }
  machine.log.info({ id, images: options.imagePath }, 'container checkpointed');
  machine.events.publish({ type: 'checkpoint', id, pid });
  if (options.preDump === true || options.leaveRunning === true) return;
  await Promise.race([container.whenStopped(), delay(END_PATIENCE_MS, undefined, { ref: false })]);
  await deleteContainer(machine, container, true);
}

/** Clones share their seed's memory, sockets and root with the daemon's own bookkeeping: there is nothing to take apart. */
function refuseKind({ id, facts: { kind } }: Container): void {
  if (kind === 'container') return;
  const why =
    kind === 'worker'
      ? 'a worker is a clone that shares the memory of its seed; fork another one instead'
      : 'a seed is tied to the daemon that forks it; create it again from its bundle';
  throw new TurfError('TURF_ERR_UNSUPPORTED', `cannot checkpoint ${id}: ${why}`, {
    operation: `checkpoint ${id}`,
  });
}

/** By its cgroup all of a container stops at once; a paused one is so already, and CRIU leaves it as it was. */
function freezer({ cgroup }: Container): readonly string[] {
  const directory = cgroup?.paths.get('freezer') ?? cgroup?.paths.get('');
  return directory === undefined ? [] : ['--freeze-cgroup', directory];
}

function dumpArguments(options: CheckpointOptions): readonly string[] {
  const { pageServer } = options;
  return [
    ...(options.preDump === true ? ['--track-mem'] : []),
    ...(options.parentPath === undefined ? [] : ['--track-mem', '--prev-images-dir', options.parentPath]),
    ...(options.leaveRunning === true ? ['--leave-running'] : []),
    ...(pageServer === undefined
      ? []
      : ['--page-server', '--address', pageServer.address, '--port', String(pageServer.port)]),
  ];
}

interface JoinedNamespace {
  readonly type: CheckpointImage['namespaces'][number]['type'];
  readonly key: string;
  /** criu(8), --external. */
  readonly external: string;
}

/** Namespaces that the container has joined are others' to save. */
function joinedNamespaces(config: OciConfig, pid: number): readonly JoinedNamespace[] {
  return (['network', 'pid'] as const).flatMap((type) => {
    const path = config.linux?.namespaces?.find((namespace) => namespace.type === type)?.path ?? '';
    if (path === '') return [];
    const name = type === 'network' ? 'net' : 'pid';
    const inode = /\[(\d+)\]/.exec(readlinkSync(`/proc/${pid}/ns/${name}`))?.[1] ?? '';
    const key = `turf-${name}`;
    return [{ type, key, external: `${name}[${inode}]:${key}` }];
  });
}

import { resolve } from 'node:path';
import { TurfError } from '../../cli/turf-error.js';
import { type Kernel } from '../../native-shim/kernel.js';
import { type OciConfig, type OciIdMapping } from '../../oci-spec/config.js';
import { type NamespaceType } from '../../oci-spec/namespaces.js';
import { type PlannedMount, planMount } from '../plan/planned-mount.js';

export interface MountSources {
  /** Index in config.mounts to the source as a detached mount. */
  readonly sources: ReadonlyMap<number, number>;
  /** The root as a detached mount. */
  readonly rootfs?: number;
}

interface SourceInput {
  readonly kernel: Kernel;
  readonly config: OciConfig;
  /** Relative sources start here. */
  readonly bundle: string;
  readonly rootfs: string;
  /** Namespaces that the config joins. */
  readonly namespaceFds: ReadonlyMap<NamespaceType, number>;
  /** Mounts that have a source already. */
  readonly given: ReadonlyMap<number, number>;
  /** Whether the container is in a new user namespace while it mounts. */
  readonly ownUserNamespace: boolean;
  /** Takes a descriptor that is closed after the launch. */
  readonly own: (fd: number) => number;
}

/**
 * Opens the sources of bind mounts that the container's first process cannot open: those that are to be shown with other ids, and,
 * where it is root of a user namespace only, all of them and the root.
 *
 * @throws TurfError with `mounts[i].source` or `mounts[i].options`
 */
export function openMountSources(input: SourceInput): MountSources {
  const { kernel, config, given, own, ownUserNamespace } = input;
  const sources = new Map<number, number>();
  for (const [index, mount] of (config.mounts ?? []).entries()) {
    const planned = planMount(mount, index);
    if (planned.bind === false || given.has(index)) continue;
    const isMapped = planned.options.idmap !== false || (mount.uidMappings ?? []).length > 0;
    if (!isMapped && !ownUserNamespace) continue;
    const path = resolve(input.bundle, mount.source ?? '');
    const recursive = planned.bind === 'rbind';
    const tree = attempt(`${planned.label}.source`, () =>
      own(kernel.openTree(path, { clone: true, recursive })),
    );
    if (isMapped) mapIds(input, planned, tree);
    sources.set(index, tree);
  }
  if (!ownUserNamespace) return { sources };
  return { sources, rootfs: own(kernel.openTree(input.rootfs, { clone: true, recursive: true })) };
}

/** runtime-spec config.md "idmap": by the mount's own mappings, or as the container's user namespace maps. */
function mapIds(input: SourceInput, { label, mount, options }: PlannedMount, tree: number): void {
  const { kernel, config, own, namespaceFds } = input;
  const hasOwn = (mount.uidMappings ?? []).length > 0;
  const joined = hasOwn ? undefined : namespaceFds.get('user');
  const uids = hasOwn ? mount.uidMappings : config.linux?.uidMappings;
  const gids = hasOwn ? mount.gidMappings : config.linux?.gidMappings;
  const userNamespace =
    joined ??
    attempt(`${label}.uidMappings`, () => own(kernel.mappedUserNamespace(mapLines(uids), mapLines(gids))));
  attempt(`${label}.options`, () => {
    kernel.idmapMount(tree, userNamespace, options.idmap === 'ridmap');
  });
}

/** Lines of uid_map and gid_map (user_namespaces(7)). */
export function mapLines(mappings: readonly OciIdMapping[] | undefined): string {
  return (mappings ?? [])
    .map(({ containerID, hostID, size }) => `${containerID} ${hostID} ${size}\n`)
    .join('');
}

function attempt<T>(path: string, step: () => T): T {
  try {
    return step();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TurfError('TURF_ERR_LAUNCH', `${path}: ${reason}`, { path, cause });
  }
}

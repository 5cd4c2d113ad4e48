import type { CreateOptions } from './operations.js';

/** How CRIU treats cgroups that processes of the container have made below its own: criu(8), --manage-cgroups. */
export const CGROUP_MODES = ['soft', 'full', 'strict', 'ignore'] as const;

/** How CRIU keeps packets away from open connections meanwhile: criu(8), --network-lock. */
export const NETWORK_LOCKS = ['iptables', 'nftables', 'skip'] as const;

/** What both directions ask of CRIU; names and meaning as in criu(8). */
export interface CriuOptions {
  /** Absolute; the images. */
  readonly imagePath: string;
  /** Absolute; logs and statistics. Absent: `imagePath`. */
  readonly workPath?: string;
  /** Absolute; absent: `criu` on the daemon's PATH. */
  readonly criu?: string;
  readonly tcpEstablished?: boolean;
  /** Open connections come back closed. */
  readonly tcpClose?: boolean;
  /** Connections that nobody has accepted yet are left out. */
  readonly tcpSkipInFlight?: boolean;
  /** Files that have been deleted and are still open get a name for the time. */
  readonly linkRemap?: boolean;
  readonly networkLock?: (typeof NETWORK_LOCKS)[number];
  readonly externalUnixSockets?: boolean;
  readonly shellJob?: boolean;
  readonly fileLocks?: boolean;
  readonly manageCgroups?: (typeof CGROUP_MODES)[number];
  readonly autoDedup?: boolean;
  readonly lazyPages?: boolean;
  /** The network namespace comes without its contents. */
  readonly emptyNetwork?: boolean;
}

export interface CheckpointOptions extends CriuOptions {
  readonly id: string;
  /** Absent: the container ends, and is deleted. */
  readonly leaveRunning?: boolean;
  /** Memory only; the container goes on. */
  readonly preDump?: boolean;
  /** Images of an earlier pre-dump, relative to `imagePath`. */
  readonly parentPath?: string;
  /** Where pages are sent instead of into files. */
  readonly pageServer?: { readonly address: string; readonly port: number };
}

export interface RestoreOptions extends CriuOptions {
  /** The container to make: bundle, pid file, launcher and manager of cgroups as for `create`. */
  readonly create: CreateOptions;
  /** `TYPE:NAME`. */
  readonly lsmProfile?: string;
  readonly lsmMountContext?: string;
}

import type { OciConfig, OciLinux } from '../../oci-spec/config.js';
import type { NamespaceType } from '../../oci-spec/namespaces.js';
import type { CompiledSeccomp } from '../seccomp/compile.js';
import type { PlanBuilder } from './encode.js';
import type { EncodedPlan } from './plan-writer.js';

/** Stands for the container's pid in the state of hooks; the executor writes the number. */
export const PID_PLACEHOLDER = '@PID@';

/**
 * The one SYNC of a plan, where it needs one: namespaces exist, nothing else. The daemon writes id maps, attaches the process to its v2 cgroup,
 * configures the network of its namespace and runs prestart and createRuntime hooks before it lets the container go on.
 */
export const SYNC_NAMESPACES = 1;

/** Second SYNC of a plan with `lateUserNamespace`: the daemon writes the id maps. */
export const SYNC_ID_MAPS = 2;

/** A cgroup v1 hierarchy as the container is to see it. */
export interface CgroupHierarchy {
  /** Mount options that select it: `['cpu', 'cpuacct']`, `['name=systemd']`. */
  readonly controllers: readonly string[];
  /** Name of its directory below the cgroup mount: `cpu,cpuacct`. */
  readonly mountName: string;
  /** Absolute directory of the container's own cgroup in it. */
  readonly hostPath: string;
}

export interface CgroupView {
  readonly mode: 'v1' | 'hybrid' | 'v2';
  /** v1 hierarchies; empty in mode v2. */
  readonly hierarchies: readonly CgroupHierarchy[];
  /** Absolute directory of the container's own cgroup in the cgroup2 hierarchy (modes hybrid and v2). */
  readonly unifiedHostPath?: string;
}

/** What a program needs, in a container of its own or in one that is there. */
export interface ProcessInput {
  /** Connected; required where process.terminal is true. */
  readonly consoleSocketFd?: number;
  /** N of `--preserve-fds`. */
  readonly preserveFds?: number;
  /** linux.seccomp, compiled. */
  readonly seccomp?: CompiledSeccomp;
  /** Where the filter's notification descriptor goes, and what goes with it. */
  readonly seccompListener?: {
    /** Connected; absent: it comes with START. */
    readonly fd?: number;
    /** JSON of the container process state, with the placeholder for both pids. */
    readonly stateJson: (pid: typeof PID_PLACEHOLDER, status: 'creating' | 'created') => string;
  };
  /** Descriptors that the program is to have, by their number there (3 or more). */
  readonly adopt?: readonly { readonly fd: number; readonly number: number }[];
  /** Home directory of the user by the container's /etc/passwd, for HOME where process.env has none. */
  readonly home?: string;
}

export interface PlanInput extends ProcessInput {
  readonly id: string;
  /** Validated, with nothing left that is unsupported. */
  readonly config: OciConfig;
  /** Absolute; relative bind sources start here. */
  readonly bundle: string;
  /** Absolute and resolved. */
  readonly rootfs: string;
  /** The root as a detached mount, instead of the path. */
  readonly rootfsFd?: number;
  /** JSON of the OCI state for hooks, with PID_PLACEHOLDER for the pid. */
  readonly stateJson: (pid: typeof PID_PLACEHOLDER, status: 'creating' | 'created') => string;
  readonly cgroup: {
    /** `tasks` files of v1 hierarchies, open for writing. */
    readonly enterFds: readonly number[];
    readonly mounts: CgroupView;
  };
  /** Namespaces that the config gives by path, opened. */
  readonly namespaceFds: ReadonlyMap<NamespaceType, number>;
  /** Listening. */
  readonly startSocketFd: number;
  /** The daemon has nothing to do while the namespaces are empty, so that the container need not wait for it. */
  readonly withoutSync?: boolean;
  readonly noPivot?: boolean;
  /** Keep the launcher's session keyring instead of making one. */
  readonly noNewKeyring?: boolean;
  /** Index in config.mounts to the bind source as a detached mount: what a user namespace's root could not open. */
  readonly bindSourceFds?: ReadonlyMap<number, number>;
  /**
   * Root makes everything, and the user namespace comes last, with a mount namespace that it owns: the kernel locks the mounts' flags
   * in the copy, so that root of the user namespace cannot make a read-only one writable (mount_namespaces(7), "Restrictions").
   */
  readonly lateUserNamespace?: boolean;
  /** Whether the kernel takes SELinux contexts as mount options; true by default. */
  readonly selinux?: boolean;
}

export interface CompiledPlan extends EncodedPlan {
  /** CLONE_NEW* for clone3(2); the cgroup namespace is not among them: the plan unshares it. */
  readonly cloneFlags: number;
  /** Index in `fds` of the user namespace to join before the clone, -1. */
  readonly userNsJoinIndex: number;
  /** Likewise for the PID namespace. */
  readonly pidNsJoinIndex: number;
}

/** What the parts of the compiler share that are about the process. */
export interface ProcessContext {
  readonly input: ProcessInput;
  readonly linux: OciLinux;
  readonly plan: PlanBuilder;
}

/** What the parts of the compiler share. */
export interface PlanContext extends ProcessContext {
  readonly input: PlanInput;
  readonly config: OciConfig;
  readonly namespaces: {
    /** New or joined. */
    has(type: NamespaceType): boolean;
    isNew(type: NamespaceType): boolean;
  };
  /**
   * Whether the container has mounts of its own: in a new namespace, or in a namespace of others, where they are made aside and stay
   * out of everybody's sight (native-shim/plan/borrowed.c).
   */
  readonly ownMounts: boolean;
}

import { CAPABILITY_NAMES } from './capabilities.js';
import { HOOK_PHASES } from './config-schema.js';
import { MOUNT_OPTIONS } from './mount-options.js';
import { NAMESPACE_TYPES } from './namespaces.js';
import { OCI_VERSION, OCI_VERSION_MIN } from './rules/oci-version.js';
import { MEMORY_POLICY_FLAGS, MEMORY_POLICY_MODES, namesOf } from './scheduling-names.js';
import { SECCOMP_ACTIONS, SECCOMP_ARCHS, SECCOMP_FLAG_NAMES, SECCOMP_OPERATORS } from './seccomp-names.js';
import { ANNOTATION_PREFIX } from './turf-member.js';

/** What the document depends on beside the tables. */
export interface FeatureFacts {
  /** Version of turf. */
  readonly version: string;
  readonly seccomp: {
    /** Whether libseccomp was found. */
    readonly enabled: boolean;
    /** As `2.5.4`. */
    readonly libraryVersion?: string;
    /** Flags that kernel and library both take; others of the known names are left out. */
    readonly supportedFlags: readonly string[];
  };
  readonly apparmor: boolean;
  readonly selinux: boolean;
  readonly systemdCgroup: boolean;
  readonly systemdUserCgroup: boolean;
  readonly rdmaCgroup: boolean;
}

/** The document of runtime-spec features.md and features-linux.md. */
export function featuresDocument(facts: FeatureFacts): Readonly<Record<string, unknown>> {
  const offered = (names: Iterable<string>): string[] => [...names].sort();
  const { enabled, libraryVersion, supportedFlags } = facts.seccomp;
  return {
    ociVersionMin: OCI_VERSION_MIN,
    ociVersionMax: OCI_VERSION,
    hooks: HOOK_PHASES,
    mountOptions: offered(MOUNT_OPTIONS.keys()),
    linux: {
      namespaces: offered(NAMESPACE_TYPES),
      capabilities: CAPABILITY_NAMES,
      cgroup: {
        v1: true,
        v2: true,
        systemd: facts.systemdCgroup,
        systemdUser: facts.systemdUserCgroup,
        rdma: facts.rdmaCgroup,
      },
      seccomp: enabled
        ? {
            enabled,
            actions: offered(SECCOMP_ACTIONS),
            operators: SECCOMP_OPERATORS,
            archs: SECCOMP_ARCHS,
            knownFlags: SECCOMP_FLAG_NAMES,
            supportedFlags: SECCOMP_FLAG_NAMES.filter((name) => supportedFlags.includes(name)),
          }
        : { enabled },
      apparmor: { enabled: facts.apparmor },
      selinux: { enabled: facts.selinux },
      intelRdt: { enabled: true, schemata: true, monitoring: true },
      memoryPolicy: { modes: namesOf(MEMORY_POLICY_MODES), flags: namesOf(MEMORY_POLICY_FLAGS) },
      mountExtensions: { idmap: { enabled: true } },
      netDevices: { enabled: true },
    },
    annotations: {
      'dev.turf.version': facts.version,
      ...(libraryVersion === undefined ? {} : { 'io.github.seccomp.libseccomp.version': libraryVersion }),
    },
    potentiallyUnsafeConfigAnnotations: [ANNOTATION_PREFIX],
  };
}

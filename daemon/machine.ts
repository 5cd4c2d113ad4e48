import { type Logger } from 'pino';
import { type Kernel } from '../native-shim/kernel.js';
import { type AttachDeviceFilter } from '../native-shim/device-filter.js';
import { type OpenAs } from '../native-shim/open-as.js';
import { type Capabilities } from '../oci-spec/unsupported.js';
import { type CgroupLayout } from './cgroups/layout.js';
import { type SupervisorLink } from './channel/supervisor-link.js';
import { type Container } from './containers/container.js';
import { type KeyedLock } from './containers/lock.js';
import { type StateStore } from './containers/state-store.js';
import { type EventBus } from './event-bus.js';
import { type SeccompCache } from './seccomp/cache.js';

/** What the daemon's parts share; daemon/main.ts builds it once. */
export interface Machine {
  readonly kernel: Kernel;
  readonly supervisor: SupervisorLink;
  readonly store: StateStore;
  readonly events: EventBus;
  readonly log: Logger;
  readonly locks: KeyedLock;
  /** Every container of this root, by id. */
  readonly containers: Map<string, Container>;
  /** Sealed copy of `turf-init`: containers cannot reach the file on disk (CVE-2019-5736). */
  readonly initProgram: number;
  readonly seccomp: SeccompCache;
  readonly cgroupLayout: CgroupLayout;
  readonly attachDeviceFilter: AttachDeviceFilter;
  readonly openAs: OpenAs;
  /** Which optional fields of config.json this machine can honour. */
  readonly capabilities: Capabilities;
  /** Whether containers go into systemd's cgroups unless a call says otherwise. */
  readonly systemdCgroup: boolean;
  /** Name of the daemon's user: `owner` of what it creates. */
  readonly owner: string;
  /** /proc/sys/kernel/random/boot_id */
  readonly bootId: string;
}

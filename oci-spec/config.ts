import type {
  configSchema,
  HOOK_PHASES,
  hookSchema,
  hooksSchema,
  mountSchema,
  rootSchema,
  turfSchema,
} from './config-schema.js';
import type { Infer } from './schema-builder.js';
import type {
  deviceSchema,
  idMappingSchema,
  intelRdtSchema,
  linuxSchema,
  memoryPolicySchema,
  netDevicesSchema,
  namespaceSchema,
  personalitySchema,
  seccompArgSchema,
  seccompSchema,
  seccompSyscallSchema,
} from './schema-linux.js';
import type {
  capabilitiesSchema,
  consoleSizeSchema,
  ioPrioritySchema,
  processSchema,
  rlimitSchema,
  schedulerSchema,
  userSchema,
} from './schema-process.js';
import type {
  blockIoSchema,
  cpuSchema,
  deviceRuleSchema,
  hugepageLimitSchema,
  memorySchema,
  resourcesSchema,
} from './schema-resources.js';

/**
 * config.json of the OCI runtime specification, as types. They are derived from the schema (config-schema.ts), so that the
 * two cannot differ. 64-bit fields are numbers up to 2^53 and bigints beyond.
 */
export type OciConfig = Infer<typeof configSchema>;
export type OciRoot = Infer<typeof rootSchema>;
export type OciMount = Infer<typeof mountSchema>;
export type OciHook = Infer<typeof hookSchema>;
export type OciHooks = Infer<typeof hooksSchema>;
export type HookPhase = (typeof HOOK_PHASES)[number];
/** The `turf` member as written; turf-member.ts reads it together with its annotations. */
export type OciTurf = Infer<typeof turfSchema>;

export type OciProcess = Infer<typeof processSchema>;
export type OciUser = Infer<typeof userSchema>;
export type OciConsoleSize = Infer<typeof consoleSizeSchema>;
export type OciCapabilities = Infer<typeof capabilitiesSchema>;
export type OciRlimit = Infer<typeof rlimitSchema>;
export type OciScheduler = Infer<typeof schedulerSchema>;
export type OciIoPriority = Infer<typeof ioPrioritySchema>;

export type OciLinux = Infer<typeof linuxSchema>;
export type OciNamespace = Infer<typeof namespaceSchema>;
export type OciIdMapping = Infer<typeof idMappingSchema>;
export type OciDevice = Infer<typeof deviceSchema>;
export type OciSeccomp = Infer<typeof seccompSchema>;
export type OciSeccompSyscall = Infer<typeof seccompSyscallSchema>;
export type OciSeccompArg = Infer<typeof seccompArgSchema>;
export type OciPersonality = Infer<typeof personalitySchema>;
export type OciIntelRdt = Infer<typeof intelRdtSchema>;
export type OciMemoryPolicy = Infer<typeof memoryPolicySchema>;
export type OciNetDevices = Infer<typeof netDevicesSchema>;

export type OciResources = Infer<typeof resourcesSchema>;
/** An entry of linux.resources.devices. */
export type OciDeviceRule = Infer<typeof deviceRuleSchema>;
export type OciMemory = Infer<typeof memorySchema>;
export type OciCpu = Infer<typeof cpuSchema>;
export type OciBlockIo = Infer<typeof blockIoSchema>;
export type OciHugepageLimit = Infer<typeof hugepageLimitSchema>;

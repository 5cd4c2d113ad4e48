import { array, boolean, int32, integer, object, oneOf, string, uint32, uint64 } from './schema-builder.js';
import { IO_PRIORITY_CLASSES, namesOf, SCHEDULER_FLAGS, SCHEDULER_POLICIES } from './scheduling-names.js';

/** runtime-spec config.md "Process" and everything that is set for the process alone. */

export const consoleSizeSchema = object({ height: uint32, width: uint32 }, ['height', 'width']);

export const userSchema = object(
  {
    uid: uint32,
    gid: uint32,
    umask: uint32,
    additionalGids: array(uint32),
    /** Windows only; known here so that it can be refused. */
    username: string,
  },
  ['uid', 'gid'],
);

const names = array(string);

export const capabilitiesSchema = object({
  bounding: names,
  effective: names,
  inheritable: names,
  permitted: names,
  ambient: names,
});

export const rlimitSchema = object({ type: string, soft: uint64, hard: uint64 }, ['type', 'soft', 'hard']);

export const schedulerSchema = object(
  {
    policy: oneOf(namesOf(SCHEDULER_POLICIES)),
    nice: int32,
    priority: int32,
    flags: array(oneOf(namesOf(SCHEDULER_FLAGS))),
    /** Nanoseconds, as `deadline` and `period`. */
    runtime: uint64,
    deadline: uint64,
    period: uint64,
  },
  ['policy'],
);

export const ioPrioritySchema = object(
  {
    class: oneOf(namesOf(IO_PRIORITY_CLASSES)),
    priority: integer(0, 7),
  },
  ['class', 'priority'],
);

export const processSchema = object(
  {
    terminal: boolean,
    consoleSize: consoleSizeSchema,
    user: userSchema,
    args: array(string),
    env: array(string),
    cwd: string,
    capabilities: capabilitiesSchema,
    rlimits: array(rlimitSchema),
    noNewPrivileges: boolean,
    apparmorProfile: string,
    selinuxLabel: string,
    oomScoreAdj: integer(-1000, 1000),
    scheduler: schedulerSchema,
    ioPriority: ioPrioritySchema,
    execCPUAffinity: object({ initial: string, final: string }),
  },
  ['cwd'],
);

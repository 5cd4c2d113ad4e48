import { array, boolean, either, integer, object, oneOf, record, string } from './schema-builder.js';
import { idMappingsSchema, linuxSchema } from './schema-linux.js';
import { processSchema } from './schema-process.js';

/**
 * config.json as runtime-spec 1.0 to 1.3 describes it for Linux, and our `turf` member. Shapes, names and ranges only: what ties
 * fields together is in semantic.ts. Members that are not described are kept.
 */

export const rootSchema = object({ path: string, readonly: boolean }, ['path']);

export const mountSchema = object(
  {
    destination: string,
    type: string,
    source: string,
    options: array(string),
    uidMappings: idMappingsSchema,
    gidMappings: idMappingsSchema,
  },
  ['destination'],
);

export const hookSchema = object(
  {
    path: string,
    args: array(string),
    env: array(string),
    /** Seconds. */
    timeout: integer(-0x8000_0000, 0x7fff_ffff),
  },
  ['path'],
);

const hookList = array(hookSchema);

export const HOOK_PHASES = [
  'prestart',
  'createRuntime',
  'createContainer',
  'startContainer',
  'poststart',
  'poststop',
] as const;

export const hooksSchema = object({
  prestart: hookList,
  createRuntime: hookList,
  createContainer: hookList,
  startContainer: hookList,
  poststart: hookList,
  poststop: hookList,
});

/** Each holds a worker's memory. */
export const MOST_AHEAD = 1000;

export const turfSchema = object({
  runtime: oneOf(['aworker']),
  /** Directory in the bundle that the worker sees at /code. */
  code: string,
  seed: either(
    oneOf([true]),
    object({ mode: oneOf(['runtime', 'userland']) }, ['mode']),
    'must be true or {"mode": "runtime" | "userland"}',
  ),
  /** How many clones of a seed are made ahead of their use. */
  pool: integer(0, MOST_AHEAD),
  /** Id of the seed to clone. */
  from: string,
  /** `unix:PATH` or `tcp:HOST:PORT`. */
  listen: string,
  network: oneOf(['none', 'host']),
  /** Bounds for the worker, or for those of a seed that have no bundle of their own: worker-limits.ts. */
  limits: record(integer(0, Number.MAX_SAFE_INTEGER)),
  /** Modules of Node.js that the code may import, `node:NAME`. */
  nodeModules: array(string),
});

export const configSchema = object(
  {
    ociVersion: string,
    process: processSchema,
    root: rootSchema,
    hostname: string,
    domainname: string,
    mounts: array(mountSchema),
    hooks: hooksSchema,
    annotations: record(string),
    linux: linuxSchema,
    turf: turfSchema,
    /** Other platforms: known so that they can be refused. */
    solaris: object({}),
    windows: object({}),
    vm: object({}),
    zos: object({}),
  },
  ['ociVersion'],
);

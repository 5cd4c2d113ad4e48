import { isBuiltin } from 'node:module';
import type { OciConfig, OciTurf } from './config.js';
import { MOST_AHEAD } from './config-schema.js';
import { ConfigError, type ConfigIssue, type Report, show } from './config-error.js';
import { containerIdProblem } from './container-id.js';
import { parseListenAddress } from './listen-address.js';
import { type WorkerLimits, workerLimitProblem } from './worker-limits.js';

/** Engines rewrite configs but keep annotations, so that every field of the `turf` member is one of these too. */
export const ANNOTATION_PREFIX = 'dev.turf.';

export type SeedMode = 'runtime' | 'userland';
export type WorkerNetwork = 'none' | 'host';

/** What is told to the runtime, whatever it becomes. */
interface RuntimeSettings {
  readonly limits?: WorkerLimits;
  /** `node:NAME` each. */
  readonly nodeModules?: readonly string[];
}

/** What a config asks turf for beyond the OCI specification. */
export type TurfMember =
  | { readonly kind: 'container' }
  | (RuntimeSettings & {
      readonly kind: 'seed';
      readonly mode: SeedMode;
      /** Directory in the bundle, relative to it, or an absolute path in the root file system. Always there in mode userland. */
      readonly code: string | undefined;
      /** Id of the runtime seed that it is a clone of; undefined: it is a process of its own. */
      readonly from: string | undefined;
      /** How many clones are made ahead of their use; undefined: the daemon's default. */
      readonly pool: number | undefined;
      /** What its workers may ask for at most. */
      readonly network: WorkerNetwork;
    })
  | (RuntimeSettings & {
      readonly kind: 'worker';
      /** Id of the seed to clone. */
      readonly from: string;
      readonly code: string | undefined;
      /** Checked syntax of parseListenAddress. */
      readonly listen: string | undefined;
      readonly network: WorkerNetwork;
    })
  | (RuntimeSettings & {
      /** No seed and no clone: a worker that starts cold. */
      readonly kind: 'aworker';
      readonly code: string;
      readonly listen: string | undefined;
      readonly network: WorkerNetwork;
    });

/**
 * Reads the `turf` member together with the annotations `dev.turf.<name>`.
 *
 * @throws ConfigError
 */
export function readTurfMember(config: OciConfig): TurfMember {
  const issues: ConfigIssue[] = [];
  const member = turfMember(config, (path, message) => issues.push({ path, message }));
  if (issues.length > 0) throw new ConfigError(issues);
  return member;
}

/** The same for a caller that collects issues; where it reports one, the result means nothing. */
export function turfMember(config: OciConfig, report: Report): TurfMember {
  const { fields, where } = merge(config, report);
  const { runtime, code, seed, from, listen, pool, network = 'none' } = fields;
  if (runtime === undefined) {
    if (Object.keys(fields).length > 0)
      report('turf.runtime', 'is required beside other members of turf: must be "aworker"');
    return { kind: 'container' };
  }
  checkCode(code, where('code'), report);
  const settings = runtimeSettings(fields, where, report);
  const program = config.process?.args?.[0];
  if (program !== undefined && program !== '' && program !== 'aworker')
    report('process.args[0]', `must be "aworker" with turf.runtime "aworker", got ${show(program)}`);
  if (listen !== undefined && parseListenAddress(listen) === undefined)
    report(where('listen'), `must be unix:PATH (absolute) or tcp:HOST:PORT, got ${show(listen)}`);
  if (seed !== undefined) {
    checkFrom(from, where('from'), report);
    if (listen !== undefined) report(where('listen'), 'conflicts with turf.seed: its workers listen');
    // A seed that is given code and no mode loads it.
    const mode = seed !== true ? seed.mode : code === undefined ? 'runtime' : 'userland';
    if (mode === 'userland' && code === undefined) report('turf.code', 'is required for a userland seed');
    if (mode === 'runtime' && from !== undefined)
      report(where('from'), 'conflicts with a runtime seed: what is cloned from one loads code');
    if (from !== undefined) checkHeap(settings, where('limits'), report);
    return { kind: 'seed', mode, code, from, pool, network, ...settings };
  }
  if (pool !== undefined) report(where('pool'), 'needs turf.seed: only a seed has clones');
  if (from !== undefined) {
    checkFrom(from, where('from'), report);
    checkHeap(settings, where('limits'), report);
    return { kind: 'worker', from, code, listen, network, ...settings };
  }
  if (code === undefined) report('turf.code', 'is required without turf.seed and turf.from');
  return { kind: 'aworker', code: code ?? '', listen, network, ...settings };
}

type FieldName =
  'runtime' | 'code' | 'seed' | 'from' | 'listen' | 'pool' | 'network' | 'limits' | 'nodeModules';
type Fields = { -readonly [K in FieldName]?: NonNullable<OciTurf[K]> };

/** Puts an annotation's text into its field; answers what it must be where the text is wrong. */
const FROM_TEXT: Readonly<Record<FieldName, (fields: Fields, text: string) => string | undefined>> = {
  runtime: (fields, text) => {
    if (text !== 'aworker') return '"aworker"';
    fields.runtime = text;
    return undefined;
  },
  code: (fields, text) => {
    fields.code = text;
    return undefined;
  },
  seed: (fields, text) => {
    if (text === 'true') fields.seed = true;
    else if (text === 'runtime' || text === 'userland') fields.seed = { mode: text };
    else return '"true", "runtime" or "userland"';
    return undefined;
  },
  from: (fields, text) => {
    fields.from = text;
    return undefined;
  },
  listen: (fields, text) => {
    fields.listen = text;
    return undefined;
  },
  pool: (fields, text) => {
    if (!/^[0-9]{1,4}$/.test(text) || Number(text) > MOST_AHEAD) return `a number from 0 to ${MOST_AHEAD}`;
    fields.pool = Number(text);
    return undefined;
  },
  network: (fields, text) => {
    if (text !== 'none' && text !== 'host') return '"none" or "host"';
    fields.network = text;
    return undefined;
  },
  limits: (fields, text) => {
    const limits = jsonOf(text);
    if (typeof limits !== 'object' || limits === null || Array.isArray(limits))
      return 'a JSON object of limits';
    fields.limits = limits as Record<string, number>;
    return undefined;
  },
  nodeModules: (fields, text) => {
    fields.nodeModules = text === '' ? [] : text.split(',');
    return undefined;
  },
};

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function runtimeSettings(
  { limits, nodeModules }: Fields,
  where: (name: FieldName) => string,
  report: Report,
): RuntimeSettings {
  for (const [name, value] of Object.entries(limits ?? {})) {
    const problem = workerLimitProblem(name, value);
    if (problem !== undefined) report(`${where('limits')}.${name}`, `${problem}, got ${show(value)}`);
  }
  for (const [i, name] of (nodeModules ?? []).entries()) {
    if (!name.startsWith('node:') || !isBuiltin(name))
      report(`${where('nodeModules')}[${i}]`, `must be a module of Node.js as node:NAME, got ${show(name)}`);
  }
  return {
    ...(limits === undefined ? {} : { limits }),
    ...(nodeModules === undefined ? {} : { nodeModules }),
  };
}

function isFieldName(name: string): name is FieldName {
  return Object.hasOwn(FROM_TEXT, name);
}

function merge(config: OciConfig, report: Report): { fields: Fields; where: (name: FieldName) => string } {
  const { runtime, code, seed, from, listen, pool, network, limits, nodeModules } = config.turf ?? {};
  const fields: Fields = {
    ...(runtime === undefined ? {} : { runtime }),
    ...(code === undefined ? {} : { code }),
    ...(seed === undefined ? {} : { seed }),
    ...(from === undefined ? {} : { from }),
    ...(listen === undefined ? {} : { listen }),
    ...(pool === undefined ? {} : { pool }),
    ...(network === undefined ? {} : { network }),
    ...(limits === undefined ? {} : { limits }),
    ...(nodeModules === undefined ? {} : { nodeModules }),
  };
  const annotated = new Set<FieldName>();
  for (const [key, text] of Object.entries(config.annotations ?? {})) {
    if (!key.startsWith(ANNOTATION_PREFIX)) continue;
    const path = `annotations[${JSON.stringify(key)}]`;
    const name = key.slice(ANNOTATION_PREFIX.length);
    if (!isFieldName(name)) {
      report(path, 'is no annotation that turf knows');
      continue;
    }
    const before = fields[name];
    const expected = FROM_TEXT[name](fields, text);
    if (expected !== undefined) report(path, `must be ${expected}, got ${show(text)}`);
    else if (before !== undefined && JSON.stringify(before) !== JSON.stringify(fields[name]))
      report(path, `conflicts with turf.${name}, got ${show(text)}`);
    annotated.add(name);
  }
  const where = (name: FieldName): string =>
    annotated.has(name) ? `annotations["${ANNOTATION_PREFIX}${name}"]` : `turf.${name}`;
  return { fields, where };
}

function checkCode(code: string | undefined, path: string, report: Report): void {
  if (code === undefined) return;
  if (code === '' || code.split('/').includes('..'))
    report(
      path,
      `must be a directory in the bundle (relative) or in the root file system (absolute), without "..", got ${show(code)}`,
    );
}

function checkFrom(from: string | undefined, path: string, report: Report): void {
  const problem = from === undefined ? undefined : containerIdProblem(from);
  if (problem !== undefined) report(path, problem);
}

function checkHeap({ limits }: RuntimeSettings, path: string, report: Report): void {
  if (limits?.heapBytes !== undefined)
    report(`${path}.heapBytes`, "conflicts with turf.from: a clone has its seed's heap");
}

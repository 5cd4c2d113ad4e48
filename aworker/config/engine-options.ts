import { UsageError } from './worker-options.js';

/** What a debugger, a profiler or a report needs is the engine's to give: options of Node.js that are handed on as they are. */
const FLAGS: ReadonlySet<string> = new Set([
  'inspect',
  'cpu-prof',
  'heap-prof',
  'report-on-fatalerror',
  'report-on-signal',
  'report-uncaught-exception',
  'report-compact',
]);
const VALUES: ReadonlySet<string> = new Set([
  'inspect',
  'cpu-prof-dir',
  'cpu-prof-name',
  'cpu-prof-interval',
  'heap-prof-dir',
  'heap-prof-name',
  'heap-prof-interval',
  'report-dir',
  'report-directory',
  'report-filename',
  'report-signal',
  'heapsnapshot-near-heap-limit',
  'heapsnapshot-signal',
  'diagnostic-dir',
]);

export interface SplitArguments {
  /** For the engine, as they were given. */
  readonly engine: readonly string[];
  readonly rest: readonly string[];
}

/**
 * Takes the engine's options out of a command line. Their values follow `=`.
 *
 * @throws UsageError for one without the value that it needs, or with one that it does not take
 */
export function splitEngineOptions(args: readonly string[]): SplitArguments {
  const end = args.indexOf('--');
  const own = end < 0 ? args : args.slice(0, end);
  const engine = own.filter(isEngineOption);
  return { engine, rest: args.filter((arg, i) => i >= own.length || !isEngineOption(arg)) };
}

function isEngineOption(arg: string): boolean {
  const [, name = '', value] = /^--([a-z-]+)(?:=(.*))?$/s.exec(arg) ?? [];
  if (!FLAGS.has(name) && !VALUES.has(name)) return false;
  if (value === undefined && !FLAGS.has(name)) throw new UsageError(`--${name}: write --${name}=VALUE`);
  if (value !== undefined && !VALUES.has(name)) throw new UsageError(`--${name} takes no value`);
  return true;
}

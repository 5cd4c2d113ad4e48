import type { CliContext } from './context.js';
import { checkGlobals, logSettings, parseCommandLine, type CommandLine, type Globals } from './globals.js';
import { overview, usageLine, verbHelp } from './help.js';
import { logDebug, reportError } from './report.js';
import { ERROR_CODES, TurfError } from './turf-error.js';
import type { Verb } from './verb.js';
import { isGroup, loadVerb, matchVerb, UnknownVerb } from './verbs.js';

/** What a shell reports for SIGINT. */
const interrupted = 130;
/** runc's exit code for a command that it does not have. */
const noSuchVerb = 3;

/**
 * Runs one command line for a client of the daemon. Never rejects: errors are reported to the client.
 *
 * @param argv the arguments after the program's name
 * @returns the exit code
 */
export async function runCli(argv: readonly string[], context: CliContext): Promise<number> {
  let globals: Globals = { logFormat: 'text', debug: false, systemdCgroup: false };
  let verb: Verb | undefined;
  try {
    const commandLine = parseCommandLine(argv);
    globals = logSettings(commandLine.options, context.cwd);
    checkGlobals(commandLine.options, context.cwd, context.root);
    const early = await withoutVerb(commandLine, context);
    if (early !== undefined) return early;

    const { rest } = commandLine;
    const name = commandLine.options.version ? 'version' : matchVerb(rest);
    if (name === undefined) throw new UnknownVerb(rest.slice(0, isGroup(rest[0] ?? '') ? 2 : 1));
    verb = await loadVerb(name);
    const loaded = verb;
    await logDebug(context, globals, `turf ${argv.join(' ')}`);
    const words = commandLine.options.version ? [] : rest.slice(name.split(' ').length);
    return await loaded.execute(context, globals, words, async () => {
      await context.stdout(verbHelp(loaded));
      return 0;
    });
  } catch (error) {
    if (context.signal.aborted && error instanceof Error && error.name === 'AbortError') return interrupted;
    await reportError(context, globals, error);
    if (!(error instanceof TurfError)) return ERROR_CODES.TURF_ERR_SYSTEM.exit;
    if (error.code === 'TURF_ERR_USAGE') await context.stderr(usageHint(verb));
    return error instanceof UnknownVerb ? noSuchVerb : ERROR_CODES[error.code].exit;
  }
}

/** Help of the whole command or of a group; undefined where a verb is to run. */
async function withoutVerb(commandLine: CommandLine, context: CliContext): Promise<number | undefined> {
  const { options, help, rest } = commandLine;
  const [first, second] = rest;
  if (options.version && !help) return undefined;
  if (help || first === undefined) {
    await context.stdout(await overview());
    return 0;
  }
  if (isGroup(first) && (second === undefined || /^--?h(?:elp)?$/.test(second))) {
    await context.stdout(await overview(first));
    return 0;
  }
  return undefined;
}

function usageHint(verb: Verb | undefined): string {
  if (verb === undefined) return "See 'turf --help'.\n";
  return `Usage: ${usageLine(verb)}\nSee 'turf ${verb.name} --help'.\n`;
}

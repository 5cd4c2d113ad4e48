import type { CliContext } from './context.js';
import type { Globals } from './globals.js';
import { parseOptions, usageError, type OptionTable, type ParsedOptions } from './options.js';

interface Argument {
  readonly name: string;
  readonly help: string;
  readonly optional?: boolean;
  /** The last argument: any number of words, taken as they are; options end at the first argument then. */
  readonly rest?: boolean;
}

/** What help, docs/cli.md and the parser are made from. */
export interface VerbDescription {
  /** As typed, e.g. `seed create`. */
  readonly name: string;
  readonly summary: string;
  readonly description: string;
  readonly arguments: readonly Argument[];
  readonly options: OptionTable;
  /** Arguments after `turf`, and what they do. */
  readonly examples: readonly { readonly command: string; readonly does: string }[];
}

export interface Invocation<T extends OptionTable> {
  readonly context: CliContext;
  readonly globals: Globals;
  readonly options: ParsedOptions<T>;
  /** The positional argument at `index`, which the description says is required. */
  readonly argument: (index: number) => string;
  /** All positional arguments. */
  readonly arguments: readonly string[];
}

/** A verb without the type of its options. */
export interface Verb extends VerbDescription {
  /** Parses and runs; resolves to the exit code. `onHelp` is called instead of running where help was asked for. */
  execute(
    context: CliContext,
    globals: Globals,
    argv: readonly string[],
    onHelp: () => Promise<number>,
  ): Promise<number>;
}

interface VerbDefinition<T extends OptionTable> extends VerbDescription {
  readonly options: T;
  /** Resolves to the exit code, undefined meaning 0. */
  run(invocation: Invocation<T>): Promise<number | undefined>;
}

/** Ties a verb's description to its code. */
export function defineVerb<const T extends OptionTable>(definition: VerbDefinition<T>): Verb {
  return {
    ...definition,
    async execute(context, globals, argv, onHelp) {
      const { options, positionals, help } = parseOptions(definition.options, argv, takesRest(definition));
      if (help) return onHelp();
      checkArguments(definition, positionals.length);
      const invocation: Invocation<T> = {
        context,
        globals,
        options,
        arguments: positionals,
        argument: (index) => positionals[index] ?? '',
      };
      return (await definition.run(invocation)) ?? 0;
    },
  };
}

function takesRest(description: VerbDescription): boolean {
  return description.arguments.at(-1)?.rest === true;
}

function checkArguments(description: VerbDescription, given: number): void {
  const most = takesRest(description) ? Infinity : description.arguments.length;
  const least = description.arguments.filter((argument) => argument.optional !== true).length;
  if (given >= least && given <= most) return;
  const count = least === most ? `exactly ${most}` : given < least ? `at least ${least}` : `at most ${most}`;
  throw usageError(`turf: "${description.name}" requires ${count} argument(s)`);
}

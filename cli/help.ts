import { globalOptions } from './globals.js';
import type { OptionTable } from './options.js';
import { columns } from './table.js';
import { loadVerb, verbNames } from './verbs.js';
import type { VerbDescription } from './verb.js';

/** The line that shows how a verb is called. */
export function usageLine(verb: VerbDescription): string {
  const words = ['turf', verb.name];
  if (Object.keys(verb.options).length > 0) words.push('[options]');
  for (const { name, optional, rest } of verb.arguments) {
    const word = rest === true ? `${name}...` : name;
    words.push(optional === true ? `[${word}]` : word);
  }
  return words.join(' ');
}

/** `--bundle DIR, -b DIR` and its explanation, per option. */
export function optionRows(options: OptionTable): [string, string][] {
  return Object.entries(options).map(([name, option]) => {
    const value = option.kind === 'flag' ? '' : ` ${option.value}`;
    const short = option.short === undefined ? '' : `, -${option.short}${value}`;
    const repeat = option.kind === 'list' ? ' (repeatable)' : '';
    return [`--${name}${value}${short}`, option.help + repeat];
  });
}

function section(title: string, rows: readonly (readonly [string, string])[]): string {
  return rows.length === 0 ? '' : `\n${title}:\n${columns(rows, { indent: 2, gap: 2 })}`;
}

/** Help of one verb. */
export function verbHelp(verb: VerbDescription): string {
  return (
    `turf ${verb.name}: ${verb.summary}\n\nUsage: ${usageLine(verb)}\n\n${verb.description}\n` +
    section(
      'Arguments',
      verb.arguments.map(({ name, help }) => [name, help]),
    ) +
    section('Options', [...optionRows(verb.options), ['--help, -h', 'print this help']]) +
    section(
      'Examples',
      verb.examples.map(({ command, does }) => [`turf ${command}`, does]),
    )
  );
}

/** Help of the whole command, or of a group such as `seed`. */
export async function overview(group?: string): Promise<string> {
  const names = verbNames().filter((name) => group === undefined || name.startsWith(`${group} `));
  const verbs = await Promise.all(names.map(loadVerb));
  const rows = verbs.map((verb): [string, string] => [verb.name, verb.summary]);
  if (group !== undefined) return `Usage: turf ${group} COMMAND\n${section('Commands', rows)}`;
  return (
    'turf: OCI containers and warm-forked JavaScript workers\n\n' +
    'Usage: turf [global options] COMMAND [options] [arguments]\n' +
    section('Commands', rows) +
    section('Global options', [...optionRows(globalOptions), ['--help, -h', 'print help']]) +
    '\nturf help COMMAND says more about one.\n'
  );
}

import { overview, verbHelp } from '../help.js';
import { defineVerb } from '../verb.js';
import { isGroup, loadVerb, matchVerb, UnknownVerb } from '../verbs.js';

export const verb = defineVerb({
  name: 'help',
  summary: 'explain a command',
  description: 'Prints usage, options and examples of a command, or the list of all.',
  arguments: [
    { name: 'COMMAND', help: 'the command', optional: true },
    { name: 'SUBCOMMAND', help: 'its second word', optional: true },
  ],
  options: {},
  examples: [{ command: 'help seed create', does: 'explain seed create' }],
  async run({ context, arguments: words }) {
    const [first, second] = words;
    const name = matchVerb(words);
    if (first === undefined) {
      await context.stdout(await overview());
    } else if (name !== undefined && name.split(' ').length === words.length) {
      await context.stdout(verbHelp(await loadVerb(name)));
    } else if (second === undefined && isGroup(first)) {
      await context.stdout(await overview(first));
    } else {
      throw new UnknownVerb(words);
    }
    return 0;
  },
});

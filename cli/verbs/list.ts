import { stateJson } from '../state-json.js';
import { table } from '../table.js';
import { defineVerb } from '../verb.js';

export const verb = defineVerb({
  name: 'list',
  summary: 'list containers, seeds and workers',
  description: 'Lists everything under the root, in the columns that runc prints.',
  arguments: [],
  options: {
    format: {
      kind: 'string',
      short: 'f',
      value: 'FORMAT',
      choices: ['table', 'json'],
      help: 'table or json (default: table)',
    },
    quiet: { kind: 'flag', short: 'q', help: 'print ids only' },
  },
  examples: [
    { command: 'list', does: 'a table' },
    { command: 'list --format json', does: 'an array of states, as state prints them' },
  ],
  async run({ context, options }) {
    const states = await context.operations.list();
    if (options.quiet) {
      await context.stdout(states.map(({ id }) => `${id}\n`).join(''));
    } else if (options.format === 'json') {
      await context.stdout(`${JSON.stringify(states.map(stateJson))}\n`);
    } else {
      const header = ['ID', 'PID', 'STATUS', 'BUNDLE', 'CREATED', 'OWNER'];
      const rows = states.map((state) => [
        state.id,
        String(state.pid),
        state.status,
        state.bundle,
        state.created,
        state.owner,
      ]);
      await context.stdout(table(header, rows));
    }
    return 0;
  },
});

import { table } from '../table.js';
import { defineVerb } from '../verb.js';

export const verb = defineVerb({
  name: 'check',
  summary: 'check what this machine offers',
  description:
    'Prints what turf found on this machine, and what of turf does not work where something is missing. Exits 1 where\n' +
    'turf cannot run containers.',
  arguments: [],
  options: {
    format: {
      kind: 'string',
      short: 'f',
      value: 'FORMAT',
      choices: ['table', 'json'],
      help: 'table or json (default: table)',
    },
  },
  examples: [{ command: 'check', does: 'a table' }],
  async run({ context, options }) {
    const report = await context.operations.check();
    if (options.format === 'json') {
      await context.stdout(`${JSON.stringify(report, null, 2)}\n`);
    } else {
      const rows = report.items.map((item) => [
        item.name,
        item.ok ? 'ok' : 'missing',
        item.found,
        item.without,
      ]);
      await context.stdout(table(['NAME', 'STATUS', 'FOUND', 'WITHOUT IT'], rows));
    }
    return report.ok ? 0 : 1;
  },
});

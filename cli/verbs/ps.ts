import { processTable } from '../process-table.js';
import { defineVerb } from '../verb.js';

const everything = ['-ef'];

export const verb = defineVerb({
  name: 'ps',
  summary: 'show the processes of a container',
  description:
    'Shows the processes of a container with ps(1) of the host, whose options follow the id (default: -ef). They must\n' +
    'make it print the column PID.',
  arguments: [
    { name: 'ID', help: 'the container' },
    { name: 'PS-OPTION', help: 'options of ps(1)', optional: true, rest: true },
  ],
  options: {
    format: {
      kind: 'string',
      short: 'f',
      value: 'FORMAT',
      choices: ['table', 'json'],
      help: 'table, or json: an array of pids (default: table)',
    },
  },
  examples: [
    { command: 'ps hello', does: 'a table of the processes of hello' },
    { command: 'ps hello -o pid,rss,comm -A', does: 'columns of your own' },
    { command: 'ps --format json hello', does: 'their pids on the host' },
  ],
  async run({ context, options, argument, arguments: [, ...psOptions] }) {
    const pids = await context.operations.processes(argument(0));
    if (options.format === 'json') await context.stdout(`${JSON.stringify(pids)}\n`);
    else await context.stdout(await processTable(pids, psOptions.length === 0 ? everything : psOptions));
    return 0;
  },
});

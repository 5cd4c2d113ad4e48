import { table } from '../table.js';
import { defineVerb } from '../verb.js';

export const verb = defineVerb({
  name: 'seed list',
  summary: 'list seeds',
  description: 'Lists seeds with their forks since the daemon started and the workers that live.',
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
  examples: [{ command: 'seed list --format json', does: 'an array of objects' }],
  async run({ context, options }) {
    const seeds = await context.operations.seedList();
    if (options.quiet) {
      await context.stdout(seeds.map(({ id }) => `${id}\n`).join(''));
    } else if (options.format === 'json') {
      await context.stdout(`${JSON.stringify(seeds)}\n`);
    } else {
      const header = ['ID', 'PID', 'STATE', 'MODE', 'ROLE', 'FORKS', 'WORKERS', 'BUNDLE', 'CREATED'];
      const rows = seeds.map((seed) => [
        seed.id,
        String(seed.pid),
        seed.state,
        seed.mode,
        seed.role,
        String(seed.forks),
        String(seed.workers),
        seed.bundle,
        seed.created,
      ]);
      await context.stdout(table(header, rows));
    }
    return 0;
  },
});

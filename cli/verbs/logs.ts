import { relayLogs } from '../relay-logs.js';
import { defineVerb } from '../verb.js';

export const verb = defineVerb({
  name: 'logs',
  summary: "print a container's captured output",
  description:
    'Prints what a container wrote to stdout and stderr where the daemon keeps it: seeds, workers, and containers\n' +
    'created over REST. The output of others went to whoever created them.',
  arguments: [{ name: 'ID', help: 'the container' }],
  options: {
    follow: { kind: 'flag', short: 'f', help: 'go on until the container ends' },
    tail: { kind: 'integer', short: 'n', value: 'N', help: 'start at the last N lines' },
  },
  examples: [{ command: 'logs --follow --tail 20 w1', does: 'the last 20 lines of w1, and what comes' }],
  async run({ context, options, argument }) {
    await relayLogs(context, argument(0), {
      follow: options.follow,
      ...(options.tail === undefined ? {} : { tail: options.tail }),
    });
    return 0;
  },
});

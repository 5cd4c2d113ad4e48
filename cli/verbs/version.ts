import { defineVerb } from '../verb.js';

export const verb = defineVerb({
  name: 'version',
  summary: 'print versions',
  description: 'Prints the versions of turf, of the OCI specification, and of what the daemon runs on.',
  arguments: [],
  options: {
    format: {
      kind: 'string',
      short: 'f',
      value: 'FORMAT',
      choices: ['text', 'json'],
      help: 'text or json (default: text)',
    },
  },
  examples: [{ command: '--version', does: 'the same' }],
  async run({ context, options }) {
    const version = await context.operations.version();
    if (options.format === 'json') {
      await context.stdout(`${JSON.stringify(version)}\n`);
      return 0;
    }
    const lines = [
      `turf version ${version.version}`,
      `spec: ${version.specVersion}`,
      `node: ${version.node}`,
      `kernel: ${version.kernel}`,
      ...(version.seccomp === undefined ? [] : [`libseccomp: ${version.seccomp}`]),
    ];
    await context.stdout(lines.map((line) => `${line}\n`).join(''));
    return 0;
  },
});

import { resolve } from 'node:path';
import { usageError } from '../options.js';
import { columns } from '../table.js';
import { templates, writeTemplate } from '../templates.js';
import { defineVerb } from '../verb.js';

const DEFAULT_TEMPLATE = 'hello';

export const verb = defineVerb({
  name: 'init',
  summary: 'make a worker from a template',
  description:
    'Makes a bundle with a worker in it: config.json, code, a README.md that tells how to run it, and a tsconfig.json with the declarations of the global scope.\n' +
    'The directory is new, or empty. Without DIR, and with --list, the templates are listed.',
  arguments: [{ name: 'DIR', help: 'directory to make, in one that exists', optional: true }],
  options: {
    template: { kind: 'string', short: 't', value: 'NAME', help: `template (default: ${DEFAULT_TEMPLATE})` },
    list: { kind: 'flag', help: 'list the templates' },
  },
  examples: [
    { command: 'init --list', does: 'what there is to start from' },
    { command: 'init --template json-api api', does: 'make ./api' },
  ],
  async run({ context, options, arguments: [name] }) {
    const all = await templates();
    if (options.list || name === undefined) {
      if (options.template !== undefined) throw usageError('--template needs a directory to make');
      if (name !== undefined) throw usageError('--list makes no directory');
      await context.stdout(columns(all.map((one) => [one.name, one.summary])));
      return 0;
    }
    const template = options.template ?? DEFAULT_TEMPLATE;
    if (!all.some((one) => one.name === template)) {
      const names = all.map((one) => one.name).join(', ');
      throw usageError(`--template ${template}: there are ${names}`);
    }
    await writeTemplate(template, resolve(context.cwd, name), context.umask);
    await context.stdout(`made ${name} from ${template}; ${name}/README.md tells how to run it\n`);
    return 0;
  },
});

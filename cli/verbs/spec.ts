import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { defaultConfig, defaultWorkerConfig, rootlessConfig } from '../../oci-spec/default-config.js';
import { usageError } from '../options.js';
import { cannotWrite, TurfError } from '../turf-error.js';
import { defineVerb } from '../verb.js';

export const verb = defineVerb({
  name: 'spec',
  summary: 'write a config.json to start from',
  description:
    'Writes config.json for a bundle with a shell in rootfs/, or with --worker for one whose code/index.js is served.\n' +
    'An existing file is left alone.',
  arguments: [],
  options: {
    bundle: {
      kind: 'string',
      short: 'b',
      value: 'DIR',
      help: 'bundle directory (default: the current directory)',
    },
    rootless: { kind: 'flag', help: 'a container in a user namespace' },
    worker: { kind: 'flag', help: 'a JavaScript worker' },
    seed: { kind: 'flag', help: 'with --worker: a seed that workers are forked from' },
  },
  examples: [
    { command: 'spec', does: 'write ./config.json' },
    { command: 'spec --worker --seed --bundle /srv/fn', does: 'write /srv/fn/config.json for a seed' },
  ],
  async run({ context, options }) {
    if (options.rootless && options.worker) throw usageError('--rootless and --worker exclude each other');
    if (options.seed && !options.worker) throw usageError('--seed needs --worker');
    const path = resolve(context.cwd, options.bundle ?? '.', 'config.json');
    await writeNew(path, `${JSON.stringify(config(options), null, '\t')}\n`, 0o666 & ~context.umask);
    return 0;
  },
});

function config(options: { rootless: boolean; worker: boolean; seed: boolean }): object {
  if (options.worker) {
    const worker = defaultWorkerConfig();
    return options.seed ? { ...worker, turf: { ...worker.turf, seed: true } } : worker;
  }
  // The daemon's user: its socket takes no other caller but root.
  if (options.rootless) return rootlessConfig(process.geteuid?.() ?? 0, process.getegid?.() ?? 0);
  return defaultConfig();
}

async function writeNew(path: string, text: string, mode: number): Promise<void> {
  try {
    const file = await open(path, 'wx', mode);
    try {
      await file.writeFile(text);
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'EEXIST') {
      throw new TurfError('TURF_ERR_EXISTS', 'File config.json exists. Remove it first', { path });
    }
    throw cannotWrite(path, cause);
  }
}

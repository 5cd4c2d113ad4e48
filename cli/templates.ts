import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { cannotWrite, TurfError } from './turf-error.js';

/** Templates are the examples: each is a bundle that runs as it is, or after its `npm run build`. */
const EXAMPLES = fileURLToPath(new URL('../../examples/', import.meta.url));
const TYPES = fileURLToPath(new URL('../../aworker/types', import.meta.url));

/** What a build or npm leaves in an example. */
const LEFT_OUT = new Set(['dist', 'node_modules']);

const tsconfigSchema = z.looseObject({ compilerOptions: z.looseObject({}) });

export interface Template {
  readonly name: string;
  /** One sentence. */
  readonly summary: string;
}

/** Every template, by name. */
export async function templates(): Promise<readonly Template[]> {
  const entries = await readdir(EXAMPLES, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  return Promise.all(names.sort().map(async (name) => ({ name, summary: await summaryOf(name) })));
}

/** The first sentence below a README's title. */
async function summaryOf(name: string): Promise<string> {
  const [, paragraph = ''] = (await readFile(join(EXAMPLES, name, 'README.md'), 'utf8')).split('\n\n', 2);
  return paragraph.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replace(/[.:](\s.*|)$/s, '');
}

/**
 * Writes a template's files into a directory that is new or empty; on failure, it is again what it was.
 *
 * @param directory absolute; its parent exists
 * @param umask of whoever will own the files
 * @throws {TurfError} TURF_ERR_EXISTS where something is in the way
 */
export async function writeTemplate(name: string, directory: string, umask: number): Promise<void> {
  const isNew = await claim(directory, 0o777 & ~umask);
  try {
    await copy(join(EXAMPLES, name), directory, umask);
    const text = `${JSON.stringify(await tsconfig(), null, 2)}\n`;
    await writeFile(join(directory, 'tsconfig.json'), text, { mode: 0o666 & ~umask, flag: 'wx' });
  } catch (cause) {
    // The directory was empty: whatever is there is from here.
    for (const entry of await readdir(directory)) await rm(join(directory, entry), { recursive: true });
    if (isNew) await rm(directory, { recursive: true });
    throw cannotWrite(directory, cause);
  }
}

/** @returns whether the directory did not exist before */
async function claim(directory: string, mode: number): Promise<boolean> {
  try {
    await mkdir(directory, { mode });
    return true;
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'EEXIST'))
      throw cannotWrite(directory, cause);
  }
  const entries = await readdir(directory).catch((cause: unknown) => {
    throw cannotWrite(directory, cause);
  });
  if (entries.length === 0) return false;
  throw new TurfError('TURF_ERR_EXISTS', `${directory} is not empty: it has ${entries[0] ?? ''}`, {
    path: directory,
  });
}

async function copy(from: string, to: string, umask: number): Promise<void> {
  for (const entry of await readdir(from, { withFileTypes: true })) {
    if (LEFT_OUT.has(entry.name)) continue;
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) {
      await mkdir(target, { mode: 0o777 & ~umask });
      await copy(source, target, umask);
    } else {
      await writeFile(target, await readFile(source), { mode: 0o666 & ~umask, flag: 'wx' });
    }
  }
}

/** The options that the examples are compiled with, and this installation's declarations. */
async function tsconfig(): Promise<object> {
  const config = tsconfigSchema.parse(JSON.parse(await readFile(join(EXAMPLES, 'tsconfig.json'), 'utf8')));
  return { ...config, compilerOptions: { ...config.compilerOptions, types: [TYPES] } };
}

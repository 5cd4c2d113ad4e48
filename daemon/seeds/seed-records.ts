import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { drainSchema, seedPolicySchema } from '../../cli/api/seed-policy.js';

/** What is kept of a seed beyond its versions, which are containers: `<root>/.seeds/NAME.json`. */
export const seedRecordSchema = z.strictObject({
  version: z.literal(1),
  /** What forks ask for. */
  name: z.string(),
  /** Absolute path; what the next version is made from. */
  bundle: z.string(),
  /** Milliseconds that a version has to park. */
  timeoutMs: z.int(),
  policy: seedPolicySchema,
  /** Clones to make ahead of their use; absent: as the bundle says. */
  pool: z.int().optional(),
  /** Name of the seed that each version is cloned from; absent: as the bundle says. */
  from: z.string().optional(),
  /** Of the last version that was begun: raised before it is made, so that a daemon that dies meanwhile finds it. */
  number: z.int().positive(),
  /** Container that forks are made from, whether it lives or not. */
  current: z.string(),
  /** Forks of `current`, written now and then. */
  forks: z.int(),
  /** Failures in a row. */
  failures: z.int(),
  /** Former versions, which end by their policy. */
  draining: z.array(z.strictObject({ id: z.string(), drain: drainSchema })),
});

export type SeedRecord = z.infer<typeof seedRecordSchema>;

const SUFFIX = '.json';

/** The records of seeds on disk. A name is an id, and so a file name. */
export class SeedRecords {
  readonly #directory: string;

  /** @param root the state root; no id starts with a dot */
  constructor(root: string) {
    this.#directory = join(root, '.seeds');
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
  }

  /** @returns one entry for each file: a record, or why it cannot be used */
  entries(): ({ readonly record: SeedRecord } | { readonly file: string; readonly error: unknown })[] {
    return readdirSync(this.#directory)
      .filter((file) => file.endsWith(SUFFIX))
      .map((file) => {
        try {
          const document: unknown = JSON.parse(readFileSync(join(this.#directory, file), 'utf8'));
          return { record: seedRecordSchema.parse(document) };
        } catch (error) {
          return { file, error };
        }
      });
  }

  write(record: SeedRecord): void {
    const path = this.#path(record.name);
    writeFileSync(`${path}.new`, JSON.stringify(record), { mode: 0o600 });
    renameSync(`${path}.new`, path);
  }

  remove(name: string): void {
    rmSync(this.#path(name), { force: true });
  }

  #path(name: string): string {
    return join(this.#directory, `${name}${SUFFIX}`);
  }
}

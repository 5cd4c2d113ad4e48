import { type Logger } from 'pino';
import { type SeedPolicy } from '../../cli/seed-operations.js';
import { TurfError } from '../../cli/turf-error.js';
import { KeptSeed } from './kept-seed.js';
import { type SeedRecord, SeedRecords } from './seed-records.js';

/** The seeds that are kept under a name, in memory and on disk; and which containers are their versions. */
export class KeptSeeds {
  readonly #records: SeedRecords;
  readonly #kept = new Map<string, KeptSeed>();

  /** @param root the state root */
  constructor(root: string) {
    this.#records = new SeedRecords(root);
  }

  get(name: string): KeptSeed | undefined {
    return this.#kept.get(name);
  }

  all(): Iterable<KeptSeed> {
    return this.#kept.values();
  }

  /** Whether a seed of that name is kept. */
  has(name: string): boolean {
    return this.#kept.has(name);
  }

  /** Whether it has not been forgotten. */
  holds(kept: KeptSeed): boolean {
    return this.#kept.get(kept.record.name) === kept;
  }

  /** The container that forks of that name are made from now; the name itself where no seed of that name is kept. */
  current(name: string): string {
    return this.#kept.get(name)?.record.current ?? name;
  }

  /** Ids of the versions of a seed; none where no seed of that name is kept. */
  versions(name: string): readonly string[] {
    const kept = this.#kept.get(name);
    return kept === undefined ? [] : [kept.record.current, ...kept.record.draining.map((one) => one.id)];
  }

  /** The seed that a container is a version of, and what it is to it. */
  role(id: string): { name: string; role: 'current' | 'draining' | 'preparing' } {
    for (const { record, preparing } of this.#kept.values()) {
      if (record.current === id) return { name: record.name, role: 'current' };
      if (record.draining.some((one) => one.id === id)) return { name: record.name, role: 'draining' };
      if (preparing === id) return { name: record.name, role: 'preparing' };
    }
    return { name: id, role: 'current' };
  }

  policy(name: string): SeedPolicy {
    return this.#kept.get(name)?.record.policy ?? {};
  }

  add(record: SeedRecord): KeptSeed {
    this.#records.write(record);
    const kept = new KeptSeed(record);
    this.#kept.set(record.name, kept);
    return kept;
  }

  /** Reads what an earlier daemon kept; a record that cannot be used is logged, and stays. */
  load(log: Pick<Logger, 'error'>): KeptSeed[] {
    for (const entry of this.#records.entries()) {
      if ('error' in entry)
        log.error({ file: entry.file, err: entry.error }, 'the record of a seed cannot be used');
      else this.#kept.set(entry.record.name, new KeptSeed(entry.record));
    }
    return [...this.#kept.values()];
  }

  /** Changes a record, on disk too unless the seed has been forgotten. */
  write(kept: KeptSeed, change: Partial<SeedRecord>): void {
    kept.record = { ...kept.record, ...change };
    if (this.holds(kept)) this.#records.write(kept.record);
  }

  /** Forgets a seed by its name or by the id of its current version, so that its end is no failure. */
  forget(id: string): void {
    const { name } = this.role(id);
    const kept = this.#kept.get(name);
    if (kept === undefined || (id !== name && id !== kept.record.current)) return;
    this.#kept.delete(name);
    this.#records.remove(name);
    kept.giveUp(new TurfError('TURF_ERR_NOT_FOUND', `seed ${name} was removed`));
  }
}

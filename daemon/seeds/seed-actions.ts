import { type SeedCreateOptions, type SeedInfo } from '../../cli/operations.js';
import { type SeedDetails, type SeedRollOptions, type TreeNode } from '../../cli/seed-operations.js';
import { TurfError } from '../../cli/turf-error.js';
import { type Container } from '../containers/container.js';
import { deleteContainer } from '../containers/delete.js';
import { type Machine } from '../machine.js';
import { memoryUse } from './memory-use.js';
import { sleepsOn } from './on-demand.js';
import { type Seeds } from './seeds.js';
import { seedTree } from './tree.js';

const PARK_PATIENCE_MS = 30_000;

/** What callers ask about seeds, and their end. */
export class SeedActions {
  readonly #machine: Machine;
  readonly #seeds: Seeds;

  constructor(machine: Machine, seeds: Seeds) {
    this.#machine = machine;
    this.#seeds = seeds;
  }

  list(): SeedInfo[] {
    return [...this.#machine.containers.values()]
      .filter(({ facts, lifecycle }) => facts.kind === 'seed' && lifecycle.state !== 'creating')
      .map((seed) => this.#seeds.info(seed));
  }

  /** @throws TurfError where it exists already, or does not park */
  async create({
    id,
    bundle,
    timeoutMs = PARK_PATIENCE_MS,
    policy = {},
    pool,
    from,
  }: SeedCreateOptions): Promise<SeedInfo> {
    const { keeper, kept } = this.#seeds;
    if (kept.has(id)) throw new TurfError('TURF_ERR_EXISTS', `seed exists: ${id}`, { path: 'id' });
    return this.#seeds.info(await keeper.create({ id, bundle, timeoutMs, pool, from }, policy));
  }

  async roll(options: SeedRollOptions): Promise<SeedInfo> {
    return this.#seeds.info(await this.#seeds.keeper.roll(options));
  }

  async inspect(id: string): Promise<SeedDetails> {
    const seed = this.#find(id);
    const info = this.#seeds.info(seed);
    const { code, idBase, hostNetwork } = seed.facts;
    const clones = this.#seeds.clones(seed);
    const clonesOf = (kind: 'worker' | 'seed'): string[] =>
      clones.filter(({ facts }) => facts.kind === kind).map((clone) => clone.id);
    const memory = info.pid === 0 ? undefined : await memoryUse(info.pid);
    return {
      ...info,
      policy: this.#seeds.kept.policy(info.name),
      network: hostNetwork === true ? 'host' : 'none',
      ...(code === undefined ? {} : { code }),
      ...(idBase === undefined ? {} : { idBase }),
      ...(memory === undefined ? {} : { memory }),
      workerIds: clonesOf('worker'),
      seedIds: clonesOf('seed'),
    };
  }

  remove(id: string, force: boolean): Promise<void> {
    return this.#machine.locks.run(id, async () => {
      const { kept } = this.#seeds;
      const versions = this.#versions(id);
      const asleep = [...this.#machine.containers.values()].filter((other) => sleepsOn(other) === id);
      if (!force) refuseWhileCloned(id, [...versions.flatMap((seed) => this.#seeds.clones(seed)), ...asleep]);
      kept.forget(id);
      for (const seed of versions) {
        const remove = (): Promise<void> => this.#end(seed);
        await (seed.id === id ? remove() : this.#machine.locks.run(seed.id, remove));
      }
    });
  }

  async #end(seed: Container): Promise<void> {
    await this.#seeds.dropAhead(seed.id);
    await deleteContainer(this.#machine, seed, true);
  }

  tree(): Promise<TreeNode[]> {
    return seedTree(this.#machine.containers.values(), (name) => this.#seeds.kept.current(name));
  }

  /** Every version of a seed by its name; by its id, one version. */
  #versions(id: string): Container[] {
    const { containers } = this.#machine;
    const found = this.#seeds.kept.versions(id).flatMap((version) => containers.get(version) ?? []);
    return found.length > 0 || this.#seeds.kept.has(id) ? found : [this.#find(id)];
  }

  #find(id: string): Container {
    const { containers } = this.#machine;
    const seed = containers.get(this.#seeds.kept.current(id)) ?? containers.get(id);
    if (seed?.facts.kind === 'seed' && seed.lifecycle.state !== 'creating') return seed;
    const what = seed === undefined ? 'does not exist' : 'is not a seed';
    throw new TurfError('TURF_ERR_NOT_FOUND', `seed ${id} ${what}`, { path: 'id' });
  }
}

/** @throws TurfError TURF_ERR_STATE */
function refuseWhileCloned(id: string, clones: readonly Container[]): void {
  for (const [kind, name] of [
    ['seed', 'seed(s) cloned from it'],
    ['worker', 'worker(s)'],
  ] as const) {
    const [first, ...more] = clones.filter(({ facts }) => facts.kind === kind);
    if (first === undefined) continue;
    const which = `${first.id}${more.length > 0 ? ' …' : ''}`;
    throw new TurfError(
      'TURF_ERR_STATE',
      `seed ${id} has ${more.length + 1} ${name} that live or sleep: ${which}`,
      {
        operation: `seed rm ${id}`,
      },
    );
  }
}

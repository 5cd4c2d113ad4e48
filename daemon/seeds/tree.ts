import { type MemoryUse, type TreeNode } from '../../cli/seed-operations.js';
import { type Container } from '../containers/container.js';
import { turfState } from '../containers/lifecycle.js';
import { memoryUse } from './memory-use.js';
import { sleepsOn } from './on-demand.js';

/** Measured at a time: as many as libuv has threads to read files on. */
const AT_ONCE = 4;

/** 0 where there is none. */
function processOf({ facts, lifecycle }: Container): number {
  return lifecycle.state === 'stopped' ? 0 : (facts.process?.pid ?? 0);
}

async function measure(containers: readonly Container[]): Promise<Map<string, MemoryUse>> {
  const measured = new Map<string, MemoryUse>();
  const waiting = containers.filter((container) => processOf(container) > 0);
  const work = async (): Promise<void> => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const use = await memoryUse(processOf(next));
      if (use !== undefined) measured.set(next.id, use);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return measured;
}

/**
 * Seeds and workers, depth first: clones follow the seed that they were made from, or stand at the top where that has gone. One that
 * sleeps follows the seed that it will be made from.
 *
 * @param current the version that forks of a seed are made from
 */
export async function seedTree(
  containers: Iterable<Container>,
  current: (seed: string) => string,
): Promise<TreeNode[]> {
  const all = [...containers].filter(({ facts }) => facts.kind !== 'container');
  const memory = await measure(all);
  const known = new Set(all.map(({ id }) => id));
  const below = new Map<string, Container[]>();
  for (const container of all) {
    const seed = parentOf(container, current);
    const parent = seed !== undefined && known.has(seed) ? seed : '';
    const siblings = below.get(parent);
    if (siblings === undefined) below.set(parent, [container]);
    else siblings.push(container);
  }
  const nodes: TreeNode[] = [];
  const add = (parent: string, depth: number): void => {
    for (const container of below.get(parent) ?? []) {
      const seed = parentOf(container, current);
      nodes.push({
        ...node(container, memory.get(container.id)),
        ...(seed === undefined ? {} : { parent: seed }),
        orphan: seed !== undefined && !known.has(seed),
        depth,
      });
      add(container.id, depth + 1);
    }
  };
  add('', 0);
  return nodes;
}

function parentOf(container: Container, current: (seed: string) => string): string | undefined {
  const name = sleepsOn(container);
  return name === undefined ? container.facts.seed : current(name);
}

function node(
  container: Container,
  memory: MemoryUse | undefined,
): Pick<TreeNode, 'id' | 'kind' | 'state' | 'pid' | 'memory'> {
  return {
    id: container.id,
    kind: container.facts.kind === 'seed' ? 'seed' : 'worker',
    state: turfState(container),
    pid: processOf(container),
    ...(memory === undefined ? {} : { memory }),
  };
}

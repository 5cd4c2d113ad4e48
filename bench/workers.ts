import { join } from 'node:path';
import { coldNode, endColdNode, type ColdNode } from './cold-node.js';
import type { TemporaryDaemon } from './daemon.js';
import { exchange } from './http.js';
import { settledKiB } from './machine.js';
import type { Row } from './row.js';
import { round, spread } from './statistics.js';

interface Forked {
  readonly listen: string;
  readonly forkMs: number;
}

/** Workers of one seed, forked and asked; counts those that live. */
export class Herd {
  readonly #daemon: TemporaryDaemon;
  readonly #seed: string;
  #made = 0;
  readonly #alive: string[] = [];

  constructor(daemon: TemporaryDaemon, seed: string) {
    this.#daemon = daemon;
    this.#seed = seed;
  }

  get size(): number {
    return this.#alive.length;
  }

  /** Forks over REST and asks once. @returns milliseconds to the first whole response, and the daemon's own figure */
  async viaRest(): Promise<{ ms: number; forkMs: number }> {
    const id = this.#next();
    const began = performance.now();
    const answer = await this.#daemon.rest('POST', `/seeds/${this.#seed}/fork`, { id });
    const { listen, forkMs } = JSON.parse(answer.body) as Forked;
    await ask(listen);
    return { ms: performance.now() - began, forkMs };
  }

  /** Likewise through the command line, its process included. */
  async viaCli(): Promise<number> {
    const id = this.#next();
    const began = performance.now();
    const { stdout } = await this.#daemon.turf('fork', this.#seed, id);
    await ask(stdout.trim());
    return performance.now() - began;
  }

  async grow(size: number): Promise<void> {
    while (this.size < size) await this.viaRest();
  }

  async shrink(size: number): Promise<void> {
    while (this.size > size) {
      const id = this.#alive.pop() ?? '';
      await this.#daemon.rest('DELETE', `/containers/${id}?force=true`);
    }
  }

  /** Likewise with so many requests under way at once. */
  async growTogether(size: number, clients: number): Promise<void> {
    await together(clients, async () => {
      if (this.size >= size) return false;
      await this.viaRest();
      return true;
    });
  }

  async shrinkTogether(size: number, clients: number): Promise<void> {
    await together(clients, async () => {
      if (this.size <= size) return false;
      await this.shrink(this.size - 1);
      return true;
    });
  }

  /** Workers that the daemon knows of and that are not of the herd. */
  async left(): Promise<number> {
    const { body } = await this.#daemon.rest('GET', '/containers');
    const all = JSON.parse(body) as { turf?: { kind: string } }[];
    return all.filter(({ turf }) => turf?.kind === 'worker').length - this.size;
  }

  #next(): string {
    const id = `bench-${process.pid}-${this.#seed}-${this.#made++}`;
    this.#alive.push(id);
    return id;
  }
}

/** Repeats a step until it answers false, so many times at once. */
async function together(clients: number, step: () => Promise<boolean>): Promise<void> {
  const client = async (): Promise<void> => {
    while (await step());
  };
  await Promise.all(Array.from({ length: clients }, client));
}

async function ask(listen: string): Promise<void> {
  const { status } = await exchange(listen, 'GET', '/');
  if (status !== 200) throw new Error(`${listen} answered ${status}`);
}

/** Fork to first response, by CLI and REST in turns, with so many workers alive. */
export async function forkToResponse(herd: Herd, alive: number, runs: number): Promise<Row[]> {
  await herd.grow(alive);
  const cli: number[] = [];
  const rest: number[] = [];
  const forks: number[] = [];
  for (let run = 0; run < runs; run++) {
    cli.push(await herd.viaCli());
    const { ms, forkMs } = await herd.viaRest();
    rest.push(ms);
    forks.push(forkMs);
    await herd.shrink(alive);
  }
  const row = (what: string, values: number[]): Row => ({
    what: `${what}, ${alive} alive`,
    who: 'turf',
    unit: 'ms',
    figures: spread(values),
  });
  return [
    row('turf fork (CLI) to first response', cli),
    row('fork (REST) to first response', rest),
    row('fork: request to parked clone', forks),
  ];
}

/** Spawn of a plain node to the first response of the same function. */
export async function coldNodeToResponse(module: string, directory: string, runs: number): Promise<Row[]> {
  const taken: number[] = [];
  for (let run = 0; run < runs; run++) {
    const cold = await coldNode(module, directory, 'cold');
    await endColdNode(cold);
    taken.push(cold.ms);
  }
  return [{ what: 'cold start to first response', who: 'node', unit: 'ms', figures: spread(taken) }];
}

/** What one idle worker, and one idle node, takes of the machine's memory, all in, after it answered once. */
export async function memory(herd: Herd, workers: number, module: string, directory: string): Promise<Row[]> {
  const nodes: ColdNode[] = [];
  const count = Math.max(1, Math.floor(workers / 10));
  const perNode = await memoryOf(count, async () => {
    for (let n = 0; n < count; n++) nodes.push(await coldNode(module, directory, `node${n}`));
  });
  await Promise.all(nodes.map(endColdNode));
  await herd.grow(3);
  const perWorker = await memoryOf(workers, () => herd.grow(workers + 3));
  const row = (who: string, n: number, value: number): Row => ({
    what: 'memory per idle instance after one request',
    who,
    unit: 'KiB',
    figures: { n, p5: value, p50: value, p95: value },
  });
  return [row('turf', workers, perWorker), row('node', count, perNode)];
}

async function memoryOf(count: number, grow: () => Promise<void>): Promise<number> {
  const before = await settledKiB();
  await grow();
  return round(((await settledKiB()) - before) / count);
}

/** Module of the function in a bundle. */
export const moduleOf = (bundle: string): string => join(bundle, 'code/index.js');

import type { Test } from 'tap';
import { workerBundle } from './bundle.js';
import { type Turfd } from './turfd.js';

/** What `turf seed list` tells, as far as the tests look at it. */
export interface SeedRow {
  readonly id: string;
  readonly pid: number;
  readonly state: string;
  readonly role: string;
}

/** A module whose worker answers everything with that text. */
export const says = (text: string): string =>
  `export default { fetch: () => new Response(${JSON.stringify(text)}) };`;

/** The bundle of a userland seed whose workers say that text; it lives as long as the test. */
export const sayingBundle = (t: Test, text: string): string =>
  workerBundle(t, says(text), { turf: { seed: true } }).path;

/** The bundle of a runtime seed, which others are cloned from. @param turf more members of `turf` */
export const runtimeBundle = (t: Test, turf: object = {}): string =>
  workerBundle(t, {}, { turf: { code: undefined, seed: { mode: 'runtime' }, ...turf } }).path;

/** Follows a seed's events: types and reasons, in order. */
export async function seedEvents(turfd: Turfd, seed: string): Promise<() => string[]> {
  const feed = await turfd.feed();
  return () =>
    feed.seen
      .filter((event) => event['seed'] === seed && String(event['type']).startsWith('seed-'))
      .map((event) => `${String(event['type'])} ${String(event['reason'])}`);
}

export const seedRows = async (turfd: Turfd): Promise<SeedRow[]> =>
  JSON.parse((await turfd.ok(['seed', 'list', '--format', 'json'])).stdout) as SeedRow[];

/** Forks a worker and asks it. */
export async function forkAndAsk(
  turfd: Turfd,
  seed: string,
  name: string,
  ...options: string[]
): Promise<string> {
  const id = turfd.id(name);
  await turfd.ok(['fork', ...options, seed, id]);
  return (await turfd.ok(['invoke', id])).stdout;
}

import { TurfError } from './turf-error.js';
import type { Verb } from './verb.js';

interface VerbModule {
  readonly verb: Verb;
}

/** Every verb, in the order of help; loaded when used. */
const verbs: Readonly<Record<string, () => Promise<VerbModule>>> = {
  create: () => import('./verbs/create.js'),
  start: () => import('./verbs/start.js'),
  run: () => import('./verbs/run.js'),
  state: () => import('./verbs/state.js'),
  exec: () => import('./verbs/exec.js'),
  pause: () => import('./verbs/pause.js'),
  resume: () => import('./verbs/resume.js'),
  ps: () => import('./verbs/ps.js'),
  kill: () => import('./verbs/kill.js'),
  delete: () => import('./verbs/delete.js'),
  checkpoint: () => import('./verbs/checkpoint.js'),
  restore: () => import('./verbs/restore.js'),
  update: () => import('./verbs/update.js'),
  list: () => import('./verbs/list.js'),
  logs: () => import('./verbs/logs.js'),
  events: () => import('./verbs/events.js'),
  'seed create': () => import('./verbs/seed-create.js'),
  'seed list': () => import('./verbs/seed-list.js'),
  'seed inspect': () => import('./verbs/seed-inspect.js'),
  'seed roll': () => import('./verbs/seed-roll.js'),
  'seed rm': () => import('./verbs/seed-rm.js'),
  tree: () => import('./verbs/tree.js'),
  fork: () => import('./verbs/fork.js'),
  invoke: () => import('./verbs/invoke.js'),
  init: () => import('./verbs/init.js'),
  spec: () => import('./verbs/spec.js'),
  features: () => import('./verbs/features.js'),
  check: () => import('./verbs/check.js'),
  version: () => import('./verbs/version.js'),
  help: () => import('./verbs/help.js'),
};

/** There is no such verb. */
export class UnknownVerb extends TurfError {
  constructor(words: readonly string[]) {
    super('TURF_ERR_USAGE', `unknown command: ${words.join(' ')}`);
  }
}

export function verbNames(): readonly string[] {
  return Object.keys(verbs);
}

/** Whether some verb's name is `word` and another word. */
export function isGroup(word: string): boolean {
  return verbNames().some((name) => name.startsWith(`${word} `));
}

/** The longest name of a verb that `words` starts with; undefined where there is none. */
export function matchVerb(words: readonly string[]): string | undefined {
  const two = words.slice(0, 2).join(' ');
  if (words.length > 1 && Object.hasOwn(verbs, two)) return two;
  const one = words[0];
  return one !== undefined && Object.hasOwn(verbs, one) ? one : undefined;
}

/** Loads a verb that `verbNames` lists. */
export async function loadVerb(name: string): Promise<Verb> {
  const load = verbs[name];
  if (load === undefined) throw new Error(`no verb ${name}`);
  return (await load()).verb;
}

/** Loads every verb, so that the first client of a daemon does not wait for it. */
export async function preloadVerbs(): Promise<void> {
  await Promise.all(verbNames().map(loadVerb));
}

import process from 'node:process';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { renewConnections } from './web/fetch-family.js';

const PATIENCE_MS = 10_000;
/**
 * What may be under way while a process is forked: timers go on in the clone, signal watchers are renewed there, and pipes and
 * terminals are standard output (the fork point refuses open sockets).
 */
const HARMLESS = new Set(['Timeout', 'Immediate', 'SignalWrap', 'PipeWrap', 'TTYWrap']);

function busy(): string[] {
  return process.getActiveResourcesInfo().filter((name) => !HARMLESS.has(name));
}

/**
 * Waits until user code has no file, crypto or network operation under way, which a clone could not finish.
 *
 * @throws Error naming what is still open after ten seconds
 */
export async function quiesce(): Promise<void> {
  await renewConnections();
  const deadline = performance.now() + PATIENCE_MS;
  while (busy().length > 0) {
    if (performance.now() > deadline) throw new Error(`Cannot fork: still open: ${busy().join(', ')}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** Collects garbage, so that clones share a compact heap and collect later. */
export function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  setFlagsFromString('--no-expose-gc');
  if (typeof collect !== 'function') return;
  for (let i = 0; i < 2; i++) Reflect.apply(collect, undefined, []);
}

import process from 'node:process';
import { getHeapCodeStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { childProcesses, openDescriptors, openedSince } from './open-descriptors.js';
import { PendingRequests } from './pending-requests.js';
import { forgetTlsSessions } from './tls-sessions.js';
import { renewConnections } from '../web/fetch-family.js';

const PATIENCE_MS = 10_000;
/**
 * What may be under way while a process is forked: timers go on in the clone, signal watchers are renewed there, and pipes and
 * terminals are standard output (the fork point refuses open sockets).
 */
const HARMLESS = new Set(['Timeout', 'Immediate', 'SignalWrap', 'PipeWrap', 'TTYWrap']);

function busy(): string[] {
  return process.getActiveResourcesInfo().filter((name) => !HARMLESS.has(name));
}

/** What a seed must not be parked with; made before user code runs, so that what is there already counts as the runtime's own. */
export class Quiescence {
  readonly #own = openDescriptors();
  readonly #requests = new PendingRequests();

  /**
   * Waits until user code has no file, crypto or network operation under way, which a clone could not finish.
   *
   * @throws Error naming each thing that is still open after ten seconds
   */
  async reach(): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS;
    let closed = false;
    for (;;) {
      if (!closed && this.#requests.texts.length === 0) {
        closed = true;
        await renewConnections();
      }
      const open = this.#open();
      if (open.length === 0) break;
      if (performance.now() > deadline) throw new Error(`Cannot fork: still open: ${open.join('; ')}`);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    this.#requests.stop();
    forgetTlsSessions();
  }

  #open(): string[] {
    const named = [...this.#requests.texts, ...openedSince(this.#own)];
    // Operations have kinds only; what is named above explains most of them.
    const open = named.length > 0 ? named : busy();
    return open.length > 0 ? open : childProcesses();
  }
}

/**
 * Collects garbage, so that clones share a compact heap and collect later.
 *
 * @param generation `young`: only what was made lately, as a clone that parks itself does: marking and moving the rest would un-share it
 */
export function collectGarbage(generation: 'all' | 'young'): void {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  setFlagsFromString('--no-expose-gc');
  if (typeof collect !== 'function') return;
  if (generation === 'young') Reflect.apply(collect, undefined, [{ type: 'minor' }]);
  else for (let i = 0; i < 2; i++) Reflect.apply(collect, undefined, []);
  // V8 sweeps pages when it needs room, which each clone would do anew; to count its code it sweeps them all first.
  getHeapCodeStatistics();
}

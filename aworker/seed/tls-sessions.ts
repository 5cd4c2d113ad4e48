import { createRequire } from 'node:module';
import process from 'node:process';

const require = createRequire(import.meta.url);

/**
 * Forgets the TLS sessions that the agent of node:https keeps, where user code has loaded it: every clone would resume them. (Those of `fetch`
 * go with its connections.)
 */
export function forgetTlsSessions(): void {
  const loaded: unknown = Reflect.get(process, 'moduleLoadList');
  if (Array.isArray(loaded) && !loaded.includes('NativeModule https')) return;
  const { globalAgent } = require('node:https') as typeof import('node:https');
  // Keys, newest last, and sessions by key; the agent has no public way to drop them.
  const cache: unknown = Reflect.get(globalAgent, '_sessionCache');
  if (typeof cache === 'object' && cache !== null) Object.assign(cache, { map: {}, list: [] });
}

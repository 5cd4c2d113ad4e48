/** Packages from npm whose code runs inside workers, each module in a scope that has the globals of Node.js. */
import { Buffer } from 'node:buffer';
import nodeCrypto from 'node:crypto';
import process from 'node:process';
import {
  clearImmediate,
  clearInterval,
  clearTimeout,
  setImmediate,
  setInterval,
  setTimeout,
} from 'node:timers';
import { randomFillAhead, randomInt } from '../seed/randomness.js';
import { lateBuiltins } from './late-builtins.js';
import { LexicalRequire } from './lexical-require.js';
import { MessagePort } from './message-port.js';

/** What packages take for the global object: what they write there, user code does not find. */
export const ownGlobal = Object.create(globalThis) as object;

/** What undici keeps from when it is loaded: `randomInt` for the boundaries of forms, `randomFillSync` for the masks of WebSockets. */
const crypto: unknown = Object.create(nodeCrypto, {
  randomInt: { value: randomInt },
  randomFillSync: { value: randomFillAhead },
});

const scope = {
  Buffer,
  process,
  setTimeout,
  clearTimeout,
  setInterval,
  clearInterval,
  setImmediate,
  clearImmediate,
  MessagePort,
  globalThis: ownGlobal,
  global: ownGlobal,
};

export const packages = new LexicalRequire(scope, new Map([['node:crypto', crypto], ...lateBuiltins()]));

import { setImmediate as nextTurn } from 'node:timers/promises';
import { defaultConfig } from '../oci-spec/default-config.js';
import { parseConfig } from '../oci-spec/parse.js';
import { compilePlan } from './plan/compile.js';

const ROUNDS = 400;
const ROUNDS_A_TURN = 10;

/**
 * Compiles the default config again and again, until the engine has optimised the way from config.json to plan: a fresh daemon takes
 * twice as long for a create as one that has made a hundred. Gives way to requests all the time.
 */
export async function warmUp(): Promise<void> {
  const text = JSON.stringify(defaultConfig());
  for (let round = 0; round < ROUNDS; round++) {
    compilePlan({
      id: 'warm-up',
      config: { ...parseConfig(text) },
      bundle: '/',
      rootfs: '/',
      stateJson: () => '{}',
      cgroup: { enterFds: [], mounts: { mode: 'hybrid', hierarchies: [] } },
      namespaceFds: new Map(),
      startSocketFd: 0,
      consoleSocketFd: 0,
    });
    if (round % ROUNDS_A_TURN === 0) await nextTurn();
  }
}

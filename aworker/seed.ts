/**
 * A seed's program: prepares the runtime (and in `userland` mode the user's code), parks at the fork point, and goes on as a worker in every
 * clone. Started by turf with AWORKER_NODE_FLAGS and TURF_SEED.
 */
import process from 'node:process';
import { loadSeedPoint } from '../native-shim/seed-point.js';
import { restartClock } from './clock.js';
import { parseSeedConfig, parseWorkerConfig, type SeedConfig, takeVariable } from './config.js';
import { prepareLoopWatch } from './loop-watch.js';
import { renewPid } from './global-scope.js';
import { raise } from './lifecycle.js';
import { collectGarbage, Quiescence } from './quiesce.js';
import { reseed } from './randomness.js';
import { createRuntime, type Runtime, runWorker } from './runtime.js';
import { pauseOptimizing, resumeOptimizing } from './tiering.js';
import { warm } from './warm.js';

const config = parseSeedConfig(takeVariable(process.env, 'TURF_SEED'));
const seedPoint = loadSeedPoint();
const leave = (code: number): never => seedPoint.exit(code);

async function prepare(runtime: Runtime, { mode, main, nodeModules }: SeedConfig): Promise<void> {
  parseWorkerConfig('{"id":"","env":{"A":"B"},"listenFd":200}');
  await warm(runtime, seedPoint.warmListener());
  prepareLoopWatch();
  const quiescence = new Quiescence();
  if (mode === 'userland') {
    await runtime.load(main, nodeModules);
    await raise('serialize');
  }
  await quiescence.reach();
  renew(runtime);
  collectGarbage();
}

/** Everything that a fork copies and a worker must have of its own. */
function renew(runtime: Runtime): void {
  reseed();
  restartClock();
  runtime.identity.pid = seedPoint.pid();
  renewPid(runtime.identity.pid);
}

runWorker(leave, async () => {
  const runtime = createRuntime(leave);
  await prepare(runtime, config);
  pauseOptimizing();
  let worker = parseWorkerConfig(seedPoint.park(config.controlFd));
  if (worker.ahead) {
    // What follows is done once for nobody, so that the pages it takes are there when somebody waits.
    renew(runtime);
    await runtime.exercise();
    worker = parseWorkerConfig(seedPoint.resume());
  }
  runtime.onFirstRequest(resumeOptimizing);
  renew(runtime);
  runtime.begin(worker);
  if (worker.rehearsal) {
    runtime.rehearse();
    await raise('deserialize');
  } else if (config.mode === 'userland') {
    await raise('deserialize');
  } else {
    resumeOptimizing();
    await runtime.load(worker.main, worker.nodeModules);
  }
  if (worker.listenFd === undefined) resumeOptimizing();
  await runtime.serve(
    worker.listenFd === undefined ? undefined : { fd: worker.listenFd },
    worker.maxRequests,
  );
});

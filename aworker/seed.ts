/**
 * A seed's program: prepares the runtime (and in `userland` mode the user's code), parks at the fork point, and goes on as a worker in every
 * clone. Started by turf with AWORKER_NODE_FLAGS and TURF_SEED.
 */
import process from 'node:process';
import { loadSeedPoint } from '../native-shim/seed-point.js';
import { restartClock } from './seed/clock.js';
import {
  parseSeedConfig,
  parseWorkerConfig,
  type SeedConfig,
  takeVariable,
  type WorkerConfig,
} from './config/config.js';
import { prepareLoopWatch } from './engine/loop-watch.js';
import { renewPid } from './scope/global-scope.js';
import * as httpServer from './http/server.js';
import { raise } from './lifecycle/phases.js';
import { collectGarbage, Quiescence } from './seed/quiesce.js';
import { reseed } from './seed/randomness.js';
import { createRuntime, type Runtime, runWorker } from './lifecycle/runtime.js';
import { compilingEagerly, pauseOptimizing, resumeOptimizing } from './seed/tiering.js';
import { warm } from './seed/warm.js';

const config = parseSeedConfig(takeVariable(process.env, 'TURF_SEED'));
const seedPoint = loadSeedPoint();
const leave = (code: number): never => seedPoint.exit(code);

/** Loads the user's code, if the seed is to have any, and waits until nothing is under way. */
async function prepare(
  runtime: Runtime,
  { mode, main, nodeModules }: SeedConfig,
  isClone: boolean,
): Promise<void> {
  const quiescence = new Quiescence();
  if (mode === 'userland') {
    await compilingEagerly(() => runtime.load(main, nodeModules));
    await raise('serialize');
  }
  await quiescence.reach();
  renew(runtime);
  collectGarbage(isClone ? 'young' : 'all');
}

/** Everything that a fork copies and a worker must have of its own. */
function renew(runtime: Runtime): void {
  reseed();
  restartClock();
  runtime.identity.pid = seedPoint.pid();
  renewPid(runtime.identity.pid);
}

/** Parks; goes on in a clone, once it is known what that is to be. */
async function park(runtime: Runtime, { controlFd }: SeedConfig): Promise<WorkerConfig> {
  pauseOptimizing();
  const clone = parseWorkerConfig(seedPoint.park(controlFd));
  if (clone.ahead !== true) return clone;
  // What follows is done once for nobody, so that the pages it takes are there when somebody waits.
  renew(runtime);
  await runtime.exercise();
  return parseWorkerConfig(seedPoint.resume());
}

/** Prepares and parks, and in a clone that is a seed itself once more. @returns in a worker: its config, and the seed that it is a clone of */
async function seedUntilWorker(runtime: Runtime): Promise<{ seed: SeedConfig; worker: WorkerConfig }> {
  let seed = config;
  for (;;) {
    await prepare(runtime, seed, seed !== config);
    const worker = await park(runtime, seed);
    if (worker.seed === undefined) return { seed, worker };
    ({ seed } = worker);
    renew(runtime);
    resumeOptimizing();
  }
}

runWorker(leave, async () => {
  const runtime = createRuntime(leave, () => httpServer);
  runtime.attach();
  await warm(runtime, seedPoint.warmListener());
  prepareLoopWatch();
  const { seed, worker } = await seedUntilWorker(runtime);
  runtime.onFirstRequest(resumeOptimizing);
  renew(runtime);
  runtime.begin(worker);
  if (worker.rehearsal) {
    runtime.rehearse();
    await raise('deserialize');
  } else if (seed.mode === 'userland') {
    await raise('deserialize');
  } else {
    resumeOptimizing();
    await runtime.load(worker.main, worker.nodeModules);
  }
  if (worker.listenFd === undefined) resumeOptimizing();
  await runtime.serve(worker.listenFd === undefined ? undefined : { fd: worker.listenFd }, worker);
});

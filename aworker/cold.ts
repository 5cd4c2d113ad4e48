/** The program of a worker that turf starts without a seed. Needs AWORKER_NODE_FLAGS, and the descriptors of daemon/seeds/cold-spec.ts. */
import { Buffer } from 'node:buffer';
import { closeSync, fstatSync, readSync } from 'node:fs';
import process from 'node:process';
import { confine } from '../native-shim/confine.js';
import { parseWorkerConfig, type WorkerConfig } from './config.js';
import { prepareLoopWatch } from './loop-watch.js';
import { createRuntime, runWorker } from './runtime.js';

const CONFIG_FD = 4;

/** Not in the environment, which everybody who may look at the process could read. */
function takeConfig(): WorkerConfig {
  const text = Buffer.alloc(fstatSync(CONFIG_FD).size);
  // From the start: whoever wrote it left the descriptor's position at the end.
  readSync(CONFIG_FD, text, 0, text.length, 0);
  closeSync(CONFIG_FD);
  return parseWorkerConfig(text.toString('utf8'));
}

const leave = (code: number): never => process.exit(code);

runWorker(leave, async () => {
  const worker = takeConfig();
  const runtime = createRuntime(leave);
  runtime.prepareServer();
  prepareLoopWatch();
  runtime.begin(worker);
  confine();
  await runtime.load(worker.main, worker.nodeModules);
  await runtime.serve(worker.listenFd === undefined ? undefined : { fd: worker.listenFd });
});

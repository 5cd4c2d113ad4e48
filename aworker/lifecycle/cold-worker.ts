import { Buffer } from 'node:buffer';
import { closeSync, fstatSync, readSync } from 'node:fs';
import { confine } from '../../native-shim/confine.js';
import { parseWorkerConfig, type WorkerConfig } from '../config/config.js';
import { prepareLoopWatch } from '../engine/loop-watch.js';
import { type Runtime } from './runtime.js';

/** daemon/seeds/cold-spec.ts */
const CONFIG_FD = 4;

/** Not in the environment, which everybody who may look at the process could read. */
function takeConfig(): WorkerConfig {
  const text = Buffer.alloc(fstatSync(CONFIG_FD).size);
  // From the start: whoever wrote it left the descriptor's position at the end.
  readSync(CONFIG_FD, text, 0, text.length, 0);
  closeSync(CONFIG_FD);
  return parseWorkerConfig(text.toString('utf8'));
}

/** Runs the worker that the daemon has described at a descriptor: the filter first, then its code. */
export async function runColdWorker(runtime: Runtime): Promise<void> {
  const worker = takeConfig();
  runtime.prepareServer();
  prepareLoopWatch();
  runtime.begin(worker);
  confine();
  await runtime.load(worker.main, worker.nodeModules);
  await runtime.serve(worker.listenFd === undefined ? undefined : { fd: worker.listenFd }, worker);
}

/** The program of a worker that turf starts without a seed. Needs AWORKER_NODE_FLAGS, and the descriptors of daemon/seeds/cold-spec.ts. */
import process from 'node:process';
import { runColdWorker } from './lifecycle/cold-worker.js';
import * as httpServer from './http/server.js';
import { createRuntime, runWorker } from './lifecycle/runtime.js';

const leave = (code: number): never => process.exit(code);

runWorker(leave, async () => {
  const runtime = createRuntime(leave, () => httpServer);
  runtime.attach();
  await runColdWorker(runtime);
});

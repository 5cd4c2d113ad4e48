/** A worker that is not a clone, of `aworker`. Needs LONE_NODE_FLAGS. */
import process from 'node:process';
import { parseWorkerConfig, takeVariable } from './config/config.js';
import * as httpServer from './http/server.js';
import { listenOptions } from './config/listen-address.js';
import { createRuntime, runWorker } from './lifecycle/runtime.js';
import { writeText } from './engine/standard-output.js';

const worker = parseWorkerConfig(takeVariable(process.env, 'TURF_WORKER'));
const leave = (code: number): never => process.exit(code);

runWorker(leave, async () => {
  const runtime = createRuntime(leave, () => httpServer);
  runtime.attach();
  runtime.begin(worker);
  await runtime.load(worker.main, worker.nodeModules);
  if (worker.listen !== undefined) {
    await runtime.serve(listenOptions(worker.listen));
    writeText(1, `listening on ${worker.listen}\n`);
  } else {
    await runtime.serve(worker.listenFd === undefined ? undefined : { fd: worker.listenFd });
  }
});

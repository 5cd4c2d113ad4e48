/**
 * The script that a startup snapshot is built from (Node.js: `--build-snapshot`, with AWORKER_NODE_FLAGS): the runtime stands, no user code has been
 * seen. A worker that is started from it goes on as aworker/cold.ts would.
 */
import process from 'node:process';
import { startupSnapshot } from 'node:v8';
import { restartClock } from './seed/clock.js';
import { runColdWorker } from './lifecycle/cold-worker.js';
import { reseed } from './seed/randomness.js';
import { createRuntime, runWorker } from './lifecycle/runtime.js';
import { rememberExposure } from './web/exposure.js';

const leave = (code: number): never => process.exit(code);
let httpServer: typeof import('./http/server.js') | undefined;

function servers(): typeof import('./http/server.js') {
  if (httpServer === undefined) throw new Error('the HTTP server is not loaded yet');
  return httpServer;
}

const runtime = createRuntime(leave, servers);
const restoreGlobals = rememberExposure();

startupSnapshot.setDeserializeMainFunction(() => {
  runWorker(leave, async () => {
    restoreGlobals();
    runtime.attach();
    reseed();
    restartClock();
    runtime.identity.pid = process.pid;
    // The bundler makes this a function call: Node's module loader is closed.
    httpServer = await import('./http/server.js');
    await runColdWorker(runtime);
  });
});

/** The program of a worker of `aworker dev`: makes the runtime, waits to be told what to run, and runs it. Needs LONE_NODE_FLAGS. */
import inspector from 'node:inspector';
import process from 'node:process';
import { parseWorkerConfig } from '../config/config.js';
import { describe, die, explainErrors } from '../lifecycle/fatal.js';
import * as httpServer from '../http/server.js';
import { createRuntime, runWorker } from '../lifecycle/runtime.js';
import { writeText } from '../engine/standard-output.js';
import { parseStart, type Report, type Start } from './messages.js';
import { logRequests } from './request-log.js';
import { sourceFrame } from './source-frame.js';

/** WorkerProcess puts it there. */
const LISTEN_FD = 3;

const leave = (code: number): never => process.exit(code);
const told = new Promise<Start>((resolve) =>
  process.once('message', (message) => resolve(parseStart(message))),
);
// Without `aworker dev` nobody would ever end this process.
process.once('disconnect', () => leave(1));

function tell(report: Report): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined) die(leave, '', new Error('This program is started by aworker dev'));
    process.send(report, undefined, undefined, () => resolve());
  });
}

function openInspector(port: number): void {
  inspector.open(port, '127.0.0.1');
  if (inspector.url() === undefined) throw new Error(`--inspect: port ${port} cannot be listened on`);
}

runWorker(leave, async () => {
  const runtime = createRuntime(leave, () => httpServer);
  runtime.attach();
  const server = runtime.prepareServer();
  await runtime.exercise();
  logRequests(server, (line) => writeText(1, line));
  explainErrors(sourceFrame);
  const { worker, inspectPort } = await told;
  const config = parseWorkerConfig(worker);
  try {
    if (inspectPort !== undefined) openInspector(inspectPort);
    runtime.begin(config);
    await runtime.load(config.main, config.nodeModules, (path) => void tell({ type: 'file', path }));
    await runtime.serve({ fd: LISTEN_FD });
  } catch (error) {
    await tell({ type: 'failed', text: `Uncaught ${describe(error)}` });
    leave(1);
  }
  await tell({ type: 'serving' });
});

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { coldNode, endColdNode } from '../bench/cold-node.js';
import { PROJECT, type TemporaryDaemon } from '../bench/daemon.js';
import { exchange } from '../bench/http.js';
import { usedKiB } from '../bench/machine.js';
import { round, spread, type Spread } from '../bench/statistics.js';

export const BUNDLE = join(PROJECT, 'demo/bundle');
const MODULE = join(BUNDLE, 'code/index.js');

interface Forked {
  readonly pid: number;
  readonly listen: string;
  readonly forkMs: number;
}

interface Item {
  readonly id: number;
  readonly length: number;
  readonly uuid: string;
}

export interface WorkersResult {
  readonly ok: boolean;
  readonly problems: readonly string[];
  readonly workers: number;
  readonly seedMs: number;
  readonly forkMs: Spread;
  readonly firstResponseMs: Spread;
  readonly coldNodeMs: Spread;
  readonly memoryPerWorkerKiB: number;
}

const pathFor = (n: number): string => `/shop/${(n * 1009) % 97}/item/${n * 1009}`;

/** Forks workers through the command line, asks each once, checks its answer and that its identity is its own. */
export async function workersDemo(
  daemon: TemporaryDaemon,
  count: number,
  coldStarts: number,
): Promise<WorkersResult> {
  const problems: string[] = [];
  const { ms: seedMs } = await daemon.turf('seed', 'create', '--bundle', BUNDLE, 'seed');
  const expected = await expectedAnswers(count);

  const forkMs: number[] = [];
  const firstResponseMs: number[] = [];
  const identities = { pid: new Set<string>(), uuid: new Set<string>(), hostname: new Set<string>() };
  const pids: number[] = [];
  const before = usedKiB();
  for (let n = 0; n < count; n++) {
    const began = performance.now();
    const { stdout } = await daemon.turf('fork', '--format', 'json', 'seed', `worker${n}`);
    const forked = JSON.parse(stdout) as Forked;
    const answer = await exchange(forked.listen, 'GET', pathFor(n));
    firstResponseMs.push(performance.now() - began);
    forkMs.push(forked.forkMs);
    pids.push(forked.pid);
    const item = JSON.parse(answer.body) as Item;
    if (answer.status !== 200 || item.id !== n * 1009 || item.length !== expected[n])
      problems.push(`worker${n} answered ${answer.status} ${answer.body.slice(0, 200)}`);
    identities.uuid.add(item.uuid);
  }
  const memoryPerWorkerKiB = round((usedKiB() - before) / count);

  for (const pid of pids) {
    identities.pid.add(String(pid));
    identities.hostname.add(hostnameOf(pid));
  }
  for (const [what, values] of Object.entries(identities))
    if (values.size !== count)
      problems.push(`only ${values.size} of ${count} workers have a ${what} of their own`);

  const coldNodeMs: number[] = [];
  for (let n = 0; n < coldStarts; n++) {
    const cold = await coldNode(MODULE, daemon.directory, 'cold', pathFor(n));
    await endColdNode(cold);
    coldNodeMs.push(cold.ms);
  }
  return {
    ok: problems.length === 0,
    problems,
    workers: count,
    seedMs: round(seedMs),
    forkMs: spread(forkMs),
    firstResponseMs: spread(firstResponseMs),
    coldNodeMs: spread(coldNodeMs),
    memoryPerWorkerKiB,
  };
}

/** The same function, run here, says what the workers have to answer. */
async function expectedAnswers(count: number): Promise<number[]> {
  const { default: handler } = (await import(pathToFileURL(MODULE).href)) as {
    default: { fetch(request: Request): Promise<Response> };
  };
  const answers: number[] = [];
  for (let n = 0; n < count; n++) {
    const response = await handler.fetch(new Request(`http://localhost${pathFor(n)}`));
    answers.push(((await response.json()) as Item).length);
  }
  return answers;
}

/** Host name that a process sees. The kernel shows a reader its own, so the reader joins the namespace. */
function hostnameOf(pid: number): string {
  return execFileSync('nsenter', ['--target', String(pid), '--uts', 'uname', '-n'])
    .toString()
    .trim();
}

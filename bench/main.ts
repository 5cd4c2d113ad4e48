import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { execTrue, lifecycle, parallelCreates, runTrue } from './containers.js';
import { PROJECT, TemporaryDaemon } from './daemon.js';
import { type Contestant, contestants } from './contestants.js';
import { density, densityOfPeers } from './density.js';
import { machine } from './machine.js';
import { findPeers, type Peer } from './peers.js';
import type { Row } from './row.js';
import { seccompProfile } from './seccomp.js';
import { stateDirectory } from './state-directory.js';
import { columns } from './statistics.js';
import { throughput } from './throughput.js';
import { unshare } from './unshare.js';
import { coldNodeToResponse, forkToResponse, Herd, memory, moduleOf } from './workers.js';

const PARTS = [
  'lifecycle',
  'run',
  'exec',
  'parallel',
  'seccomp',
  'fork',
  'cold',
  'memory',
  'density',
  'unshare',
  'http',
];
/** They take minutes. */
const ON_REQUEST = ['density', 'unshare'];
const WARMFORK = ['fork', 'cold', 'memory'];
const USAGE = `usage: npm run bench -- [--json] [--only PART,…] [--runs N] [--peers] [--levels N,…]
parts: ${PARTS.join(', ')}; warmfork: ${WARMFORK.join(', ')}; ${ON_REQUEST.join(' and ')} are measured when they are named
levels: workers alive for density, 10,100,1000,4000 unless given`;

const { values } = parseArgs({
  options: {
    json: { type: 'boolean' },
    only: { type: 'string' },
    runs: { type: 'string' },
    peers: { type: 'boolean', default: false },
    levels: { type: 'string', default: '10,100,1000,4000' },
    help: { type: 'boolean' },
  },
});
const named = values.only?.split(',').flatMap((part) => (part === 'warmfork' ? WARMFORK : [part]));
const parts = named ?? PARTS.filter((part) => !ON_REQUEST.includes(part));
const levels = values.levels.split(',').map(Number);
const runs = Number(values.runs ?? 30);
if (
  values.help === true ||
  !parts.every((part) => PARTS.includes(part)) ||
  !(runs >= 1) ||
  !levels.every((level) => level >= 1)
) {
  process.stderr.write(`${USAGE}\n`);
  process.exit(values.help === true ? 0 : 1);
}

const directory = stateDirectory('turf-bench-');
const programs = mkdtempSync(join(tmpdir(), 'turf-bench-programs-'));
const daemon = new TemporaryDaemon();
const rows: Row[] = [];
let peers: Peer[] = [];
const absent: string[] = [];

const progress = (what: string): void => void process.stderr.write(`bench: ${what}\n`);

async function measure(): Promise<void> {
  let servers: readonly Contestant[] = [];
  if (parts.includes('http') || parts.includes('density')) {
    const { present, notes } = await contestants(programs, values.peers, progress);
    servers = present;
    absent.push(...notes);
  }
  if (parts.includes('http')) {
    // Rounds of two seconds for each server, so that a third of them is enough.
    const result = await throughput(servers, Math.max(3, Math.ceil(runs / 3)), progress);
    rows.push(...result.rows);
    absent.push(...result.notes);
  }
  if (parts.every((part) => part === 'http')) return;
  await daemon.start();
  const found = findPeers(daemon.root, directory);
  ({ peers } = found);
  absent.push(...found.absent);
  if (parts.includes('lifecycle')) {
    progress(`create + start + delete -f, ${runs} rounds`);
    rows.push(...(await lifecycle(peers, directory, runs)));
  }
  if (parts.includes('run')) {
    progress(`run /bin/true, ${runs} rounds`);
    rows.push(...(await runTrue(peers, directory, runs)));
  }
  if (parts.includes('exec')) {
    progress(`exec /bin/true, ${runs} rounds`);
    rows.push(...(await execTrue(peers, directory, runs)));
  }
  if (parts.includes('parallel')) {
    progress('creates in parallel');
    rows.push(...(await parallelCreates(peers, directory)));
  }
  if (parts.includes('seccomp')) {
    progress(`seccomp profile, ${runs} rounds`);
    const result = await seccompProfile(peers, directory, runs);
    rows.push(...result.rows);
    absent.push(...result.notes);
  }
  const bundle = join(PROJECT, 'bench/hello');
  if (parts.includes('cold')) {
    progress('cold node');
    rows.push(...(await coldNodeToResponse(moduleOf(bundle), directory, runs)));
  }
  if (parts.includes('density')) await measureDensity(bundle, servers);
  if (parts.includes('unshare')) rows.push(...(await unshare(daemon, directory, progress)));
  if (parts.includes('fork') || parts.includes('memory')) {
    await daemon.turf('seed', 'create', '--bundle', bundle, 'seed');
    const herd = new Herd(daemon, 'seed');
    // First: what hundreds of workers leave to the kernel to free comes back for minutes, and would count as memory gained.
    if (parts.includes('memory')) {
      progress('memory of 200 workers');
      rows.push(...(await memory(herd, 200, moduleOf(bundle), directory)));
    }
    for (const alive of parts.includes('fork') ? [10, 100, 500] : []) {
      progress(`fork with ${alive} workers alive`);
      rows.push(...(await forkToResponse(herd, alive, runs)));
    }
  }
}

async function measureDensity(bundle: string, servers: readonly Contestant[]): Promise<void> {
  rows.push(...(await densityOfPeers(servers, progress)));
  await daemon.turf('seed', 'create', '--bundle', bundle, 'dense');
  for await (const more of density(new Herd(daemon, 'dense'), levels, runs, progress)) rows.push(...more);
}

function print(): void {
  const facts = machine();
  const notes = [
    ...peers.flatMap(({ name, note }) => (note === undefined ? [] : [`${name}: ${note}`])),
    ...absent,
  ];
  if (values.json === true) {
    const versions = Object.fromEntries(peers.map(({ name, version }) => [name, version]));
    process.stdout.write(`${JSON.stringify({ machine: facts, versions, notes, rows }, undefined, 2)}\n`);
    return;
  }
  const lines = rows.map(({ what, who, unit, figures: { n, p5, p50, p95 } }) => [
    what,
    who,
    ...[p50, p5, p95].map((value) => value.toFixed(unit === 'ms' ? 2 : unit === '%' ? 1 : 0)),
    unit,
    String(n),
  ]);
  const heading = ['', 'who', 'median', 'p5', 'p95', 'unit', 'n'];
  process.stdout.write(`${columns([heading, ...lines])}\n\n`);
  process.stdout.write(
    `${facts.cpu}, ${facts.cores} cores, ${facts.memoryMiB} MiB, ${facts.system}, Linux ${facts.kernel}, ` +
      `cgroup ${facts.cgroup}, Node.js ${facts.node}\n`,
  );
  for (const { name, version } of peers) process.stdout.write(`${name}: ${version}\n`);
  for (const note of notes) process.stdout.write(`note: ${note}\n`);
}

try {
  await measure();
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`bench: ${message}\n`);
  absent.push(`not measured to the end: ${message}`);
  process.exitCode = 1;
}
try {
  print();
} finally {
  await Promise.all(peers.map((peer) => peer.close()));
  await daemon.stop();
  for (const made of [directory, programs]) rmSync(made, { recursive: true, force: true });
}

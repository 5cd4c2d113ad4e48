import { parseArgs } from 'node:util';
import { PROJECT, TemporaryDaemon } from '../bench/daemon.js';
import { machine } from '../bench/machine.js';
import { columns, type Spread } from '../bench/statistics.js';
import { ociDemo, type OciResult } from './oci.js';
import { BUNDLE, workersDemo, type WorkersResult } from './workers.js';

const WORKERS = 50;
const COLD_STARTS = 5;
const USAGE = 'usage: npm run demo -- [--json] [--keep]\n';

const { values } = parseArgs({
  options: { json: { type: 'boolean' }, keep: { type: 'boolean' }, help: { type: 'boolean' } },
});

const say = (text: string): void =>
  void (values.json === true ? process.stderr : process.stdout).write(`${text}\n`);

function report(oci: OciResult, result: WorkersResult): void {
  const ms = (what: string, { p50, p5, p95 }: Spread): string[] => [
    what,
    ...[p50, p5, p95].map((one) => one.toFixed(2)),
  ];
  say('');
  say(`OCI container: ${oci.statuses.join(' -> ')}, exit code ${String(oci.exitCode)}`);
  say(
    `  create ${oci.createMs} ms, start ${oci.startMs} ms, delete ${oci.deleteMs} ms (whole turf processes)`,
  );
  say('');
  say(`${result.workers} workers of one seed (the seed took ${result.seedMs} ms, once)`);
  say('');
  const table = columns([
    ['milliseconds', 'median', 'p5', 'p95'],
    ms('turf fork: request to parked clone', result.forkMs),
    ms('turf fork (CLI) to first response', result.firstResponseMs),
    ms('cold node to first response', result.coldNodeMs),
  ]);
  say(table);
  say('');
  say(`memory per worker: ${Math.round(result.memoryPerWorkerKiB)} KiB`);
  for (const problem of result.problems) say(`PROBLEM: ${problem}`);
  const identity = result.ok
    ? 'every answer was right; every worker has its own pid, uuid and hostname'
    : 'FAILED';
  say(identity);
}

function whatNext(daemon: TemporaryDaemon): void {
  const turf = `${PROJECT}bin/turf --root ${daemon.root}`;
  say(`
The daemon keeps running. Try:
  ${turf} list
  ${turf} invoke worker7 --path /shop/0/item/0
  ${turf} fork seed mine && ${turf} invoke mine --path /shop/1/item/1
  ${turf} seed create --bundle ${BUNDLE} another
  curl --unix-socket ${daemon.root}/turf.sock http://localhost/v1/containers
End it with:
  for id in $(${turf} list -q); do ${turf} delete --force $id; done; kill ${daemon.pid}`);
}

async function main(): Promise<boolean> {
  const daemon = new TemporaryDaemon();
  let keep = false;
  try {
    say(`starting turfd on ${daemon.root}`);
    await daemon.start();
    say('running an OCI container');
    const oci = await ociDemo(daemon);
    say(`making a seed, then forking ${WORKERS} workers from it`);
    const result = await workersDemo(daemon, WORKERS, COLD_STARTS);
    const ok = oci.ok && result.ok;
    report(oci, result);
    if (values.json === true)
      process.stdout.write(`${JSON.stringify({ oci, ...result, ok, machine: machine() })}\n`);
    keep = values.keep === true;
    if (keep) whatNext(daemon);
    return ok;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    say(`demo failed: ${message}\nlog of the daemon:\n${daemon.log().slice(-3000)}`);
    if (values.json === true) process.stdout.write(`${JSON.stringify({ ok: false, error: message })}\n`);
    return false;
  } finally {
    if (keep) daemon.abandon();
    else await daemon.stop().catch((error: unknown) => say(`clean-up: ${String(error)}`));
  }
}

if (values.help === true) {
  process.stdout.write(USAGE);
} else if (process.geteuid?.() !== 0) {
  process.stderr.write('demo: containers need root: run it as root, or with sudo\n');
  process.exitCode = 1;
} else {
  process.exitCode = (await main()) ? 0 : 1;
}

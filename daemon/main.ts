import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { destination, type Logger, pino } from 'pino';
import pretty from 'pino-pretty';
import { TurfError } from '../cli/turf-error.js';
import { preloadVerbs } from '../cli/verbs.js';
import { loadDeviceFilter } from '../native-shim/device-filter.js';
import { KernelError } from '../native-shim/kernel.js';
import { loadKernel } from '../native-shim/libturf.js';
import { loadOpenAs } from '../native-shim/open-as.js';
import { detectLayout } from './cgroups/layout.js';
import { listenUnixUnused } from './channel/listen-unix.js';
import { SupervisorLink } from './channel/supervisor-link.js';
import { prepareParser } from '../oci-spec/parse.js';
import { gatherFacts } from './check/facts.js';
import { serveClients } from './client-server.js';
import { type DaemonConfig, readInvocation, USAGE } from './config.js';
import { ExitWatch } from './containers/exits.js';
import { KeyedLock } from './containers/lock.js';
import { recoverContainers } from './containers/recover.js';
import { StateStore } from './containers/state-store.js';
import { EventBus } from './event-bus.js';
import { type Machine } from './machine.js';
import { DaemonOperations } from './operations.js';
import { buildRestServer } from './rest/server.js';
import { SeccompCache } from './seccomp/cache.js';
import { removeLeftAhead } from './seeds/ahead-cgroup.js';
import { Seeds } from './seeds/seeds.js';
import { WorkerLives } from './seeds/worker-lives.js';
import { VERSION } from './version.js';
import { warmUp } from './warm-up.js';

const CLIENT_SOCKET_MODE = 0o600;
const REST_SOCKET_MODE = 0o660;
const FILTER_CACHE = '/var/lib/turf/seccomp';
const INIT_PATH = fileURLToPath(new URL('../native/turf-init', import.meta.url));

async function main(): Promise<void> {
  const invocation = readInvocation(process.argv.slice(2), process.env);
  if (invocation.action === 'help') {
    process.stdout.write(USAGE);
    return;
  }
  if (invocation.action === 'version') {
    process.stdout.write(`turfd version ${VERSION}\n`);
    return;
  }
  if (invocation.action === 'print-root') {
    process.stdout.write(invocation.root);
    return;
  }
  await serve(invocation.config);
}

/** The composition root: builds every part, takes over what is there, then opens the sockets. */
async function serve(config: DaemonConfig): Promise<void> {
  const channel = Number(process.env['TURF_SUPERVISOR_FD'] ?? NaN);
  if (!Number.isInteger(channel)) {
    throw new TurfError('TURF_ERR_USAGE', 'the daemon is started by turfd, its supervisor');
  }
  // Children (hooks) have no business with the supervisor.
  Reflect.deleteProperty(process.env, 'TURF_SUPERVISOR_FD');
  const log = createLogger(config.logLevel);
  const kernel = loadKernel();
  const facts = gatherFacts();
  prepareParser();
  mkdirSync(config.root, { recursive: true, mode: 0o700 });
  const machine: Machine = {
    kernel,
    supervisor: new SupervisorLink(channel, kernel),
    store: new StateStore(config.root),
    events: new EventBus(),
    log,
    locks: new KeyedLock(),
    containers: new Map(),
    initProgram: kernel.sealedMemfd('turf-init', readFileSync(INIT_PATH)),
    seccomp: new SeccompCache({ directory: FILTER_CACHE }),
    cgroupLayout: detectLayout(),
    attachDeviceFilter: loadDeviceFilter(),
    openAs: loadOpenAs(),
    capabilities: { apparmor: facts.lsm.includes('apparmor'), selinux: facts.lsm.includes('selinux') },
    systemdCgroup: config.cgroupManager === 'systemd',
    owner: userInfo().username,
    bootId: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
  };
  const exits = new ExitWatch(machine);
  const seeds = new Seeds(machine, exits);
  const parked = await recoverContainers(machine, exits);
  await removeLeftAhead(machine);
  for (const seed of parked) seeds.followParking(seed);
  for (const container of machine.containers.values()) seeds.standIns.recover(container);
  seeds.keeper.adopt();
  const lives = new WorkerLives(machine, seeds);
  lives.adopt();
  const operations = new DaemonOperations(machine, exits, seeds, lives);

  const clients = serveClients(kernel.listenUnix(join(config.root, 'cli.sock'), CLIENT_SOCKET_MODE), {
    root: config.root,
    kernel,
    operations,
    log,
  });
  const rest = buildRestServer({ operations, logger: log, version: VERSION });
  await rest.ready();
  rest.server.listen({ fd: listenUnixUnused(kernel, config.socket, REST_SOCKET_MODE) });

  const stop = (signal: NodeJS.Signals): void => {
    log.info({ signal }, 'stopping; containers keep running');
    machine.supervisor.quit();
    clients.close();
    rmSync(join(config.root, 'cli.sock'), { force: true });
    rmSync(config.socket, { force: true });
    void Promise.all([rest.close(), seeds.dropAllAhead()]).then(() => process.exit(0));
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  machine.supervisor.on('lost', () => {
    log.fatal('the supervisor went away');
    process.exit(1);
  });
  machine.supervisor.ready();
  // Verbs load lazily for other users of cli/; here the first command line should not pay for it.
  await preloadVerbs();
  await warmUp();
  log.info(
    { root: config.root, socket: config.socket, version: VERSION, containers: machine.containers.size },
    'ready',
  );
}

/** JSON lines; readable ones on a terminal. Synchronous, so that nothing is lost when the daemon dies. */
function createLogger(level: string): Logger {
  const stream = process.stdout.isTTY
    ? pretty({ sync: true, ignore: 'pid,hostname' })
    : destination({ dest: 1, sync: true });
  return pino({ level, base: null }, stream);
}

/** What the machine refuses is said in a line; where a defect lies is in its stack. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const refused = error instanceof TurfError || error instanceof KernelError || 'syscall' in error;
  return refused ? error.message : (error.stack ?? error.message);
}

main().catch((error: unknown) => {
  process.stderr.write(`turfd: ${describe(error)}\n`);
  // The supervisor channel alone would keep a daemon alive that serves nobody.
  process.exit(error instanceof TurfError && error.code === 'TURF_ERR_USAGE' ? 64 : 1);
});

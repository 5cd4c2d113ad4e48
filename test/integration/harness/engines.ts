import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, openSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { temporary } from './bundle.js';
import { cgroupsAbout, isAlive } from './processes.js';
import { which } from './requires.js';
import { run, type Outcome } from './run.js';
import { accepts, eventually, type Turfd, TURF } from './turfd.js';

/** Runs an engine's command line. */
export type Engine = (args: readonly string[], input?: string) => Promise<Outcome>;

// podman asks for the kernel's greatest hard limits unless told otherwise, which takes CAP_SYS_RESOURCE.
export const PODMAN_LIMITS = ['--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=1024:1024'] as const;

/** What podman takes by itself: most machines have systemd. */
export const CGROUP_MANAGER = existsSync('/run/systemd/system') ? 'systemd' : 'cgroupfs';

/** podman with a storage of its own, whose runtime is turf on this daemon's root. All its containers are removed with the test. */
export function podmanOn(t: Test, turfd: Turfd, dir = temporary(t, 'tp-')): Engine {
  // podman's clean-up after --rm repeats --runtime, but not its flags.
  const runtime = join(dir, 'turf');
  writeFileSync(runtime, `#!/bin/sh\nexec ${TURF} --root ${turfd.root} "$@"\n`, { mode: 0o755 });
  const podman: Engine = (args, input) =>
    run(
      t,
      which('podman') ?? 'podman',
      [
        ...['--root', join(dir, 'root'), '--runroot', join(dir, 'run'), '--tmpdir', join(dir, 'tmp')],
        ...['--storage-driver', 'vfs', '--cgroup-manager', CGROUP_MANAGER, '--events-backend', 'file'],
        ...['--log-level', 'error', '--runtime', runtime],
        ...args,
      ],
      { timeout: 60_000, ...(input === undefined ? {} : { input }) },
    );
  t.teardown(async () => {
    await podman(['rm', '--all', '--force']);
  });
  return podman;
}

export interface Containerd {
  readonly ctr: Engine;
  /** containerd adds its namespace to the runtime's root: workers and their seeds are on a daemon there. */
  readonly root: string;
  /** Flags of `ctr run` that make turf the runtime. */
  readonly runtime: readonly string[];
}

/** A containerd of its own, with what it leaves behind removed after the test. */
export async function containerdOn(t: Test, turfd: Turfd): Promise<Containerd> {
  const dir = temporary(t, 'tc-');
  const socket = join(dir, 'c.sock');
  const root = join(turfd.root, turfd.prefix);
  writeFileSync(
    join(dir, 'config.toml'),
    `version = 2
root = "${dir}/root"
state = "${dir}/state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = "${socket}"
[ttrpc]
  address = "${socket}.ttrpc"
`,
  );
  t.teardown(async () => {
    if (existsSync(join(root, 'turfd.lock'))) {
      const pid = Number(readFileSync(join(root, 'turfd.lock'), 'utf8'));
      process.kill(pid, 'SIGTERM');
      await eventually('that daemon to end', () => !isAlive(pid));
      rmSync(root, { recursive: true });
    }
    // Parents of a container's cgroup stay, as after runc.
    for (const path of cgroupsAbout(turfd.prefix)) rmdirSync(path);
  });
  const log = openSync(join(dir, 'log'), 'a');
  const daemon = spawn(which('containerd') ?? 'containerd', ['--config', join(dir, 'config.toml')], {
    stdio: ['ignore', log, log],
  });
  t.teardown(async () => {
    daemon.kill('SIGTERM');
    await once(daemon, 'exit');
  });
  await eventually(`containerd to accept: ${readFileSync(join(dir, 'log'), 'utf8')}`, () => accepts(socket));
  return {
    ctr: (args) =>
      run(t, which('ctr') ?? 'ctr', ['--address', socket, '--namespace', turfd.prefix, ...args], {
        timeout: 60_000,
      }),
    root,
    runtime: ['--runc-binary', TURF, '--runc-root', turfd.root],
  };
}

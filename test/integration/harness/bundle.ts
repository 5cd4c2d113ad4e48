import { copyFileSync, chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Test } from 'tap';
import { defaultConfig, type BundleConfig } from './config.js';
import { which } from './requires.js';

const APPLETS =
  'cat chmod chown cut dd echo env false grep head hostname id ip kill ln ls mkdir mknod mount nproc ps pwd readlink rm sed sh sleep sort stat stty tee test touch true tty umount unshare wc xargs'.split(
    ' ',
  );

export interface Bundle {
  readonly path: string;
  readonly config: BundleConfig;
}

/** A temporary directory that other users may enter (id-mapped roots are), removed with the test. */
export function temporary(t: Test, name = 'turf-test-'): string {
  const dir = mkdtempSync(join(tmpdir(), name));
  chmodSync(dir, 0o755);
  // Retried where it is not empty: an engine's clean-up of a container may still write there.
  t.teardown(() => rmSync(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }));
  return dir;
}

/** A root file system of one static busybox. */
export function busyboxRootfs(path: string): void {
  for (const dir of ['bin', 'dev', 'etc', 'proc', 'sys', 'tmp', 'srv', 'root'])
    mkdirSync(join(path, dir), { recursive: true });
  copyFileSync(which('busybox') ?? '/bin/busybox', join(path, 'bin/busybox'));
  chmodSync(join(path, 'bin/busybox'), 0o755);
  for (const applet of APPLETS) symlinkSync('busybox', join(path, 'bin', applet));
  chmodSync(join(path, 'tmp'), 0o1777);
  writeFileSync(join(path, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/tmp:/bin/sh\n');
}

/**
 * A bundle with a busybox root and `runc spec`'s defaults.
 * @param args the program to run
 * @param mutate changes the config before it is written
 */
export function bundle(
  t: Test,
  args: string[],
  mutate?: (config: BundleConfig, path: string) => void,
): Bundle {
  const path = temporary(t);
  mkdirSync(join(path, 'rootfs'));
  busyboxRootfs(join(path, 'rootfs'));
  const config = defaultConfig(args);
  mutate?.(config, path);
  writeFileSync(join(path, 'config.json'), JSON.stringify(config));
  return { path, config };
}

/** A shell script as the container's program. */
export const script = (text: string): string[] => ['/bin/sh', '-c', text];

export interface WorkerBundleOptions {
  /** Members of `turf` in config.json; `{ seed: true }` makes a seed. */
  readonly turf?: Readonly<Record<string, unknown>>;
  readonly env?: readonly string[];
  readonly mutate?: (config: BundleConfig) => void;
}

/**
 * A bundle without a root file system, for a seed or a worker.
 * @param code contents of code/index.js, or of several files by path below code/
 */
export function workerBundle(
  t: Test,
  code: string | Readonly<Record<string, string>>,
  options: WorkerBundleOptions = {},
): Bundle {
  const path = temporary(t);
  const files = typeof code === 'string' ? { 'index.js': code } : code;
  for (const [name, text] of Object.entries(files)) {
    const file = join(path, 'code', name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  const config: BundleConfig = {
    ociVersion: '1.0.2',
    process: {
      user: { uid: 0, gid: 0 },
      args: ['aworker', 'index.js'],
      env: [...(options.env ?? [])],
      cwd: '/',
    },
    mounts: [],
    linux: { namespaces: [] },
    turf: { runtime: 'aworker', code: 'code', ...options.turf },
  };
  options.mutate?.(config);
  writeFileSync(join(path, 'config.json'), JSON.stringify(config));
  return { path, config };
}

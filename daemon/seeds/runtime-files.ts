import { existsSync, mkdirSync, readFileSync, realpathSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type SnapshotSource } from './snapshots.js';

/** Where the runtime's own files are seen inside a seed. */
export const RUNTIME_DIRECTORY = '/turf';

/** Preloaded into seeds: packs the heap, so that clones have few page tables to copy (native-shim/pack/). */
export const PACK_LIBRARY = 'dist/native/libturf-pack.so';

/** Loaded by workers that start cold, to install their filter (native-shim/confine/). */
const CONFINE_LIBRARY = 'dist/native/libturf-confine.so';

/** Loaded by workers whose event loop is watched (native-shim/watchdog/). */
const WATCHDOG_LIBRARY = 'dist/native/libturf-watchdog.so';

export interface RuntimeFile {
  /** Absolute path on the host, symlinks resolved. */
  readonly source: string;
  /** Absolute path inside the seed. */
  readonly target: string;
}

const PACKAGE_ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/**
 * What a seed's root holds besides the user's code: the node binary, the shared objects that it and the FFI module map, and
 * Aworker's own files. Nothing else of the host.
 */
export function runtimeFiles(): RuntimeFile[] {
  const require = createRequire(import.meta.url);
  const koffi = dirname(require.resolve('koffi'));
  return [
    ...coldFiles(),
    own('dist/native/libturf.so'),
    own(PACK_LIBRARY),
    { source: realpathSync(koffi), target: join(RUNTIME_DIRECTORY, 'node_modules/koffi') },
    ...nativeKoffi(koffi),
  ];
}

/** Where a worker that starts from a snapshot finds it. */
export const SNAPSHOT_PLACE = join(RUNTIME_DIRECTORY, 'snapshot.blob');

/** What the startup snapshot is built from. */
export function snapshotSource(): SnapshotSource {
  const own = (path: string): string => join(PACKAGE_ROOT, path);
  return {
    node: process.execPath,
    files: [
      own('dist/aworker/snapshot.cjs'),
      own('dist/aworker/web/undici.cjs'),
      own('node_modules/urlpattern-polyfill/dist/urlpattern.cjs'),
    ],
  };
}

/** What the root of a worker that starts cold holds besides the user's code: what a seed's holds, but no FFI. */
export function coldFiles(): RuntimeFile[] {
  const packages = ['undici', 'urlpattern-polyfill', 'ws'].map((name) => ({
    source: realpathSync(packageFolder(name)),
    target: join(RUNTIME_DIRECTORY, 'node_modules', name),
  }));
  return [
    { source: realpathSync(process.execPath), target: join(RUNTIME_DIRECTORY, 'node') },
    own('package.json'),
    own('dist/aworker'),
    own('dist/native-shim'),
    own(CONFINE_LIBRARY),
    own(WATCHDOG_LIBRARY),
    ...packages,
    ...sharedObjects(),
  ];
}

function own(path: string): RuntimeFile {
  return { source: realpathSync(join(PACKAGE_ROOT, path)), target: join(RUNTIME_DIRECTORY, path) };
}

/** Where a package lies that has no main module for `require`. */
function packageFolder(name: string): string {
  return join(PACKAGE_ROOT, 'node_modules', name);
}

/** koffi keeps its native part in a package of its own, one for each platform. */
function nativeKoffi(koffi: string): RuntimeFile[] {
  const scope = join(dirname(koffi), '@koromix');
  return existsSync(scope)
    ? [{ source: realpathSync(scope), target: join(RUNTIME_DIRECTORY, 'node_modules/@koromix') }]
    : [];
}

/**
 * Shared objects that this process, which runs the same binary, maps; and the loader at the place that the binary names.
 */
function sharedObjects(): RuntimeFile[] {
  const paths = new Set<string>();
  for (const line of readFileSync('/proc/self/maps', 'utf8').split('\n')) {
    const path = line.slice(line.indexOf('/'));
    if (/^\/\S*\/(lib[\w+-]+\.so[.\d]*|ld-[\w.-]+)$/.test(path) && !path.startsWith(PACKAGE_ROOT))
      paths.add(path);
  }
  const files = [...paths].map((path) => ({ source: path, target: soname(path) }));
  const loader = { x64: '/lib64/ld-linux-x86-64.so.2', arm64: '/lib/ld-linux-aarch64.so.1' }[
    process.arch as 'x64' | 'arm64'
  ];
  if (!files.some(({ target }) => target === loader))
    files.push({ source: realpathSync(loader), target: loader });
  return files;
}

/** The name that the loader looks for: versioned files are found through their soname link. */
function soname(path: string): string {
  const match = /^(.*\/lib[\w+-]+\.so\.\d+)[.\d]*$/.exec(path);
  return match?.[1] !== undefined && existsSync(match[1]) ? match[1] : path;
}

/**
 * Makes the directory that is a seed's root: only mount points, owned by root, seen read-only. One serves every seed.
 *
 * @param directory absolute path
 */
export function makeSeedRoot(directory: string, files: readonly RuntimeFile[]): void {
  for (const name of ['proc', 'dev', 'tmp', 'code']) {
    mkdirSync(join(directory, name), { recursive: true, mode: 0o755 });
  }
  makeMountPoints(directory, files);
}

function makeMountPoints(directory: string, files: readonly RuntimeFile[]): void {
  for (const { source, target } of files) {
    const path = join(directory, target);
    if (statSync(source).isDirectory()) {
      mkdirSync(path, { recursive: true, mode: 0o755 });
    } else {
      mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
      writeFileSync(path, '', { mode: 0o644 });
    }
  }
}

/** What names are looked up with: bound from the host into workers that live in the host's network. */
export const RESOLVER_FILES = ['/etc/resolv.conf', '/etc/hosts', '/etc/nsswitch.conf'] as const;

/** Makes the directory that is a worker's root: the place of its code and nothing else. One serves every worker. */
export function makeWorkerRoot(directory: string): void {
  for (const name of ['code', 'etc']) mkdirSync(join(directory, name), { recursive: true, mode: 0o755 });
  for (const path of RESOLVER_FILES) writeFileSync(join(directory, path), '', { mode: 0o644 });
}

/** Makes the directory that is the root of a worker that starts cold: what a worker's has, and mount points of the runtime. */
export function makeColdRoot(directory: string, files: readonly RuntimeFile[]): void {
  makeWorkerRoot(directory);
  makeMountPoints(directory, files);
  writeFileSync(join(directory, SNAPSHOT_PLACE), '', { mode: 0o644 });
}

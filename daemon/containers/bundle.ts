import { realpathSync, statSync } from 'node:fs';
import { join, resolve, sep } from 'node:path';
import { readRegularFileSync } from '../../cli/regular-file.js';
import { TurfError } from '../../cli/turf-error.js';
import { ConfigError } from '../../oci-spec/config-error.js';
import { type OciConfig } from '../../oci-spec/config.js';
import { parseConfig } from '../../oci-spec/parse.js';

const MAX_CONFIG_BYTES = 16 << 20;

export interface Bundle {
  /** Absolute path. */
  readonly directory: string;
  readonly config: OciConfig;
  /** config.json as it was read. */
  readonly text: string;
}

/**
 * Reads and validates a bundle's config.json.
 *
 * @throws TurfError TURF_ERR_BUNDLE where it cannot be read, TURF_ERR_CONFIG with every issue by its path
 */
export function readBundle(directory: string): Bundle {
  const path = join(directory, 'config.json');
  let text: string;
  try {
    text = readRegularFileSync(path, MAX_CONFIG_BYTES);
  } catch (cause) {
    const missing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    const reason = cause instanceof Error ? cause.message : String(cause);
    const message = missing ? `JSON specification file ${path} not found` : reason;
    throw new TurfError('TURF_ERR_BUNDLE', message, { path, cause });
  }
  return { directory, config: asTurfError(() => parseConfig(text), path), text };
}

/**
 * Runs a step of `oci-spec/` and turns its error into the daemon's.
 *
 * @param file named where the fault is in no field: a syntax error
 */
export function asTurfError<T>(step: () => T, file?: string): T {
  try {
    return step();
  } catch (cause) {
    if (!(cause instanceof ConfigError)) throw cause;
    const [first] = cause.issues;
    const whole = file !== undefined && first?.path === '';
    throw new TurfError(cause.code, whole ? `${file}: ${cause.message}` : cause.message, {
      ...(first === undefined || first.path === '' ? {} : { path: first.path }),
      cause,
    });
  }
}

/**
 * The root file system that a config names, symlinks resolved.
 *
 * @throws TurfError TURF_ERR_CONFIG with `root.path`
 */
export function rootDirectory(bundle: string, config: OciConfig): string {
  const path = config.root?.path ?? '';
  try {
    const directory = realpathSync(resolve(bundle, path));
    if (path !== '' && statSync(directory).isDirectory()) return directory;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TurfError('TURF_ERR_CONFIG', `root.path: ${reason}`, { path: 'root.path', cause });
  }
  throw new TurfError('TURF_ERR_CONFIG', `root.path: must name a directory, got "${path}"`, {
    path: 'root.path',
  });
}

/**
 * A directory inside the bundle: symlinks may lead about in it, not out of it.
 *
 * @param field for errors
 * @throws TurfError TURF_ERR_CONFIG
 */
export function directoryInBundle(bundle: string, path: string, field: string): string {
  const root = realpathSync(bundle);
  let directory: string;
  try {
    directory = realpathSync(resolve(root, path));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TurfError('TURF_ERR_CONFIG', `${field}: ${reason}`, { path: field, cause });
  }
  if (directory !== root && !directory.startsWith(root + sep)) {
    throw new TurfError('TURF_ERR_CONFIG', `${field}: ${path} leads out of the bundle`, { path: field });
  }
  if (!statSync(directory).isDirectory()) {
    throw new TurfError('TURF_ERR_CONFIG', `${field}: ${path} is not a directory`, { path: field });
  }
  return directory;
}

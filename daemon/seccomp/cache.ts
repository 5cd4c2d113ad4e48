import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Libseccomp, loadLibseccomp } from '../../native-shim/libseccomp.js';
import type { OciSeccomp } from '../../oci-spec/config.js';
import { compileSeccomp, seccompFlags, type CompiledSeccomp } from './compile.js';

/** Raised when the same profile compiles to another program than before. */
const FORMAT = 1;
const MAX_ENTRIES = 256;

export interface SeccompCacheOptions {
  /** Keeps compiled filters across restarts; only its owner may be able to write there. Created when first needed. */
  readonly directory?: string;
  /** Default: binds libseccomp.so.2 at the first profile. */
  readonly load?: () => Libseccomp;
}

/** Compiled filters by the SHA-256 of their profile, in memory and in a directory. */
export class SeccompCache {
  readonly #directory: string | undefined;
  readonly #load: () => Libseccomp;
  readonly #entries = new Map<string, CompiledSeccomp>();
  #library: Libseccomp | undefined;

  constructor(options: SeccompCacheOptions = {}) {
    this.#directory = options.directory;
    this.#load = options.load ?? loadLibseccomp;
  }

  /**
   * The filter of a profile: from memory, from the directory, or compiled now (milliseconds).
   *
   * @throws TurfError as compileSeccomp, LibseccompError if the library is not installed
   */
  compile(profile: OciSeccomp): CompiledSeccomp {
    const library = (this.#library ??= this.#load());
    const salt = `${FORMAT} ${library.version} ${library.nativeArch}`;
    const key = createHash('sha256')
      .update(salt)
      .update(canonicalJson(filterOf(profile)))
      .digest('hex');
    const known = this.#entries.get(key);
    if (known !== undefined) return known;

    const stored = this.#read(key);
    const compiled =
      stored === undefined ? compileSeccomp(profile, library) : { flags: seccompFlags(profile), bpf: stored };
    if (stored === undefined) this.#write(key, compiled.bpf);
    this.#remember(key, compiled);
    return compiled;
  }

  #remember(key: string, compiled: CompiledSeccomp): void {
    const oldest = this.#entries.keys().next();
    if (this.#entries.size >= MAX_ENTRIES && oldest.done !== true) this.#entries.delete(oldest.value);
    this.#entries.set(key, compiled);
  }

  #read(key: string): Buffer | undefined {
    if (this.#directory === undefined) return undefined;
    try {
      const bpf = readFileSync(path.join(this.#directory, `${key}.bpf`));
      return bpf.length > 0 && bpf.length % 8 === 0 ? bpf : undefined;
    } catch {
      return undefined;
    }
  }

  /** A directory that cannot be written costs time at the next start, nothing else. */
  #write(key: string, bpf: Buffer): void {
    if (this.#directory === undefined) return;
    try {
      mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
      const file = path.join(this.#directory, `${key}.bpf`);
      writeFileSync(`${file}.${process.pid}`, bpf, { mode: 0o600 });
      renameSync(`${file}.${process.pid}`, file);
    } catch {
      return;
    }
  }
}

/** The profile without what makes no difference to the filter, and differs from container to container. */
function filterOf(profile: OciSeccomp): OciSeccomp {
  const { listenerPath, listenerMetadata, ...rest } = profile;
  return listenerPath === undefined && listenerMetadata === undefined ? profile : rest;
}

/** JSON with sorted keys; a bigint is written as its digits. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) => {
    if (typeof member === 'bigint') return member.toString();
    if (typeof member !== 'object' || member === null || Array.isArray(member)) return member;
    return Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

import { existsSync, type FSWatcher, watch } from 'node:fs';
import { dirname, join } from 'node:path';

/** How long a file must be left alone: programs write one in several steps. */
const SETTLE_MS = 25;

/** Tells when one of a set of files is written, replaced, made or removed. Their directories are watched, since editors replace files. */
export class FileWatcher {
  readonly #changed: (path: string) => void;
  readonly #files = new Set<string>();
  readonly #directories = new Map<string, FSWatcher>();
  #settling: NodeJS.Timeout | undefined;

  /** @param changed is called once for changes that follow each other closely */
  constructor(changed: (path: string) => void) {
    this.#changed = changed;
  }

  /** @param path absolute; the file need not exist, its directory must for anything to be seen */
  add(path: string): void {
    this.#files.add(path);
    const directory = dirname(path);
    if (this.#directories.has(directory) || !existsSync(directory)) return;
    const watcher = watch(directory, (_event, name) => {
      const file = name === null ? path : join(directory, name);
      if (this.#files.has(file)) this.#settle(file);
    });
    // A directory that is removed while it is watched.
    watcher.on('error', () => {
      watcher.close();
      this.#directories.delete(directory);
    });
    this.#directories.set(directory, watcher);
  }

  close(): void {
    clearTimeout(this.#settling);
    for (const watcher of this.#directories.values()) watcher.close();
  }

  #settle(path: string): void {
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => this.#changed(path), SETTLE_MS);
  }
}

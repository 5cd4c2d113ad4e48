import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Test } from 'tap';
import { bundle, temporary, type Bundle } from '../harness/bundle.js';
import type { BundleConfig } from '../harness/config.js';
import { mountsAbout } from '../harness/processes.js';
import { PROJECT } from '../harness/requires.js';
import { eventually } from '../harness/turfd.js';

/** What a hostile image has at a path: a link to somewhere, a file, a directory, a FIFO, or a device node. */
export type Entry =
  | { readonly link: string }
  | { readonly file: string }
  | { readonly dir: true }
  | { readonly fifo: true }
  | { readonly device: readonly ['b' | 'c', number, number] };

/** Puts entries into a root file system, in place of whatever is there. */
export function plant(rootfs: string, entries: Readonly<Record<string, Entry>>): void {
  for (const [path, entry] of Object.entries(entries)) {
    const at = join(rootfs, path);
    rmSync(at, { recursive: true, force: true });
    mkdirSync(dirname(at), { recursive: true });
    if ('link' in entry) symlinkSync(entry.link, at);
    else if ('file' in entry) writeFileSync(at, entry.file);
    else if ('dir' in entry) mkdirSync(at);
    else if ('fifo' in entry) execFileSync('mkfifo', [at]);
    else execFileSync('mknod', [at, entry.device[0], String(entry.device[1]), String(entry.device[2])]);
  }
}

/** A bundle whose root is writable and holds what an attacker put there. */
export function hostileBundle(
  t: Test,
  args: string[],
  entries: Readonly<Record<string, Entry>>,
  mutate?: (config: BundleConfig, path: string) => void,
): Bundle {
  return bundle(t, args, (config, path) => {
    config.root = { path: 'rootfs', readonly: false };
    mutate?.(config, path);
    plant(join(path, 'rootfs'), entries);
  });
}

/** A directory of the host that an attack must leave as it is: empty. */
export class Untouched {
  readonly path: string;

  constructor(t: Test) {
    this.path = temporary(t, 'untouched-');
  }

  /** What is in it, and what is mounted on it or below. */
  damage(): string[] {
    return [...readdirSync(this.path), ...mountsAbout(this.path)];
  }
}

/** Swaps two directory entries without a pause until the test ends, as another container with the same volume could. */
export async function exchange(t: Test, one: string, other: string): Promise<void> {
  const program = join(temporary(t), 'exchange');
  execFileSync('gcc', ['-D_GNU_SOURCE', '-o', program, join(PROJECT, 'test/integration/attacks/exchange.c')]);
  const child = spawn(program, [one, other], { stdio: 'ignore' });
  t.teardown(() => child.kill('SIGKILL'));
  await eventually('the exchange to run', () => child.pid !== undefined && child.exitCode === null);
}

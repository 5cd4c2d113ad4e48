import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { temporary } from './bundle.js';
import { patience } from './patience.js';

/** Faults in the system calls of one process and of all that it makes, until `end`: strace(1), option `--inject`. */
export interface Injection {
  /** What was called, a line each, since the injection began. */
  calls(): string[];
  /** Lets go of every process. */
  end(): Promise<void>;
}

/**
 * @param what e.g. `unshare:error=ENOSPC`, `move_mount:signal=KILL:when=2`; `when` counts in each process by itself
 * @param also system calls to be recorded beside it
 */
export async function inject(t: Test, pid: number, what: string, also = 'exit_group'): Promise<Injection> {
  const file = join(temporary(t, 'faults-'), 'calls');
  const [call = ''] = what.split(':', 1);
  const args = ['-f', '-p', String(pid), '-o', file, '-e', `trace=${call},${also}`, '-e', `inject=${what}`];
  const child = spawn('strace', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  t.teardown(() => child.kill('SIGKILL'));
  let said = '';
  const attached = new Promise<void>((resolve, reject) => {
    child.stderr.on('data', (text: Buffer) => {
      said += text.toString();
      if (said.includes('attached')) resolve();
    });
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`strace -p ${pid}: ${said}`)));
  });
  attached.catch(() => undefined);
  const late = AbortSignal.timeout(patience(20_000));
  await Promise.race([
    attached,
    once(late, 'abort').then(() => Promise.reject(new Error(`strace: ${said}`))),
  ]);
  return {
    calls: () => readFileSync(file, 'utf8').trim().split('\n'),
    async end() {
      if (child.exitCode === null && child.signalCode === null) {
        const ended = once(child, 'exit');
        child.kill('SIGINT');
        await ended;
      }
      rmSync(file, { force: true });
    },
  };
}

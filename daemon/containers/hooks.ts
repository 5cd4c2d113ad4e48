import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { TurfError } from '../../cli/turf-error.js';
import { splitVariable } from '../environment.js';
import { LONGEST_TIMER_MS } from '../longest-timer.js';

/** A hook as config.json names it (runtime-spec, config.md "POSIX-platform Hooks"). */
export interface Hook {
  readonly path: string;
  readonly args?: readonly string[];
  readonly env?: readonly string[];
  /** Seconds. */
  readonly timeout?: number;
}

const STDERR_KEPT = 2000;
/** What a hook wrote last may arrive after its end; a process that it left behind may hold the pipe for ever. */
const STDERR_PATIENCE_MS = 200;

/**
 * Runs hooks of one kind in order, in the runtime's namespaces, the state on their stdin. The first failure ends it. A hook
 * that is out of time is killed with every process of its session.
 *
 * @param kind e.g. `prestart`: errors name `hooks.prestart[0]`
 * @param stateJson the container's state (runtime.md "State")
 * @param directory the bundle, the hooks' working directory
 * @param ended aborts when the container has gone: no hook of it goes on
 * @throws TurfError TURF_ERR_HOOK
 */
export async function runHooks(
  kind: string,
  hooks: readonly Hook[] | undefined,
  stateJson: string,
  directory: string,
  ended?: AbortSignal,
): Promise<void> {
  for (const [index, hook] of (hooks ?? []).entries()) {
    const field = `hooks.${kind}[${index}]`;
    const problem = await runHook(hook, stateJson, directory, ended);
    if (problem === undefined) continue;
    throw new TurfError('TURF_ERR_HOOK', `${field}: ${hook.path}: ${problem}`, { path: field });
  }
}

/** Resolves to what went wrong. */
async function runHook(
  hook: Hook,
  stateJson: string,
  directory: string,
  ended: AbortSignal | undefined,
): Promise<string | undefined> {
  if (ended?.aborted === true) return 'the container has ended';
  const [argv0 = hook.path, ...args] = hook.args ?? [];
  const child = spawn(hook.path, args, {
    argv0,
    cwd: directory,
    env: Object.fromEntries((hook.env ?? []).map(splitVariable)),
    stdio: ['pipe', 'ignore', 'pipe'],
    // A session of its own, so that all of it can be killed.
    detached: true,
  });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    if (stderr.length < STDERR_KEPT) stderr = (stderr + chunk.toString()).slice(0, STDERR_KEPT);
  });
  // A hook need not read its stdin: EPIPE says only that.
  child.stdin.on('error', () => undefined);
  child.stdin.end(stateJson);

  let reason: string | undefined;
  const stop = (why: string): void => {
    reason ??= why;
    killSession(child);
  };
  const gone = (): void => stop('the container ended while it ran');
  ended?.addEventListener('abort', gone, { once: true });
  const timer =
    hook.timeout === undefined
      ? undefined
      : setTimeout(
          stop,
          Math.min(LONGEST_TIMER_MS, hook.timeout * 1000),
          `timed out after ${hook.timeout} s`,
        );
  const drained = once(child.stderr, 'close');
  try {
    // Not 'close': a hook may leave a background process that holds its stderr.
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    if (reason !== undefined) return reason;
    if (code === 0) return undefined;
    await Promise.race([drained, delay(STDERR_PATIENCE_MS)]);
    return `${signal === null ? `exit status ${code ?? 0}` : `killed by ${signal}`}${quote(stderr)}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    clearTimeout(timer);
    ended?.removeEventListener('abort', gone);
    child.stderr.destroy();
  }
}

function killSession({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

function quote(stderr: string): string {
  const text = stderr.trim();
  return text === '' ? '' : `, stderr: ${text}`;
}

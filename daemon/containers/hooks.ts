import { spawn } from 'node:child_process';
import { TurfError } from '../../cli/turf-error.js';

/** A hook as config.json names it (runtime-spec, config.md "POSIX-platform Hooks"). */
export interface Hook {
  readonly path: string;
  readonly args?: readonly string[];
  readonly env?: readonly string[];
  /** Seconds. */
  readonly timeout?: number;
}

const STDERR_KEPT = 2000;

/**
 * Runs hooks of one kind in order, in the runtime's namespaces, the state on their stdin. The first failure ends it.
 *
 * @param kind e.g. `prestart`: errors name `hooks.prestart[0]`
 * @param stateJson the container's state (runtime.md "State")
 * @param directory the bundle, the hooks' working directory
 * @throws TurfError TURF_ERR_HOOK
 */
export async function runHooks(
  kind: string,
  hooks: readonly Hook[] | undefined,
  stateJson: string,
  directory: string,
): Promise<void> {
  for (const [index, hook] of (hooks ?? []).entries()) {
    await runHook(`hooks.${kind}[${index}]`, hook, stateJson, directory);
  }
}

function runHook(field: string, hook: Hook, stateJson: string, directory: string): Promise<void> {
  const [argv0 = hook.path, ...args] = hook.args ?? [];
  return new Promise((resolve, reject) => {
    const fail = (what: string, cause?: unknown): void =>
      reject(new TurfError('TURF_ERR_HOOK', `${field}: ${hook.path}: ${what}`, { path: field, cause }));
    const child = spawn(hook.path, args, {
      argv0,
      cwd: directory,
      env: Object.fromEntries((hook.env ?? []).map(splitVariable)),
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    let stderr = '';
    let expired = false;
    const timer =
      hook.timeout === undefined
        ? undefined
        : setTimeout(() => {
            expired = true;
            child.kill('SIGKILL');
          }, hook.timeout * 1000);
    child.stderr.on('data', (chunk: Buffer) => {
      if (stderr.length < STDERR_KEPT) stderr += chunk.toString();
    });
    // A hook need not read its stdin: EPIPE says only that.
    child.stdin.on('error', () => undefined);
    child.stdin.end(stateJson);
    child.on('error', (error) => {
      clearTimeout(timer);
      fail(error.message, error);
    });
    // Not 'close': a hook may leave a background process holding its stderr.
    child.on('exit', (code, signal) => {
      clearTimeout(timer);
      child.stderr.destroy();
      if (code === 0) resolve();
      else if (expired) fail(`timed out after ${hook.timeout ?? 0} s`);
      else fail(`${signal === null ? `exit status ${code ?? 0}` : `killed by ${signal}`}${quote(stderr)}`);
    });
  });
}

function quote(stderr: string): string {
  const text = stderr.trim();
  return text === '' ? '' : `, stderr: ${text}`;
}

function splitVariable(variable: string): [string, string] {
  const at = variable.indexOf('=');
  return at < 0 ? [variable, ''] : [variable.slice(0, at), variable.slice(at + 1)];
}

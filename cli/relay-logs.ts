import type { CliContext } from './context.js';
import type { LogsOptions } from './operations.js';

/** Copies a container's captured output to the client's stdout and stderr, until it ends or the client has gone. */
export async function relayLogs(
  context: CliContext,
  id: string,
  options: Omit<LogsOptions, 'signal'>,
): Promise<void> {
  for await (const chunk of context.operations.logs(id, { ...options, signal: context.signal })) {
    if (context.signal.aborted) return;
    await (chunk.stream === 'stdout' ? context.stdout(chunk.data) : context.stderr(chunk.data));
  }
}

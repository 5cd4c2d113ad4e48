import { constants } from 'node:os';

export interface ExitStatus {
  /** Exit code, or 128 + signal number; absent where nobody could learn it. */
  readonly exitCode?: number;
  /** Name of the signal that ended the process. */
  readonly exitSignal?: string;
}

const SIGNAL_NAMES = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name]));

/** Decodes a status as waitpid(2) gives it; -1 means unknown. */
export function decodeWaitStatus(status: number): ExitStatus {
  if (status < 0) return {};
  const signal = status & 0x7f;
  if (signal === 0) return { exitCode: (status >> 8) & 0xff };
  return { exitCode: 128 + signal, exitSignal: SIGNAL_NAMES.get(signal) ?? `SIG${signal}` };
}

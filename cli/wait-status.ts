import { signalNumber } from '../oci-spec/signals.js';
import type { ContainerState } from './operations.js';

/** Where nobody could learn how a process ended. */
const unknownExit = 255;

/** The exit code of a shell for a wait status of waitpid(2): the code, or 128 and the signal's number. */
export function exitCodeOfStatus(status: number): number {
  if (status < 0) return unknownExit;
  const signal = status & 0x7f;
  return signal === 0 ? (status >> 8) & 0xff : 128 + signal;
}

/** The same for a stopped container. */
export function exitCodeOf(state: ContainerState): number {
  const { exitCode, exitSignal } = state.turf;
  if (exitCode !== undefined) return exitCode;
  const signal = exitSignal === undefined ? undefined : signalNumber(exitSignal);
  return signal === undefined ? unknownExit : 128 + signal;
}

import process from 'node:process';
import { inspect } from 'node:util';
import { PromiseRejectionEvent } from './events.js';
import { dispatchCollecting } from './scope-events.js';
import { writeText } from './standard-output.js';
import { ErrorEvent } from './web/fetch-family.js';

/** Ends the process with that status; never returns. */
export type Leave = (code: number) => never;

/** What a person reads about a thrown value: its stack where it has one. */
export function describe(error: unknown): string {
  return error instanceof Error && typeof error.stack === 'string' && error.cause === undefined
    ? error.stack
    : inspect(error);
}

/** Prints an error that nothing handled and ends the worker with status 1. */
export function die(leave: Leave, prefix: string, error: unknown): never {
  writeText(2, `${prefix}${describe(error)}\n`);
  return leave(1);
}

function onUncaught(leave: Leave, error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  const event = new ErrorEvent('error', { cancelable: true, message, error });
  const failures = dispatchCollecting(event);
  if (failures.length > 0) die(leave, 'Uncaught Exception on "error": ', failures[0]);
  if (!event.defaultPrevented) die(leave, 'Uncaught ', error);
}

function onRejection(leave: Leave, reason: unknown, promise: Promise<unknown>): void {
  const event = new PromiseRejectionEvent('unhandledrejection', { cancelable: true, promise, reason });
  const failures = dispatchCollecting(event);
  if (failures.length > 0) die(leave, 'Uncaught Exception on "unhandledrejection": ', failures[0]);
  if (!event.defaultPrevented) die(leave, 'Uncaught (in promise) ', reason);
}

/** Turns what nothing caught into events on the global scope; unhandled, they end the worker with status 1. */
export function installErrorEvents(leave: Leave): void {
  process.on('uncaughtException', (error: unknown) => onUncaught(leave, error));
  process.on('unhandledRejection', (reason, promise) => onRejection(leave, reason, promise));
  process.on('rejectionHandled', (promise) => {
    dispatchCollecting(new PromiseRejectionEvent('rejectionhandled', { promise }));
  });
}

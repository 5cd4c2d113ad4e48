import process from 'node:process';
import { inspect } from 'node:util';
import { PromiseRejectionEvent } from '../scope/events.js';
import { dispatchCollecting, reportErrorsBy } from '../scope/scope-events.js';
import { mapStack } from '../engine/source-map.js';
import { writeText } from '../engine/standard-output.js';
import { ErrorEvent } from '../web/fetch-family.js';

/** Ends the process with that status; never returns. */
export type Leave = (code: number) => never;

let explain: (stack: string) => string = () => '';

/** For development: what is printed after every stack from now on. */
export function explainErrors(explanation: (stack: string) => string): void {
  explain = explanation;
}

/** What a person reads about a thrown value: its stack where it has one, in terms of the sources that the code was built from. */
export function describe(error: unknown): string {
  const text =
    error instanceof Error && typeof error.stack === 'string' && error.cause === undefined
      ? error.stack
      : inspect(error);
  const stack = mapStack(text);
  return stack + explain(stack);
}

/** Prints an error that nothing handled and ends the worker with status 1. */
export function die(leave: Leave, prefix: string, error: unknown): never {
  writeText(2, `${prefix}${describe(error)}\n`);
  // Node does so itself only where nobody listens to what nobody caught.
  if (process.report.reportOnUncaughtException)
    process.report.writeReport(error instanceof Error ? error : new Error(String(error)));
  return leave(1);
}

/** Raises `error` on the global scope; false if a listener cancelled it. @throws what a listener throws */
function raiseError(error: unknown): boolean {
  const message = error instanceof Error ? error.message : String(error);
  const event = new ErrorEvent('error', { cancelable: true, message, error });
  const failures = dispatchCollecting(event);
  if (failures.length > 0) throw failures[0];
  return !event.defaultPrevented;
}

/** Raises `unhandledrejection`, likewise. */
function raiseRejection(reason: unknown, promise: Promise<unknown>): boolean {
  const event = new PromiseRejectionEvent('unhandledrejection', { cancelable: true, promise, reason });
  const failures = dispatchCollecting(event);
  if (failures.length > 0) throw failures[0];
  return !event.defaultPrevented;
}

/**
 * Raises the event for something that nobody caught.
 *
 * @param unhandled what happens unless a listener cancels the event
 */
function raiseOrDie(leave: Leave, type: string, raise: () => boolean, unhandled: () => void): void {
  let pass: boolean;
  try {
    pass = raise();
  } catch (failure) {
    die(leave, `Uncaught Exception on "${type}": `, failure);
  }
  if (pass) unhandled();
}

/**
 * A handler failed to answer a request: raises the event and prints the error, under the name that the client is told. The worker goes on.
 *
 * @param promise what the handler returned, unless it threw
 */
export function reportFailedRequest(
  leave: Leave,
  id: string,
  error: unknown,
  promise: Promise<unknown> | undefined,
): void {
  const print = (): void => writeText(2, `request ${id}: Uncaught ${describe(error)}\n`);
  if (promise === undefined) raiseOrDie(leave, 'error', () => raiseError(error), print);
  else raiseOrDie(leave, 'unhandledrejection', () => raiseRejection(error, promise), print);
}

/** Turns what nothing caught into events on the global scope; unhandled, they end the worker with status 1. */
export function installErrorEvents(leave: Leave): void {
  let reporting = false;
  const report = (error: unknown): void => {
    const unhandled = (): never => die(leave, 'Uncaught ', error);
    // An error in the middle of reporting one raises no event (HTML, 8.1.4.6: in error reporting mode).
    if (reporting) unhandled();
    reporting = true;
    try {
      raiseOrDie(leave, 'error', () => raiseError(error), unhandled);
    } finally {
      reporting = false;
    }
  };
  process.on('uncaughtException', report);
  reportErrorsBy(report);
  process.on('unhandledRejection', (reason, promise) => {
    raiseOrDie(
      leave,
      'unhandledrejection',
      () => raiseRejection(reason, promise),
      () => die(leave, 'Uncaught (in promise) ', reason),
    );
  });
  process.on('rejectionHandled', (promise) => {
    dispatchCollecting(new PromiseRejectionEvent('rejectionhandled', { promise }));
  });
}

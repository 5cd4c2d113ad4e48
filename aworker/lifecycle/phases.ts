import { ExtendableEvent, settled, whileDispatching } from '../scope/events.js';
import { dispatchCollecting } from '../scope/scope-events.js';

/** The phases of a worker's life, in the order of docs: a userland seed ends with the first, its clones go on with the second. */
export type Phase = 'serialize' | 'deserialize' | 'install' | 'activate' | 'uninstall';

/**
 * Raises a life cycle event and waits for its waitUntil promises.
 *
 * @throws what a listener threw, or the first rejected promise
 */
export async function raise(phase: Phase): Promise<void> {
  const event = new ExtendableEvent(phase);
  const errors = whileDispatching(event, dispatchCollecting);
  if (errors.length > 0) throw errors[0];
  await settled(event);
}

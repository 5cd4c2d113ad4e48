import { type Machine } from '../machine.js';
import { type UndoStack } from './undo.js';

/** Takes the id of a container, seed or worker that is about to be made, with its state directory. @throws TurfError TURF_ERR_EXISTS */
export function reserve({ store, containers }: Machine, id: string, undo: UndoStack): void {
  store.reserve(id);
  undo.push('state directory', () => {
    containers.delete(id);
    store.remove(id);
  });
}

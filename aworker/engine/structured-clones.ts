/**
 * Which objects structured cloning makes. Node.js lets an object name the class of its clone, among all of Node.js's own (`internal/fs/promises:FileHandle`), by a
 * method under a symbol that user code finds on every Blob. Here, only what a worker has anyway is made.
 */
import { createClonesBy, makerOf } from './engine-internals.js';

const USUAL = [
  'internal/blob:Blob',
  'internal/blob:ClonedBlob',
  'internal/file:File',
  'internal/file:TransferableFile',
  'internal/webstreams/readablestream:TransferredReadableStream',
  'internal/webstreams/writablestream:TransferredWritableStream',
  'internal/webstreams/transformstream:TransferredTransformStream',
  'internal/webstreams/transfer:CloneableDOMException',
  'internal/worker/clone_dom_exception:DOMException',
  'internal/worker/clone_dom_exception:QuotaExceededError',
];

/** By kind. Looked up without a method: user code may have replaced those of Map and Set, and would choose the class. */
const makers = Object.create(null) as Record<string, (() => object) | undefined>;
for (const kind of USUAL) makers[kind] = makerOf(kind);

/**
 * Makes the clones of one kind.
 *
 * @param kind begins with `internal/`, as the engine asks
 */
export function cloneAs(kind: string, create: () => object): void {
  makers[kind] = create;
}

/** From now on a clone is of no other class. */
export function limitClones(): void {
  createClonesBy((kind) => {
    const make = typeof kind === 'string' ? makers[kind] : undefined;
    if (make === undefined) throw new DOMException('The object cannot be cloned', 'DataCloneError');
    return make();
  });
}

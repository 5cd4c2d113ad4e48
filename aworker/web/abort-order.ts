/** Signals of AbortSignal.any are aborted before anybody is told (DOM, 3.2: signal abort); Node.js 20 aborts them one after the other. */

interface Reference {
  deref(): AbortSignal | undefined;
}

function symbolOf(signal: AbortSignal, name: string): symbol | undefined {
  return Object.getOwnPropertySymbols(signal).find((symbol) => symbol.description === name);
}

function isOrdered(): boolean {
  const controller = new AbortController();
  const dependent = AbortSignal.any([controller.signal]);
  let seen = false;
  controller.signal.addEventListener('abort', () => {
    seen = dependent.aborted;
  });
  controller.abort();
  return seen;
}

export function correctAbortOrder(): void {
  if (isOrdered()) return;
  const { signal } = new AbortController();
  const aborted = symbolOf(signal, 'kAborted');
  const reasonOf = symbolOf(signal, 'kReason');
  AbortSignal.any([signal]);
  const dependents = symbolOf(signal, 'kDependantSignals');
  if (aborted === undefined || reasonOf === undefined || dependents === undefined)
    throw new Error('This Node.js keeps the state of signals elsewhere');
  const { abort } = AbortController.prototype;
  const own = {
    abort(
      this: AbortController,
      reason: unknown = new DOMException('This operation was aborted', 'AbortError'),
    ): void {
      const { signal: source } = this;
      const told: AbortSignal[] = [];
      const references = source.aborted
        ? []
        : ((Reflect.get(source, dependents) ?? []) as Iterable<Reference>);
      for (const reference of references) {
        const dependent = reference.deref();
        if (dependent === undefined || dependent.aborted) continue;
        Reflect.set(dependent, aborted, true);
        Reflect.set(dependent, reasonOf, reason);
        told.push(dependent);
      }
      Reflect.apply(abort, this, [reason]);
      for (const dependent of told) dependent.dispatchEvent(new Event('abort'));
    },
  };
  Object.defineProperty(AbortController.prototype, 'abort', {
    value: own.abort,
    writable: true,
    enumerable: true,
    configurable: true,
  });
  Object.defineProperty(own.abort, 'length', { value: 0, configurable: true });
}

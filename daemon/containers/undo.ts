/**
 * What has to be undone if a later step fails. Steps run in reverse order; a failing one does not stop the others and never
 * hides the first error.
 */
export class UndoStack {
  readonly #steps: { readonly name: string; readonly run: () => void | Promise<void> }[] = [];

  readonly #afterwards: (() => void)[] = [];

  push(name: string, run: () => void | Promise<void>): void {
    this.#steps.push({ name, run });
  }

  /** Remembers what is to be done when the stack is done with, whether it was unwound or cleared: closing what steps need. */
  afterwards(run: () => void): void {
    this.#afterwards.push(run);
  }

  /** Runs every step; returns the errors, each named after its step. */
  async unwind(): Promise<Error[]> {
    const errors: Error[] = [];
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        await step.run();
      } catch (error) {
        errors.push(new Error(`undo ${step.name}`, { cause: error }));
      }
    }
    this.#end();
    return errors;
  }

  /** Everything went well: nothing is to be undone any more. */
  clear(): void {
    this.#steps.length = 0;
    this.#end();
  }

  #end(): void {
    for (const run of this.#afterwards.splice(0)) run();
  }
}

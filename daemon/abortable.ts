/**
 * The promise's outcome, unless `signal` aborts first.
 *
 * @throws the signal's reason
 */
export async function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  signal.throwIfAborted();
  const settled = new AbortController();
  try {
    return await Promise.race([
      promise,
      new Promise<never>((_, reject) => {
        const options = { once: true, signal: settled.signal };
        signal.addEventListener('abort', () => reject(signal.reason as Error), options);
      }),
    ]);
  } finally {
    settled.abort();
  }
}

/** What `aworker dev` and the processes of its workers tell each other, over Node's IPC channel. */

/** To a process that waits: what it is to become. */
export interface Start {
  /** JSON of a WorkerConfig. */
  readonly worker: string;
  readonly inspectPort?: number;
}

/** From it: a file that its code consists of, or would; that it serves; that it could not. */
export type Report =
  | { readonly type: 'file'; readonly path: string }
  | { readonly type: 'serving' }
  | { readonly type: 'failed'; readonly text: string };

function member(message: unknown, name: string): unknown {
  return typeof message === 'object' && message !== null ? Reflect.get(message, name) : undefined;
}

function text(message: unknown, name: string): string {
  const value = member(message, name);
  if (typeof value === 'string') return value;
  throw new TypeError(`message.${name}: not a string`);
}

/** @throws TypeError */
export function parseStart(message: unknown): Start {
  const inspectPort = member(message, 'inspectPort');
  return {
    worker: text(message, 'worker'),
    ...(typeof inspectPort === 'number' ? { inspectPort } : {}),
  };
}

/** @throws TypeError */
export function parseReport(message: unknown): Report {
  const type = text(message, 'type');
  switch (type) {
    case 'file':
      return { type, path: text(message, 'path') };
    case 'serving':
      return { type };
    case 'failed':
      return { type, text: text(message, 'text') };
    default:
      throw new TypeError(`message.type: no message has the type ${type}`);
  }
}

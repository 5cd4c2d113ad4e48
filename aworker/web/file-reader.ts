/** FileReader and FileList (File API, 5 and 6). */
import { Buffer } from 'node:buffer';
import { setImmediate } from 'node:timers';
import {
  conform,
  defineConstants,
  defineHandlers,
  illegalConstructor,
  requireArguments,
  toDomString,
} from './interface.js';
import { ProgressEvent } from './progress-event.js';
import { TextDecoder } from './text-decoder.js';

const STATES = { EMPTY: 0, LOADING: 1, DONE: 2 };
const BYTE_ORDER_MARKS = [
  ['utf-8', 0xef, 0xbb, 0xbf],
  ['utf-16be', 0xfe, 0xff],
  ['utf-16le', 0xff, 0xfe],
] as const;
const CHARSET = /;\s*charset\s*=\s*"?([^";]*)/i;

type Result = string | ArrayBuffer;

/** The next task: events of a reader come in tasks of their own. */
function nextTask(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function isLabel(label: string): boolean {
  try {
    return new TextDecoder(label).encoding !== '';
  } catch {
    return false;
  }
}

/** "Package data" (File API, 6.2) for text: a mark at the start of the bytes wins over every name. */
function decode(bytes: Uint8Array, encoding: string | undefined, type: string): string {
  const marked = BYTE_ORDER_MARKS.find(([, ...mark]) => mark.every((byte, i) => bytes[i] === byte))?.[0];
  const named = [encoding, CHARSET.exec(type)?.[1]].find((label) => label !== undefined && isLabel(label));
  return new TextDecoder(marked ?? named ?? 'utf-8').decode(bytes);
}

/** As URL Standard's and File API's data URLs. */
function toDataUrl(bytes: Uint8Array, type: string): string {
  return `data:${type === '' ? 'application/octet-stream' : type};base64,${Buffer.from(bytes).toString('base64')}`;
}

export class FileReader extends EventTarget {
  #state = STATES.EMPTY;
  #result: Result | null = null;
  #error: DOMException | null = null;
  /** The read that may go on, and the last that was begun. */
  #current: object | undefined;
  #last: object | undefined;

  get readyState(): number {
    return this.#state;
  }

  get result(): Result | null {
    return this.#result;
  }

  get error(): DOMException | null {
    return this.#error;
  }

  readAsArrayBuffer(...args: unknown[]): void {
    this.#read('readAsArrayBuffer', args, (bytes) => new Uint8Array(bytes).buffer);
  }

  readAsBinaryString(...args: unknown[]): void {
    this.#read('readAsBinaryString', args, (bytes) => Buffer.from(bytes).toString('latin1'));
  }

  readAsText(...args: unknown[]): void {
    const encoding = args[1] === undefined ? undefined : toDomString(args[1]);
    this.#read('readAsText', args, (bytes, type) => decode(bytes, encoding, type));
  }

  readAsDataURL(...args: unknown[]): void {
    this.#read('readAsDataURL', args, toDataUrl);
  }

  abort(): void {
    const loading = this.#state === STATES.LOADING;
    this.#result = null;
    if (!loading) return;
    this.#state = STATES.DONE;
    this.#current = undefined;
    const read = this.#last;
    this.#fire('abort', 0, 0);
    if (this.#last === read) this.#fire('loadend', 0, 0);
  }

  #fire(type: string, loaded: number, total: number): void {
    this.dispatchEvent(new ProgressEvent(type, { lengthComputable: total > 0, loaded, total }));
  }

  /** "Read operation" (File API, 6.2.2). */
  #read(name: string, args: readonly unknown[], pack: (bytes: Uint8Array, type: string) => Result): void {
    // Private members are a brand check of their own.
    const state = this.#state;
    requireArguments(`FileReader.${name}`, 1, args.length);
    const [blob] = args;
    if (!(blob instanceof Blob)) throw new TypeError(`FileReader.${name}: not a Blob`);
    if (state === STATES.LOADING) throw new DOMException('The reader is reading', 'InvalidStateError');
    this.#state = STATES.LOADING;
    this.#result = null;
    this.#error = null;
    const read = {};
    this.#current = read;
    this.#last = read;
    void this.#perform(read, blob, pack);
  }

  async #perform(read: object, blob: Blob, pack: (bytes: Uint8Array, type: string) => Result): Promise<void> {
    const stopped = (): boolean => this.#current !== read;
    const { size, type } = blob;
    await nextTask();
    if (stopped()) return;
    this.#fire('loadstart', 0, size);
    let outcome: { readonly bytes: Uint8Array } | { readonly reason: string };
    try {
      outcome = { bytes: new Uint8Array(await blob.arrayBuffer()) };
    } catch (error) {
      outcome = { reason: error instanceof Error ? error.message : String(error) };
    }
    await nextTask();
    if (stopped()) return;
    if (size > 0 && 'bytes' in outcome) {
      this.#fire('progress', size, size);
      await nextTask();
    }
    if (stopped()) return;
    this.#state = STATES.DONE;
    this.#current = undefined;
    if ('bytes' in outcome) this.#result = pack(outcome.bytes, type);
    else this.#error = new DOMException(outcome.reason, 'NotReadableError');
    this.#fire('bytes' in outcome ? 'load' : 'error', size, size);
    await nextTask();
    // A listener may have begun the next read, which has a loadend of its own.
    if (this.#last === read) this.#fire('loadend', size, size);
  }

  static {
    defineHandlers(
      this.prototype,
      ['loadstart', 'progress', 'load', 'abort', 'error', 'loadend'],
      (target) => {
        if (typeof target === 'object' && target !== null && #state in target) return target;
        throw new TypeError('Illegal invocation');
      },
    );
  }
}
defineConstants(FileReader, STATES);
for (const name of ['readAsArrayBuffer', 'readAsBinaryString', 'readAsText', 'readAsDataURL'] as const)
  Object.defineProperty(FileReader.prototype[name], 'length', { value: 1, configurable: true });

/** A list that only a form of a page could give: nobody has one here. */
export class FileList {
  constructor() {
    illegalConstructor();
  }

  get length(): number {
    return illegalConstructor();
  }

  item(...args: unknown[]): File | null {
    requireArguments('FileList.item', 1, args.length);
    return illegalConstructor();
  }
}
Object.defineProperty(FileList.prototype.item, 'length', { value: 1, configurable: true });
Object.defineProperty(FileList.prototype, Symbol.iterator, {
  value: Array.prototype.values,
  writable: true,
  enumerable: false,
  configurable: true,
});
for (const constructor of [FileReader, FileList]) conform(constructor);

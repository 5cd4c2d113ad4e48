/**
 * TextDecoder and TextDecoderStream (Encoding, 7). UTF-8 and UTF-16LE are the engine's; every other encoding is a library's, since those of ICU differ from
 * the Encoding Standard's. The library is read when the runtime starts and runs when the first such decoder is made.
 */
import { Buffer } from 'node:buffer';
import { fileURLToPath } from 'node:url';
import { conform, toDomString } from './interface.js';
import { LexicalRequire } from './lexical-require.js';

interface Decoder {
  readonly encoding: string;
  readonly fatal: boolean;
  readonly ignoreBOM: boolean;
  decode(input?: unknown, options?: unknown): string;
}

type DecoderClass = new (label: string, options?: unknown) => Decoder;

/** The rest of the labels of these two are rare enough for the library. */
const ENGINES_OWN = /^[\t\n\f\r ]*(?:utf-?8|utf-16(?:le)?)[\t\n\f\r ]*$/i;

const engines: unknown = globalThis.TextDecoder;
/** The library takes the engine's classes from here when it runs, for the global scope has others by then. */
const own = Object.create(globalThis, {
  Buffer: { value: Buffer },
  TextDecoder: { value: engines },
}) as object;
const library = new LexicalRequire({ Buffer, TextDecoder: engines, globalThis: own }).keep(
  fileURLToPath(new URL('encoding.cjs', import.meta.url)),
);

/** @throws RangeError for a label that is none, TypeError for options that are none */
function decoderFor(label: unknown, options: unknown): Decoder {
  const name = label === undefined ? 'utf-8' : toDomString(label);
  const foreign = !ENGINES_OWN.test(name);
  const Class = foreign ? (library() as { readonly TextDecoder: DecoderClass }).TextDecoder : engines;
  return new (Class as DecoderClass)(name, options);
}

/** Encoding, 7.2. */
export class TextDecoder {
  readonly #decoder: Decoder;

  constructor(label?: unknown, options?: unknown) {
    this.#decoder = decoderFor(label, options);
  }

  get encoding(): string {
    return this.#decoder.encoding;
  }

  get fatal(): boolean {
    return this.#decoder.fatal;
  }

  get ignoreBOM(): boolean {
    return this.#decoder.ignoreBOM;
  }

  decode(input?: unknown, options?: unknown): string {
    return this.#decoder.decode(input, options);
  }
}

function isBuffer(chunk: unknown): boolean {
  return ArrayBuffer.isView(chunk) || chunk instanceof ArrayBuffer || chunk instanceof SharedArrayBuffer;
}

/** Encoding, 7.5. */
export class TextDecoderStream {
  readonly #decoder: Decoder;
  readonly #stream: TransformStream<unknown, string>;

  constructor(label?: unknown, options?: unknown) {
    const decoder = decoderFor(label, options);
    this.#decoder = decoder;
    this.#stream = new TransformStream<unknown, string>({
      transform(chunk, controller) {
        if (!isBuffer(chunk)) throw new TypeError('The chunk is neither an ArrayBuffer nor a view of one');
        const text = decoder.decode(chunk, { stream: true });
        if (text !== '') controller.enqueue(text);
      },
      flush(controller) {
        const text = decoder.decode();
        if (text !== '') controller.enqueue(text);
      },
    });
  }

  get encoding(): string {
    return this.#decoder.encoding;
  }

  get fatal(): boolean {
    return this.#decoder.fatal;
  }

  get ignoreBOM(): boolean {
    return this.#decoder.ignoreBOM;
  }

  get readable(): ReadableStream<string> {
    return this.#stream.readable;
  }

  get writable(): WritableStream {
    return this.#stream.writable;
  }
}
// Every argument is optional (Web IDL, 3.7.1).
for (const operation of [TextDecoder, TextDecoderStream, TextDecoder.prototype.decode])
  Object.defineProperty(operation, 'length', { value: 0, configurable: true });
for (const constructor of [TextDecoder, TextDecoderStream]) conform(constructor);

import { Buffer } from 'node:buffer';
import { type Codec, type Format, FORMATS } from './compression-formats.js';
import { conform, illegalInvocation, requireArguments, toDomString } from './interface.js';

function bytesOf(chunk: unknown): Uint8Array {
  if (ArrayBuffer.isView(chunk) && chunk.buffer instanceof ArrayBuffer)
    return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  if (chunk instanceof ArrayBuffer) return new Uint8Array(chunk);
  throw new TypeError('The chunk is neither an ArrayBuffer nor a view of one');
}

/**
 * A transform through one of zlib's codecs, which stays out of reach.
 *
 * @param strict input that goes on after its end is an error (Compression, 6)
 */
function transformBy(codec: Codec, strict: boolean): TransformStream<unknown, Uint8Array> {
  let failed: TypeError | undefined;
  let ended = false;
  const settle: (() => void)[] = [];
  const wake = (): void => settle.splice(0).forEach((resolve) => resolve());
  codec.on('error', (error: Error) => {
    failed = new TypeError(error.message);
    wake();
  });
  codec.on('end', () => {
    ended = true;
    wake();
  });
  const check = (): void => {
    if (failed !== undefined) throw failed;
  };
  const trailing = (): void => {
    if (!strict || failed !== undefined) return;
    if (given === 0) failed = new TypeError('The compressed data is empty');
    if (codec.bytesWritten < given) failed = new TypeError('Data after the end of the compressed data');
  };
  let given = 0;
  return new TransformStream<unknown, Uint8Array>({
    start(controller) {
      codec.on('data', (chunk: Buffer) => {
        try {
          controller.enqueue(new Uint8Array(chunk));
        } catch {
          // Nobody reads any more: the stream was cancelled or has failed.
          codec.destroy();
        }
      });
    },
    async transform(chunk) {
      const bytes = bytesOf(chunk);
      check();
      if (ended && bytes.byteLength > 0) throw new TypeError('Data after the end of the compressed data');
      given += bytes.byteLength;
      await new Promise<void>((resolve) => {
        settle.push(resolve);
        codec.write(bytes, () => resolve());
      });
      check();
    },
    async flush() {
      if (!ended && failed === undefined) {
        await new Promise<void>((resolve) => {
          settle.push(resolve);
          codec.end();
        });
      }
      trailing();
      check();
    },
  });
}

const pairs = new WeakMap<object, TransformStream<unknown, Uint8Array>>();

function pairOf(stream: object): TransformStream<unknown, Uint8Array> {
  return pairs.get(stream) ?? illegalInvocation();
}

function formatOf(name: string, args: readonly unknown[]): Format {
  requireArguments(name, 1, args.length);
  const format = toDomString(args[0]);
  const known = FORMATS.get(format);
  if (known === undefined) throw new TypeError(`${name}: "${format}" is no format`);
  return known;
}

/** Compression, 4. Node's own class shows its codec, and Node's Buffer with it. */
export class CompressionStream {
  constructor(...args: unknown[]) {
    pairs.set(this, transformBy(formatOf('CompressionStream', args).compressor(), false));
  }

  get readable(): ReadableStream<Uint8Array> {
    return pairOf(this).readable;
  }

  get writable(): WritableStream {
    return pairOf(this).writable;
  }
}

/** Compression, 5. */
export class DecompressionStream {
  constructor(...args: unknown[]) {
    pairs.set(this, transformBy(formatOf('DecompressionStream', args).decompressor(), true));
  }

  get readable(): ReadableStream<Uint8Array> {
    return pairOf(this).readable;
  }

  get writable(): WritableStream {
    return pairOf(this).writable;
  }
}
for (const constructor of [CompressionStream, DecompressionStream]) {
  Object.defineProperty(constructor, 'length', { value: 1, configurable: true });
  conform(constructor);
}

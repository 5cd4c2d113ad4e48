/** The formats of CompressionStream and DecompressionStream (Compression, 4), by what makes their codec. */
import {
  createBrotliCompress,
  createBrotliDecompress,
  createDeflate,
  createDeflateRaw,
  createGunzip,
  createGzip,
  createInflate,
  createInflateRaw,
} from 'node:zlib';

export type Codec = ReturnType<typeof createGzip> | ReturnType<typeof createBrotliCompress>;

/** Both directions of one format. */
export interface Format {
  readonly compressor: () => Codec;
  readonly decompressor: () => Codec;
}

export const FORMATS: ReadonlyMap<string, Format> = new Map<string, Format>([
  ['brotli', { compressor: createBrotliCompress, decompressor: createBrotliDecompress }],
  ['deflate', { compressor: createDeflate, decompressor: createInflate }],
  ['deflate-raw', { compressor: createDeflateRaw, decompressor: createInflateRaw }],
  ['gzip', { compressor: createGzip, decompressor: createGunzip }],
]);

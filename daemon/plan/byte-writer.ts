/** Appends little-endian integers, strings and string vectors as native-shim/plan/plan.h lays them out. */
export class ByteWriter {
  #buffer: Buffer;
  #length = 0;

  constructor(capacity = 256) {
    this.#buffer = Buffer.allocUnsafe(capacity);
  }

  get length(): number {
    return this.#length;
  }

  u16(value: number): this {
    const at = this.#reserve(2);
    this.#buffer.writeUInt16LE(value, at);
    return this;
  }

  u32(value: number): this {
    const at = this.#reserve(4);
    this.#buffer.writeUInt32LE(value, at);
    return this;
  }

  i32(value: number): this {
    const at = this.#reserve(4);
    this.#buffer.writeInt32LE(value, at);
    return this;
  }

  u64(value: bigint | number): this {
    const at = this.#reserve(8);
    this.#buffer.writeBigUInt64LE(BigInt(value), at);
    return this;
  }

  /** `u32 length, bytes, NUL`. Text must hold no NUL: the executor uses it in place as a C string. */
  str(value: string | Buffer): this {
    const bytes = typeof value === 'string' ? Buffer.byteLength(value) : value.length;
    if (typeof value === 'string' && value.includes('\0')) {
      throw new RangeError(`a string of a plan holds a NUL byte: ${JSON.stringify(value)}`);
    }
    this.u32(bytes);
    const at = this.#reserve(bytes + 1);
    if (typeof value === 'string') this.#buffer.write(value, at);
    else value.copy(this.#buffer, at);
    this.#buffer[at + bytes] = 0;
    return this;
  }

  strv(values: readonly string[]): this {
    this.u32(values.length);
    for (const value of values) this.str(value);
    return this;
  }

  /** Overwrites four bytes written before. */
  patchU32(offset: number, value: number): void {
    this.#buffer.writeUInt32LE(value, offset);
  }

  /** A copy of what was written. */
  toBuffer(): Buffer {
    return Buffer.from(this.#buffer.subarray(0, this.#length));
  }

  #reserve(bytes: number): number {
    const at = this.#length;
    const needed = at + bytes;
    if (needed > this.#buffer.length) {
      const grown = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2));
      this.#buffer.copy(grown, 0, 0, at);
      this.#buffer = grown;
    }
    this.#length = needed;
    return at;
  }
}

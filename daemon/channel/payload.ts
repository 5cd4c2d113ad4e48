/** Reads the fields of a frame's payload in order; a short payload is an error, never a default. */
export class PayloadReader {
  readonly #payload: Buffer;
  #offset = 0;

  constructor(payload: Buffer) {
    this.#payload = payload;
  }

  u32(): number {
    const value = this.#payload.readUInt32LE(this.#offset);
    this.#offset += 4;
    return value;
  }

  i32(): number {
    const value = this.#payload.readInt32LE(this.#offset);
    this.#offset += 4;
    return value;
  }

  u64(): bigint {
    const value = this.#payload.readBigUInt64LE(this.#offset);
    this.#offset += 8;
    return value;
  }

  /** `u32 length, bytes`. */
  str(): string {
    const length = this.u32();
    if (this.#offset + length > this.#payload.length) throw new RangeError('a string runs past its frame');
    const value = this.#payload.toString('utf8', this.#offset, this.#offset + length);
    this.#offset += length;
    return value;
  }

  strings(): string[] {
    const count = this.u32();
    // Before anything of that size is allocated: each string has a length of four bytes at least.
    if (count > (this.#payload.length - this.#offset) / 4) throw new RangeError('a list runs past its frame');
    return Array.from({ length: count }, () => this.str());
  }
}

/** Builds a payload field by field. */
export class PayloadWriter {
  readonly #parts: Buffer[] = [];

  u32(value: number): this {
    const part = Buffer.allocUnsafe(4);
    part.writeUInt32LE(value);
    this.#parts.push(part);
    return this;
  }

  i32(value: number): this {
    const part = Buffer.allocUnsafe(4);
    part.writeInt32LE(value);
    this.#parts.push(part);
    return this;
  }

  u64(value: bigint): this {
    const part = Buffer.allocUnsafe(8);
    part.writeBigUInt64LE(value);
    this.#parts.push(part);
    return this;
  }

  str(value: string): this {
    const bytes = Buffer.from(value);
    this.u32(bytes.length);
    this.#parts.push(bytes);
    return this;
  }

  finish(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

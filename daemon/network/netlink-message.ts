/** Messages of rtnetlink(7), as bytes. Integers are of the machine's order: little-endian on every architecture that turf is for. */

const HEADER = 16;
const ATTRIBUTE_HEADER = 4;
/** NLA_F_NESTED and NLA_F_NET_BYTEORDER are no part of the type. */
const TYPE_MASK = 0x3fff;

export interface NetlinkMessage {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  /** What follows the header. */
  readonly body: Buffer;
}

export type Attribute = readonly [type: number, value: Buffer];

/** A request: header, fixed part, attributes. */
export function encodeMessage(
  type: number,
  flags: number,
  sequence: number,
  fixed: Buffer,
  attributes: readonly Attribute[] = [],
): Buffer {
  const parts = [fixed, ...attributes.map(encodeAttribute)];
  const header = Buffer.alloc(HEADER);
  header.writeUInt32LE(HEADER + parts.reduce((sum, part) => sum + part.length, 0), 0);
  header.writeUInt16LE(type, 4);
  header.writeUInt16LE(flags, 6);
  header.writeUInt32LE(sequence, 8);
  return Buffer.concat([header, ...parts]);
}

function encodeAttribute([type, value]: Attribute): Buffer {
  const bytes = Buffer.alloc(align(ATTRIBUTE_HEADER + value.length));
  bytes.writeUInt16LE(ATTRIBUTE_HEADER + value.length, 0);
  bytes.writeUInt16LE(type, 2);
  value.copy(bytes, ATTRIBUTE_HEADER);
  return bytes;
}

/** The messages of one datagram. @throws RangeError where a length does not fit */
export function decodeMessages(datagram: Buffer): NetlinkMessage[] {
  const messages: NetlinkMessage[] = [];
  for (let at = 0; at + HEADER <= datagram.length;) {
    const length = datagram.readUInt32LE(at);
    if (length < HEADER || at + length > datagram.length) throw new RangeError('malformed netlink message');
    messages.push({
      type: datagram.readUInt16LE(at + 4),
      flags: datagram.readUInt16LE(at + 6),
      sequence: datagram.readUInt32LE(at + 8),
      body: datagram.subarray(at + HEADER, at + length),
    });
    at += align(length);
  }
  return messages;
}

/** Attributes from `offset` on, by type; of a repeated one the last. @throws RangeError where a length does not fit */
export function decodeAttributes(body: Buffer, offset: number): Map<number, Buffer> {
  const attributes = new Map<number, Buffer>();
  for (let at = offset; at + ATTRIBUTE_HEADER <= body.length;) {
    const length = body.readUInt16LE(at);
    if (length < ATTRIBUTE_HEADER || at + length > body.length)
      throw new RangeError('malformed netlink attribute');
    attributes.set(body.readUInt16LE(at + 2) & TYPE_MASK, body.subarray(at + ATTRIBUTE_HEADER, at + length));
    at += align(length);
  }
  return attributes;
}

/** A NUL-terminated string attribute. */
export function textAttribute(type: number, text: string): Attribute {
  return [type, Buffer.from(`${text}\0`)];
}

export function numberAttribute(type: number, number: number): Attribute {
  const value = Buffer.alloc(4);
  value.writeUInt32LE(number);
  return [type, value];
}

export function textOf(value: Buffer | undefined): string {
  return value === undefined ? '' : value.toString().replace(/\0.*$/s, '');
}

function align(length: number): number {
  return (length + 3) & ~3;
}

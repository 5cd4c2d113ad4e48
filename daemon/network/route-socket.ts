import { closeSync } from 'node:fs';
import { type Kernel } from '../../native-shim/kernel.js';
import { kernelError } from '../../native-shim/libturf.js';
import {
  type Attribute,
  decodeAttributes,
  decodeMessages,
  encodeMessage,
  type NetlinkMessage,
  numberAttribute,
  textAttribute,
  textOf,
} from './netlink-message.js';

/** linux/netlink.h, linux/rtnetlink.h */
const NLMSG = { ERROR: 2, DONE: 3 } as const;
const FLAG = { REQUEST: 0x1, ACK: 0x4, EXCL: 0x200, DUMP: 0x300, CREATE: 0x400 } as const;
const RTM = { NEWLINK: 16, GETLINK: 18, NEWADDR: 20, GETADDR: 22 } as const;
/** linux/if_link.h */
const IFLA = { IFNAME: 3, NET_NS_FD: 28 } as const;
/** linux/if_addr.h */
const IFA = { LABEL: 3, FLAGS: 8, CACHEINFO: 6 } as const;
const IFF_UP = 0x1;
const LINK_LENGTH = 16;
const ADDRESS_LENGTH = 8;
const ENODEV = 19;
const DATAGRAM = 64 << 10;

export interface Link {
  readonly index: number;
  readonly name: string;
  readonly up: boolean;
}

/** An address of a device (ifaddrmsg), as the kernel said it. */
export interface LinkAddress {
  readonly family: number;
  readonly prefixLength: number;
  /** RT_SCOPE_*: 0 is the universe. */
  readonly scope: number;
  /** IFA_F_*. */
  readonly flags: number;
  readonly attributes: ReadonlyMap<number, Buffer>;
}

/** rtnetlink(7) in one network namespace, as far as devices and their addresses go. Every method throws a KernelError. */
export class RouteSocket {
  readonly #kernel: Kernel;
  readonly #fd: number;
  #sequence = 0;

  /** @param namespace a network namespace; absent: the daemon's */
  constructor(kernel: Kernel, namespace?: number) {
    this.#kernel = kernel;
    this.#fd = kernel.routeSocket(namespace);
  }

  close(): void {
    closeSync(this.#fd);
  }

  /** The device of that name; undefined where there is none. */
  link(name: string): Link | undefined {
    try {
      const [message] = this.#request(`look up ${name}`, RTM.GETLINK, FLAG.REQUEST, linkHeader(0), [
        textAttribute(IFLA.IFNAME, name),
      ]);
      return message === undefined ? undefined : decodeLink(message);
    } catch (error) {
      if (error instanceof Error && 'errno' in error && error.errno === ENODEV) return undefined;
      throw error;
    }
  }

  links(): Link[] {
    const flags = FLAG.REQUEST | FLAG.DUMP;
    return this.#request('list devices', RTM.GETLINK, flags, linkHeader(0)).map(decodeLink);
  }

  addresses(index: number): LinkAddress[] {
    const flags = FLAG.REQUEST | FLAG.DUMP;
    const fixed = Buffer.alloc(ADDRESS_LENGTH);
    fixed.writeUInt32LE(index, 4);
    return this.#request(`list addresses of device ${index}`, RTM.GETADDR, flags, fixed)
      .filter(({ body }) => body.readUInt32LE(4) === index)
      .map(decodeAddress);
  }

  /** Moves a device into another network namespace and names it there; `%d` in the name is a number of the kernel's choice. */
  moveLink({ index, name: from }: Link, namespace: number, name: string): void {
    this.#request(`move ${from}`, RTM.NEWLINK, FLAG.REQUEST | FLAG.ACK, linkHeader(index), [
      numberAttribute(IFLA.NET_NS_FD, namespace),
      textAttribute(IFLA.IFNAME, name),
    ]);
  }

  setUp({ index, name }: Link): void {
    const fixed = linkHeader(index);
    fixed.writeUInt32LE(IFF_UP, 8);
    fixed.writeUInt32LE(IFF_UP, 12);
    this.#request(`bring up ${name}`, RTM.NEWLINK, FLAG.REQUEST | FLAG.ACK, fixed);
  }

  /** Adds an address as it was on another device or in another namespace; a label follows the device's name. */
  addAddress({ index, name }: Link, address: LinkAddress, oldName: string): void {
    const fixed = Buffer.from([
      address.family,
      address.prefixLength,
      address.flags & 0xff,
      address.scope,
      0,
      0,
      0,
      0,
    ]);
    fixed.writeUInt32LE(index, 4);
    const attributes: Attribute[] = [];
    for (const [type, value] of address.attributes) {
      if (type === IFA.LABEL) {
        const suffix = textOf(value).startsWith(`${oldName}:`) ? textOf(value).slice(oldName.length) : '';
        attributes.push(textAttribute(IFA.LABEL, `${name}${suffix}`));
      } else if (type !== IFA.CACHEINFO) attributes.push([type, value]);
    }
    const flags = FLAG.REQUEST | FLAG.ACK | FLAG.CREATE | FLAG.EXCL;
    this.#request(`add an address to ${name}`, RTM.NEWADDR, flags, fixed, attributes);
  }

  #request(
    operation: string,
    type: number,
    flags: number,
    fixed: Buffer,
    attributes: readonly Attribute[] = [],
  ): NetlinkMessage[] {
    const sequence = ++this.#sequence;
    this.#kernel.send(this.#fd, encodeMessage(type, flags, sequence, fixed, attributes), []);
    const answers: NetlinkMessage[] = [];
    for (;;) {
      const { data } = this.#kernel.receive(this.#fd, DATAGRAM);
      for (const message of decodeMessages(data)) {
        if (message.sequence !== sequence) continue;
        if (message.type === NLMSG.ERROR) {
          const error = message.body.readInt32LE(0);
          if (error !== 0) throw kernelError(operation, -error);
          return answers;
        }
        if (message.type === NLMSG.DONE) return answers;
        answers.push(message);
        if ((flags & (FLAG.DUMP | FLAG.ACK)) === 0) return answers;
      }
    }
  }
}

function linkHeader(index: number): Buffer {
  const fixed = Buffer.alloc(LINK_LENGTH);
  fixed.writeInt32LE(index, 4);
  return fixed;
}

function decodeLink({ body }: NetlinkMessage): Link {
  const name = textOf(decodeAttributes(body, LINK_LENGTH).get(IFLA.IFNAME));
  return { index: body.readInt32LE(4), name, up: (body.readUInt32LE(8) & IFF_UP) !== 0 };
}

function decodeAddress({ body }: NetlinkMessage): LinkAddress {
  const attributes = decodeAttributes(body, ADDRESS_LENGTH);
  return {
    family: body.readUInt8(0),
    prefixLength: body.readUInt8(1),
    // The attribute has all 32 bits, the header's field the first eight.
    flags: attributes.get(IFA.FLAGS)?.readUInt32LE(0) ?? body.readUInt8(2),
    scope: body.readUInt8(3),
    attributes,
  };
}

import { OP } from '../../../../daemon/plan/opcodes.js';

/**
 * Payload fields in order. u: u32, U: u64, i: fd index, s: string, b: bytes, v: string vector, p: pairs, g: list of u32.
 */
const LAYOUTS: Record<keyof typeof OP, readonly string[]> = {
  JOIN_NAMESPACE: ['i:ns', 'u:type'],
  ENTER_CGROUP: ['i:tasks'],
  UNSHARE: ['u:flags'],
  SYNC: ['u:tag'],
  BECOME_ROOT: [],
  HOSTNAME: ['s:name'],
  DOMAINNAME: ['s:name'],
  LOOPBACK_UP: [],
  PROPAGATION: ['U:propagation', 'u:recursive'],
  ROOTFS: ['s:path', 'i:tree', 'U:propagation'],
  MOUNT_FS: ['s:fstype', 's:source', 's:target', 'U:attrSet', 'U:propagation', 'u:flags', 'p:data'],
  MOUNT_BIND: [
    's:source',
    'i:tree',
    's:target',
    'U:attrSet',
    'U:attrClear',
    'U:attrSetRecursive',
    'U:attrClearRecursive',
    'U:propagation',
    'u:flags',
  ],
  RECONFIGURE: ['s:target', 'p:options'],
  MOUNT_SETATTR: ['s:target', 'U:attrSet', 'U:attrClear', 'U:propagation', 'u:recursive'],
  MKNOD: ['s:path', 'u:mode', 'u:major', 'u:minor', 'u:uid', 'u:gid'],
  SYMLINK: ['s:target', 's:path'],
  CONSOLE: ['i:socket', 'u:rows', 'u:columns', 'u:uid', 'u:flags'],
  HOOK: ['s:path', 'v:args', 'v:env', 'u:timeout', 's:stateJson', 's:phase'],
  PIVOT_ROOT: ['u:mode'],
  MASK_PATH: ['s:path'],
  READONLY_PATH: ['s:path'],
  SYSCTL: ['s:path', 's:value'],
  RLIMIT: ['u:resource', 'U:soft', 'U:hard'],
  WRITE_PROC_SELF: ['s:path', 's:value'],
  DROP_BOUNDING: ['U:keep'],
  USER: ['u:uid', 'u:gid', 'u:setGroups', 'g:groups'],
  CAPABILITIES: ['U:effective', 'U:permitted', 'U:inheritable', 'U:ambient'],
  NO_NEW_PRIVS: [],
  SECCOMP: ['u:flags', 'i:listener', 'b:bpf'],
  UMASK: ['u:mask'],
  SETSID: [],
  CHDIR: ['s:path', 'u:create'],
  FIND_PROGRAM: ['s:name', 's:path'],
  WAIT_START: ['i:socket'],
  EXEC: ['v:argv', 'v:env'],
  CLOSE_FDS: ['u:keep'],
  STDIO: ['i:stdin', 'i:stdout', 'i:stderr'],
  PERSONALITY: ['U:persona'],
  TMPFS_COPY_UP: [],
  ADOPT_FD: ['i:fd', 'u:number'],
  SESSION_KEYRING: ['s:name'],
  SCHEDULER: ['u:policy', 'U:flags', 'i:nice', 'u:priority', 'U:runtime', 'U:deadline', 'U:period'],
  IO_PRIORITY: ['u:priority'],
  MEMORY_POLICY: ['u:mode', 'b:nodes'],
  TIME_NAMESPACE: ['s:offsets'],
  SECCOMP_STATE: ['s:state'],
  SPAWN: ['u:terminal'],
  CPU_AFFINITY: ['b:mask'],
  STAND_IN: ['i:socket'],
  BORROW_MOUNTS: ['u:back'],
};

export interface DecodedOp {
  readonly op: string;
  /** Integers are numbers where they fit, else bigints. */
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface DecodedPlan {
  readonly magic: number;
  readonly version: number;
  readonly fdCount: number;
  readonly ops: readonly DecodedOp[];
}

class Reader {
  constructor(
    private readonly bytes: Buffer,
    private at = 0,
  ) {}

  get position(): number {
    return this.at;
  }

  u16(): number {
    this.at += 2;
    return this.bytes.readUInt16LE(this.at - 2);
  }

  u32(): number {
    this.at += 4;
    return this.bytes.readUInt32LE(this.at - 4);
  }

  i32(): number {
    this.at += 4;
    return this.bytes.readInt32LE(this.at - 4);
  }

  u64(): number | bigint {
    this.at += 8;
    const value = this.bytes.readBigUInt64LE(this.at - 8);
    return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
  }

  raw(): Buffer {
    const length = this.u32();
    this.at += length + 1;
    if (this.bytes.readUInt8(this.at - 1) !== 0) throw new Error(`no NUL at ${this.at - 1}`);
    return this.bytes.subarray(this.at - 1 - length, this.at - 1);
  }

  list<T>(read: () => T): T[] {
    return Array.from({ length: this.u32() }, read);
  }

  field(kind: string): unknown {
    const str = (): string => this.raw().toString();
    switch (kind) {
      case 'u':
        return this.u32();
      case 'U':
        return this.u64();
      case 'i':
        return this.i32();
      case 's':
        return str();
      case 'b':
        return this.raw();
      case 'v':
        return this.list(str);
      case 'p':
        return this.list(() => [str(), str()]);
      case 'g':
        return this.list(() => this.u32());
      default:
        throw new Error(`unknown field kind ${kind}`);
    }
  }
}

/** Reads a plan back; throws where lengths do not add up. */
export function decodePlan(bytes: Buffer): DecodedPlan {
  const reader = new Reader(bytes);
  const [magic, version, total, opCount, fdCount] = [
    reader.u32(),
    reader.u32(),
    reader.u32(),
    reader.u32(),
    reader.u32(),
  ];
  if (total !== bytes.length) throw new Error(`total length ${total}, but ${bytes.length} bytes`);
  const ops = Array.from({ length: opCount }, () => decodeOp(reader));
  if (reader.position !== bytes.length) throw new Error('bytes after the last operation');
  return { magic, version, fdCount, ops };
}

function decodeOp(reader: Reader): DecodedOp {
  const opcode = reader.u16();
  if (reader.u16() !== 0) throw new Error('reserved bits are set');
  const length = reader.u32();
  const end = reader.position + length;
  const name = (Object.keys(OP) as (keyof typeof OP)[]).find((key) => OP[key] === opcode);
  if (name === undefined) throw new Error(`unknown opcode ${opcode}`);
  const fields: Record<string, unknown> = {};
  for (const field of LAYOUTS[name]) {
    const [kind = '', key = ''] = field.split(':');
    fields[key] = reader.field(kind);
  }
  if (reader.position !== end) throw new Error(`${name} ends at ${reader.position}, its length says ${end}`);
  return { op: name, fields };
}

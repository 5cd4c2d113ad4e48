import { TurfError } from '../../cli/turf-error.js';
import { ByteWriter } from './byte-writer.js';
import type {
  CapabilitySets,
  ConsoleOp,
  FdIndex,
  HookOp,
  MknodOp,
  MountBindOp,
  MountFsOp,
  MountSetattrOp,
  UserOp,
} from './op-fields.js';
import { OP, PLAN_MAGIC, PLAN_MAX_FDS, PLAN_VERSION } from './opcodes.js';

const HEADER_LENGTH = 20;

/** Who closes a descriptor of the plan once the plan was handed over (or given up). */
export type FdOwner = 'plan' | 'caller';

export interface EncodedPlan {
  readonly bytes: Buffer;
  /** Descriptors in index order; they travel with the plan. */
  readonly fds: number[];
  /** Those of `fds` that were given away to the plan: whoever launches it closes them afterwards. */
  readonly ownedFds: number[];
  /** Per operation, the field of config.json that asked for it. */
  readonly labels: string[];
}

/**
 * Writes the binary plan of native-shim/plan/plan.h, one method per operation, in the order of execution.
 *
 * Every method takes the label of the operation: the path of the config field that asked for it. Labels stay in the
 * daemon; they turn the operation index of an executor's error back into that field.
 */
export class PlanBuilder {
  readonly #writer = new ByteWriter(8192);
  readonly #fds: number[] = [];
  readonly #owned: number[] = [];
  readonly #labels: string[] = [];

  constructor() {
    this.#writer.u32(PLAN_MAGIC).u32(PLAN_VERSION).u32(0).u32(0).u32(0);
  }

  /** Number of operations so far. */
  get length(): number {
    return this.#labels.length;
  }

  /** Adds a descriptor (once: the same number gives the same index) and returns its index in the plan. */
  addFd(fd: number, owner: FdOwner = 'caller'): FdIndex {
    const known = this.#fds.indexOf(fd);
    if (owner === 'plan' && !this.#owned.includes(fd)) this.#owned.push(fd);
    if (known !== -1) return known;
    if (this.#fds.length === PLAN_MAX_FDS) {
      throw new TurfError('TURF_ERR_CONFIG', `a launch plan carries at most ${PLAN_MAX_FDS} descriptors`);
    }
    this.#fds.push(fd);
    return this.#fds.length - 1;
  }

  joinNamespace(label: string, ns: FdIndex, type: number): this {
    return this.#op(OP.JOIN_NAMESPACE, label, (w) => w.i32(this.#fd(ns)).u32(type));
  }

  enterCgroup(label: string, tasks: FdIndex): this {
    return this.#op(OP.ENTER_CGROUP, label, (w) => w.i32(this.#fd(tasks)));
  }

  unshare(label: string, flags: number): this {
    return this.#op(OP.UNSHARE, label, (w) => w.u32(flags));
  }

  sync(label: string, tag: number): this {
    return this.#op(OP.SYNC, label, (w) => w.u32(tag));
  }

  becomeRoot(label: string): this {
    return this.#op(OP.BECOME_ROOT, label);
  }

  hostname(label: string, name: string): this {
    return this.#op(OP.HOSTNAME, label, (w) => w.str(name));
  }

  domainname(label: string, name: string): this {
    return this.#op(OP.DOMAINNAME, label, (w) => w.str(name));
  }

  loopbackUp(label: string): this {
    return this.#op(OP.LOOPBACK_UP, label);
  }

  propagation(label: string, propagation: number, recursive: boolean): this {
    return this.#op(OP.PROPAGATION, label, (w) => w.u64(propagation).u32(Number(recursive)));
  }

  rootfs(label: string, path: string, tree: FdIndex, propagation: number): this {
    return this.#op(OP.ROOTFS, label, (w) => w.str(path).i32(this.#fd(tree)).u64(propagation));
  }

  mountFs(label: string, mount: MountFsOp): this {
    return this.#op(OP.MOUNT_FS, label, (w) => {
      w.str(mount.fstype).str(mount.source).str(mount.target);
      w.u64(mount.attrSet ?? 0)
        .u64(mount.propagation ?? 0)
        .u32(mount.flags ?? 0);
      const data = mount.data ?? [];
      w.u32(data.length);
      for (const [key, value] of data) w.str(key).str(value);
    });
  }

  mountBind(label: string, bind: MountBindOp): this {
    return this.#op(OP.MOUNT_BIND, label, (w) => {
      w.str(bind.source ?? '')
        .i32(this.#fd(bind.tree ?? -1))
        .str(bind.target);
      w.u64(bind.attrSet ?? 0).u64(bind.attrClear ?? 0);
      w.u64(bind.attrSetRecursive ?? 0).u64(bind.attrClearRecursive ?? 0);
      w.u64(bind.propagation ?? 0).u32(bind.flags ?? 0);
    });
  }

  mountSetattr(label: string, change: MountSetattrOp): this {
    return this.#op(OP.MOUNT_SETATTR, label, (w) => {
      w.str(change.target)
        .u64(change.attrSet ?? 0)
        .u64(change.attrClear ?? 0);
      w.u64(change.propagation ?? 0).u32(Number(change.recursive ?? false));
    });
  }

  mknod(label: string, node: MknodOp): this {
    return this.#op(OP.MKNOD, label, (w) => {
      w.str(node.path).u32(node.mode).u32(node.major).u32(node.minor).u32(node.uid).u32(node.gid);
    });
  }

  symlink(label: string, target: string, path: string): this {
    return this.#op(OP.SYMLINK, label, (w) => w.str(target).str(path));
  }

  console(label: string, console: ConsoleOp): this {
    return this.#op(OP.CONSOLE, label, (w) => {
      w.i32(this.#fd(console.socket)).u32(console.rows).u32(console.columns);
      w.u32(console.uid).u32(Number(console.bindDevConsole));
    });
  }

  hook(label: string, hook: HookOp): this {
    return this.#op(OP.HOOK, label, (w) => {
      w.str(hook.path).strv(hook.args).strv(hook.env).u32(hook.timeout).str(hook.stateJson).str(hook.phase);
    });
  }

  pivotRoot(label: string, mode: number): this {
    return this.#op(OP.PIVOT_ROOT, label, (w) => w.u32(mode));
  }

  borrowMounts(label: string, back: boolean): this {
    return this.#op(OP.BORROW_MOUNTS, label, (w) => w.u32(back ? 1 : 0));
  }

  maskPath(label: string, path: string): this {
    return this.#op(OP.MASK_PATH, label, (w) => w.str(path));
  }

  readonlyPath(label: string, path: string): this {
    return this.#op(OP.READONLY_PATH, label, (w) => w.str(path));
  }

  sysctl(label: string, path: string, value: string): this {
    return this.#op(OP.SYSCTL, label, (w) => w.str(path).str(value));
  }

  rlimit(label: string, resource: number, soft: bigint, hard: bigint): this {
    return this.#op(OP.RLIMIT, label, (w) => w.u32(resource).u64(soft).u64(hard));
  }

  writeProcSelf(label: string, path: string, value: string): this {
    return this.#op(OP.WRITE_PROC_SELF, label, (w) => w.str(path).str(value));
  }

  dropBounding(label: string, keep: bigint): this {
    return this.#op(OP.DROP_BOUNDING, label, (w) => w.u64(keep));
  }

  user(label: string, user: UserOp): this {
    return this.#op(OP.USER, label, (w) => {
      const groups = user.groups ?? [];
      w.u32(user.uid)
        .u32(user.gid)
        .u32(Number(user.groups !== undefined))
        .u32(groups.length);
      for (const gid of groups) w.u32(gid);
    });
  }

  capabilities(label: string, sets: CapabilitySets): this {
    return this.#op(OP.CAPABILITIES, label, (w) => {
      w.u64(sets.effective).u64(sets.permitted).u64(sets.inheritable).u64(sets.ambient);
    });
  }

  noNewPrivs(label: string): this {
    return this.#op(OP.NO_NEW_PRIVS, label);
  }

  seccomp(label: string, flags: number, bpf: Buffer, listener: FdIndex = -1): this {
    return this.#op(OP.SECCOMP, label, (w) => w.u32(flags).i32(this.#fd(listener)).str(bpf));
  }

  umask(label: string, mask: number): this {
    return this.#op(OP.UMASK, label, (w) => w.u32(mask));
  }

  setsid(label: string): this {
    return this.#op(OP.SETSID, label);
  }

  chdir(label: string, path: string, create: boolean): this {
    return this.#op(OP.CHDIR, label, (w) => w.str(path).u32(Number(create)));
  }

  findProgram(label: string, name: string, path: string): this {
    return this.#op(OP.FIND_PROGRAM, label, (w) => w.str(name).str(path));
  }

  waitStart(label: string, socket: FdIndex): this {
    return this.#op(OP.WAIT_START, label, (w) => w.i32(this.#fd(socket)));
  }

  exec(label: string, argv: readonly string[], env: readonly string[]): this {
    return this.#op(OP.EXEC, label, (w) => w.strv(argv).strv(env));
  }

  closeFds(label: string, keep: number): this {
    return this.#op(OP.CLOSE_FDS, label, (w) => w.u32(keep));
  }

  stdio(label: string, stdin: FdIndex, stdout: FdIndex, stderr: FdIndex): this {
    return this.#op(OP.STDIO, label, (w) =>
      w.i32(this.#fd(stdin)).i32(this.#fd(stdout)).i32(this.#fd(stderr)),
    );
  }

  sessionKeyring(label: string, name: string): this {
    return this.#op(OP.SESSION_KEYRING, label, (w) => w.str(name));
  }

  personality(label: string, persona: number): this {
    return this.#op(OP.PERSONALITY, label, (w) => w.u64(persona));
  }

  /** `number` is the descriptor's number in the program, 3 or more. */
  adoptFd(label: string, fd: FdIndex, number: number): this {
    if (number < 3) throw new RangeError(`descriptor ${number} cannot be adopted: 0 to 2 are stdio`);
    return this.#op(OP.ADOPT_FD, label, (w) => w.i32(this.#fd(fd)).u32(number));
  }

  /** The plan, with its header filled in. The builder is not used afterwards. */
  finish(): EncodedPlan {
    this.#writer.patchU32(8, this.#writer.length);
    this.#writer.patchU32(12, this.#labels.length);
    this.#writer.patchU32(HEADER_LENGTH - 4, this.#fds.length);
    return { bytes: this.#writer.toBuffer(), fds: this.#fds, ownedFds: this.#owned, labels: this.#labels };
  }

  #op(opcode: number, label: string, write?: (writer: ByteWriter) => unknown): this {
    const at = this.#writer.u16(opcode).u16(0).u32(0).length;
    try {
      write?.(this.#writer);
    } catch (cause) {
      if (!(cause instanceof RangeError)) throw cause;
      throw new TurfError('TURF_ERR_CONFIG', `${label}: ${cause.message}`, { path: label, cause });
    }
    this.#writer.patchU32(at - 4, this.#writer.length - at);
    this.#labels.push(label);
    return this;
  }

  #fd(index: FdIndex): FdIndex {
    if (!Number.isInteger(index) || index < -1 || index >= this.#fds.length) {
      throw new RangeError(`descriptor index ${index} is not in the plan`);
    }
    return index;
  }
}

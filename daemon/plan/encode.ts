import type {
  CapabilitySets,
  ConsoleOp,
  FdIndex,
  HookOp,
  MknodOp,
  MountBindOp,
  MountFsOp,
  MountSetattrOp,
  SchedulerOp,
  UserOp,
} from './op-fields.js';
import { CONSOLE_FLAG, OP } from './opcodes.js';
import { PlanWriter } from './plan-writer.js';

/**
 * Writes the binary plan of native-shim/plan/plan.h, one method per operation, in the order of execution.
 *
 * Every method takes the label of the operation: the path of the config field that asked for it. Labels stay in the
 * daemon; they turn the operation index of an executor's error back into that field.
 */
export class PlanBuilder extends PlanWriter {
  joinNamespace(label: string, ns: FdIndex, type: number): this {
    return this.op(OP.JOIN_NAMESPACE, label, (w) => w.i32(this.fd(ns)).u32(type));
  }

  enterCgroup(label: string, tasks: FdIndex): this {
    return this.op(OP.ENTER_CGROUP, label, (w) => w.i32(this.fd(tasks)));
  }

  unshare(label: string, flags: number): this {
    return this.op(OP.UNSHARE, label, (w) => w.u32(flags));
  }

  sync(label: string, tag: number): this {
    return this.op(OP.SYNC, label, (w) => w.u32(tag));
  }

  becomeRoot(label: string): this {
    return this.op(OP.BECOME_ROOT, label);
  }

  hostname(label: string, name: string): this {
    return this.op(OP.HOSTNAME, label, (w) => w.str(name));
  }

  domainname(label: string, name: string): this {
    return this.op(OP.DOMAINNAME, label, (w) => w.str(name));
  }

  loopbackUp(label: string): this {
    return this.op(OP.LOOPBACK_UP, label);
  }

  propagation(label: string, propagation: number, recursive: boolean): this {
    return this.op(OP.PROPAGATION, label, (w) => w.u64(propagation).u32(Number(recursive)));
  }

  rootfs(label: string, path: string, tree: FdIndex, propagation: number): this {
    return this.op(OP.ROOTFS, label, (w) => w.str(path).i32(this.fd(tree)).u64(propagation));
  }

  mountFs(label: string, mount: MountFsOp): this {
    return this.op(OP.MOUNT_FS, label, (w) => {
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
    return this.op(OP.MOUNT_BIND, label, (w) => {
      w.str(bind.source ?? '')
        .i32(this.fd(bind.tree ?? -1))
        .str(bind.target);
      w.u64(bind.attrSet ?? 0).u64(bind.attrClear ?? 0);
      w.u64(bind.attrSetRecursive ?? 0).u64(bind.attrClearRecursive ?? 0);
      w.u64(bind.propagation ?? 0).u32(bind.flags ?? 0);
    });
  }

  mountSetattr(label: string, change: MountSetattrOp): this {
    return this.op(OP.MOUNT_SETATTR, label, (w) => {
      w.str(change.target)
        .u64(change.attrSet ?? 0)
        .u64(change.attrClear ?? 0);
      w.u64(change.propagation ?? 0).u32(Number(change.recursive ?? false));
    });
  }

  /** Changes the file system that is mounted at a target; options as MountFsOp.data. */
  reconfigure(label: string, target: string, options: NonNullable<MountFsOp['data']>): this {
    return this.op(OP.RECONFIGURE, label, (w) => {
      w.str(target).u32(options.length);
      for (const [key, value] of options) w.str(key).str(value);
    });
  }

  mknod(label: string, node: MknodOp): this {
    return this.op(OP.MKNOD, label, (w) => {
      w.str(node.path).u32(node.mode).u32(node.major).u32(node.minor).u32(node.uid).u32(node.gid);
    });
  }

  symlink(label: string, target: string, path: string): this {
    return this.op(OP.SYMLINK, label, (w) => w.str(target).str(path));
  }

  console(label: string, console: ConsoleOp): this {
    return this.op(OP.CONSOLE, label, (w) => {
      w.i32(this.fd(console.socket)).u32(console.rows).u32(console.columns);
      w.u32(console.uid).u32(
        (console.bindDevConsole ? CONSOLE_FLAG.BIND : 0) | (console.later === true ? CONSOLE_FLAG.LATER : 0),
      );
    });
  }

  hook(label: string, hook: HookOp): this {
    return this.op(OP.HOOK, label, (w) => {
      w.str(hook.path).strv(hook.args).strv(hook.env).u32(hook.timeout).str(hook.stateJson).str(hook.phase);
    });
  }

  pivotRoot(label: string, mode: number): this {
    return this.op(OP.PIVOT_ROOT, label, (w) => w.u32(mode));
  }

  borrowMounts(label: string, back: boolean): this {
    return this.op(OP.BORROW_MOUNTS, label, (w) => w.u32(back ? 1 : 0));
  }

  maskPath(label: string, path: string): this {
    return this.op(OP.MASK_PATH, label, (w) => w.str(path));
  }

  readonlyPath(label: string, path: string): this {
    return this.op(OP.READONLY_PATH, label, (w) => w.str(path));
  }

  sysctl(label: string, path: string, value: string): this {
    return this.op(OP.SYSCTL, label, (w) => w.str(path).str(value));
  }

  rlimit(label: string, resource: number, soft: bigint, hard: bigint): this {
    return this.op(OP.RLIMIT, label, (w) => w.u32(resource).u64(soft).u64(hard));
  }

  writeProcSelf(label: string, path: string, value: string): this {
    return this.op(OP.WRITE_PROC_SELF, label, (w) => w.str(path).str(value));
  }

  dropBounding(label: string, keep: bigint): this {
    return this.op(OP.DROP_BOUNDING, label, (w) => w.u64(keep));
  }

  user(label: string, user: UserOp): this {
    return this.op(OP.USER, label, (w) => {
      const groups = user.groups ?? [];
      w.u32(user.uid)
        .u32(user.gid)
        .u32(Number(user.groups !== undefined))
        .u32(groups.length);
      for (const gid of groups) w.u32(gid);
    });
  }

  capabilities(label: string, sets: CapabilitySets): this {
    return this.op(OP.CAPABILITIES, label, (w) => {
      w.u64(sets.effective).u64(sets.permitted).u64(sets.inheritable).u64(sets.ambient);
    });
  }

  noNewPrivs(label: string): this {
    return this.op(OP.NO_NEW_PRIVS, label);
  }

  seccomp(label: string, flags: number, bpf: Buffer, listener: FdIndex = -1): this {
    return this.op(OP.SECCOMP, label, (w) => w.u32(flags).i32(this.fd(listener)).str(bpf));
  }

  seccompState(label: string, json: string): this {
    return this.op(OP.SECCOMP_STATE, label, (w) => w.str(json));
  }

  umask(label: string, mask: number): this {
    return this.op(OP.UMASK, label, (w) => w.u32(mask));
  }

  setsid(label: string): this {
    return this.op(OP.SETSID, label);
  }

  chdir(label: string, path: string, create: boolean): this {
    return this.op(OP.CHDIR, label, (w) => w.str(path).u32(Number(create)));
  }

  findProgram(label: string, name: string, path: string): this {
    return this.op(OP.FIND_PROGRAM, label, (w) => w.str(name).str(path));
  }

  waitStart(label: string, socket: FdIndex): this {
    return this.op(OP.WAIT_START, label, (w) => w.i32(this.fd(socket)));
  }

  exec(label: string, argv: readonly string[], env: readonly string[]): this {
    return this.op(OP.EXEC, label, (w) => w.strv(argv).strv(env));
  }

  closeFds(label: string, keep: number): this {
    return this.op(OP.CLOSE_FDS, label, (w) => w.u32(keep));
  }

  stdio(label: string, stdin: FdIndex, stdout: FdIndex, stderr: FdIndex): this {
    return this.op(OP.STDIO, label, (w) => w.i32(this.fd(stdin)).i32(this.fd(stdout)).i32(this.fd(stderr)));
  }

  sessionKeyring(label: string, name: string): this {
    return this.op(OP.SESSION_KEYRING, label, (w) => w.str(name));
  }

  spawn(label: string, terminal: boolean): this {
    return this.op(OP.SPAWN, label, (w) => w.u32(Number(terminal)));
  }

  /** `mask`: bit n of byte n/8 is CPU n. */
  cpuAffinity(label: string, mask: Buffer): this {
    return this.op(OP.CPU_AFFINITY, label, (w) => w.str(mask));
  }

  personality(label: string, persona: number): this {
    return this.op(OP.PERSONALITY, label, (w) => w.u64(persona));
  }

  /** `number` is the descriptor's number in the program, 3 or more. */
  adoptFd(label: string, fd: FdIndex, number: number): this {
    if (number < 3) throw new RangeError(`descriptor ${number} cannot be adopted: 0 to 2 are stdio`);
    return this.op(OP.ADOPT_FD, label, (w) => w.i32(this.fd(fd)).u32(number));
  }

  /** The process becomes a stand-in, which this descriptor connects to the daemon. */
  standIn(label: string, socket: FdIndex): this {
    return this.op(OP.STAND_IN, label, (w) => w.i32(this.fd(socket)));
  }

  scheduler(label: string, scheduler: SchedulerOp): this {
    return this.op(OP.SCHEDULER, label, (w) => {
      w.u32(scheduler.policy).u64(scheduler.flags).i32(scheduler.nice).u32(scheduler.priority);
      w.u64(scheduler.runtime).u64(scheduler.deadline).u64(scheduler.period);
    });
  }

  ioPriority(label: string, priority: number): this {
    return this.op(OP.IO_PRIORITY, label, (w) => w.u32(priority));
  }

  memoryPolicy(label: string, mode: number, nodes: Buffer): this {
    return this.op(OP.MEMORY_POLICY, label, (w) => w.u32(mode).str(nodes));
  }

  timeNamespace(label: string, offsets: string): this {
    return this.op(OP.TIME_NAMESPACE, label, (w) => w.str(offsets));
  }
}

/**
 * The kernel operations that the daemon needs and Node does not offer, in our words. `libturf.ts` implements them; a test may
 * put a recording fake in their place. Every descriptor returned is close-on-exec and owned by the caller. Every
 * method throws a KernelError.
 */
export interface Kernel {
  /** A connected pair of stream sockets (socketpair(2)). */
  socketpair(): [number, number];
  /** A pipe (pipe2(2)): the end to read from, the end to write to. */
  pipe(): [number, number];
  /**
   * Sends `data` whole, with `fds` attached to its first byte (unix(7), SCM_RIGHTS). At most 253 descriptors. Waits at most
   * five seconds where a non-blocking socket is full.
   */
  send(fd: number, data: Uint8Array, fds: readonly number[]): void;
  /** One recvmsg(2) with at most `limit` bytes; `data` is empty at the end of input. */
  receive(fd: number, limit: number): { data: Buffer; fds: number[] };
  /** A sealed memfd (memfd_create(2)) with that content; nobody can write, grow or shrink it again. */
  sealedMemfd(name: string, data: Uint8Array): number;
  pidfdOpen(pid: number): number;
  pidfdSendSignal(pidfd: number, signal: number): void;
  /** Credentials of the process that connected (SO_PEERCRED). */
  peerCredentials(fd: number): { pid: number; uid: number; gid: number };
  /** Binds a listening AF_UNIX stream socket; an existing socket file is replaced. Long paths are allowed. */
  listenUnix(path: string, mode: number): number;
  /** Connects to an AF_UNIX stream socket. Long paths are allowed. */
  connectUnix(path: string): number;
  /** Binds a listening TCP socket on a numeric IPv4 or IPv6 address; port 0 takes a free one. */
  listenTcp(address: string, port: number): { fd: number; port: number };
  /** open_tree(2); `clone` makes a detached copy of the mount (OPEN_TREE_CLONE). Kernel 5.2. */
  openTree(path: string, options: { clone: boolean; recursive: boolean }): number;
  /** Opens a path below a root that a container controls: no symlink leads out of it (openat2(2), RESOLVE_IN_ROOT). */
  openInRoot(root: string, path: string, flags: number): number;
  /** mount_setattr(2) on the mount that `fd` refers to. Kernel 5.12. */
  mountSetattr(fd: number, set: number, clear: number, recursive: boolean): void;
  /** fsopen(2), fsconfig(2), fsmount(2): a detached mount of a new file system. Kernel 5.2. */
  newMount(fstype: string, options: Readonly<Record<string, string>>, attributes: number): number;
  /** A user namespace with these lines of uid_map and gid_map (user_namespaces(7)) and nobody in it. */
  mappedUserNamespace(uidMap: string, gidMap: string): number;
  /**
   * Writes uid_map and gid_map of a process's user namespace from its parent namespace (user_namespaces(7)).
   *
   * @param parent descriptor of the parent; the kernel refuses any other
   * @param uidMap lines whose second number is an id of the parent
   */
  mapNestedUserNamespace(parent: number, pid: number, uidMap: string, gidMap: string): void;
  /** mount_setattr(2), MOUNT_ATTR_IDMAP: shows a detached mount with the ids that the namespace maps to. Kernel 5.12. */
  idmapMount(tree: number, userNamespace: number, recursive: boolean): void;
  /** A socket of rtnetlink(7) in a network namespace; without one in the daemon's. Receiving waits at most five seconds. */
  routeSocket(networkNamespace?: number): number;
  /** mknodat(2); `mode` includes the type bits. */
  mknodAt(directory: number, name: string, mode: number, major: number, minor: number): void;
}

/** A failed kernel call: errno by name, and what was being done. */
export class KernelError extends Error {
  override readonly name = 'KernelError';

  constructor(
    readonly operation: string,
    readonly errno: number,
    readonly code: string,
    text: string,
  ) {
    super(`${operation}: ${text}`);
  }
}

import { fileURLToPath } from 'node:url';
import koffi from 'koffi';
import { errnoNames } from './errno.js';
import { type Kernel, KernelError } from './kernel.js';

const ABI_VERSION = 1;
const MAX_SCM_FDS = 253;

/** Path of the shared library: beside this file's compiled place, `dist/native/libturf.so`. */
export const LIBTURF_PATH = fileURLToPath(new URL('../native/libturf.so', import.meta.url));

/** Turns -errno into a KernelError; any other value is returned. */
export function checkResult(operation: string, result: number): number {
  if (result >= 0) return result;
  throw kernelError(operation, -result);
}

/** The error for a positive errno, with the kernel's own short text. */
export function kernelError(operation: string, errno: number): KernelError {
  const [code, text] = errnoNames(errno);
  return new KernelError(operation, errno, code, text);
}

/**
 * Loads `libturf.so` and binds the kernel operations of the daemon.
 *
 * @param path the library; default: where the build puts it
 * @throws Error if the library is missing or of another version than this code
 */
export function loadKernel(path: string = LIBTURF_PATH): Kernel {
  const lib = koffi.load(path);
  const abi: number = Number(lib.func('int turf_abi_version()')());
  if (abi !== ABI_VERSION) {
    throw new Error(`${path} has ABI ${abi}, this code needs ${ABI_VERSION}: run npm run build`);
  }
  const call = (prototype: string): ((...args: unknown[]) => number) => {
    const native = lib.func(prototype);
    return (...args) => Number(native(...args));
  };

  const socketpair = call('int turf_socketpair(_Out_ int *pair)');
  const pipe = call('int turf_pipe(_Out_ int *ends)');
  const send = call('int turf_send(int fd, const uint8_t *data, size_t length, const int *fds, int count)');
  const receive = call(
    'int turf_receive(int fd, _Out_ uint8_t *data, size_t length, _Out_ int *fds, int capacity, _Out_ int *count)',
  );
  const sealedMemfd = call('int turf_sealed_memfd(const char *name, const uint8_t *data, size_t length)');
  const pidfdOpen = call('int turf_pidfd_open(int pid)');
  const pidfdSendSignal = call('int turf_pidfd_send_signal(int pidfd, int signal)');
  const peerCredentials = call('int turf_peer_credentials(int fd, _Out_ uint32_t *credentials)');
  const listenUnix = call('int turf_listen_unix(const char *path, uint32_t mode)');
  const connectUnix = call('int turf_connect_unix(const char *path)');
  const listenTcp = call('int turf_listen_tcp(const char *address, int port, _Out_ int *bound_port)');
  const openTree = call('int turf_open_tree(const char *path, int clone, int recursive)');
  const openInRoot = call('int turf_open_in_root(const char *root, const char *path, int flags)');
  const mountSetattr = call('int turf_mount_setattr(int fd, uint64_t set, uint64_t clear, int recursive)');
  const newMount = call(
    'int turf_new_mount(const char *fstype, const char *options, size_t length, uint64_t attributes)',
  );
  const mappedUserNs = call('int turf_mapped_user_ns(const char *uid_map, const char *gid_map)');
  const mapNested = call(
    'int turf_map_nested(int parent, int pid, const char *uid_map, const char *gid_map)',
  );
  const idmapMount = call('int turf_idmap_mount(int tree, int user_ns, int recursive)');
  const routeSocket = call('int turf_route_socket(int network_namespace)');
  const mknodAt = call(
    'int turf_mknod_at(int directory, const char *name, uint32_t mode, uint32_t major, uint32_t minor)',
  );

  return {
    socketpair() {
      const pair = [-1, -1] as [number, number];
      checkResult('socketpair', socketpair(pair));
      return pair;
    },
    pipe() {
      const ends = [-1, -1] as [number, number];
      checkResult('pipe2', pipe(ends));
      return ends;
    },
    send(fd, data, fds) {
      if (fds.length > MAX_SCM_FDS)
        throw new RangeError(`more than ${MAX_SCM_FDS} descriptors in one message`);
      checkResult('sendmsg', send(fd, data, data.length, [...fds], fds.length));
    },
    receive(fd, limit) {
      const data = Buffer.alloc(limit);
      const fds = new Int32Array(MAX_SCM_FDS);
      const count = [0];
      const length = checkResult('recvmsg', receive(fd, data, limit, fds, MAX_SCM_FDS, count));
      return { data: data.subarray(0, length), fds: [...fds.subarray(0, count[0])] };
    },
    sealedMemfd: (name, data) => checkResult(`memfd_create ${name}`, sealedMemfd(name, data, data.length)),
    pidfdOpen: (pid) => checkResult(`pidfd_open ${pid}`, pidfdOpen(pid)),
    pidfdSendSignal(pidfd, signal) {
      checkResult(`pidfd_send_signal ${signal}`, pidfdSendSignal(pidfd, signal));
    },
    peerCredentials(fd) {
      const credentials = new Uint32Array(3);
      checkResult('getsockopt SO_PEERCRED', peerCredentials(fd, credentials));
      const [pid = 0, uid = 0, gid = 0] = credentials;
      return { pid, uid, gid };
    },
    listenUnix: (socketPath, mode) => checkResult(`listen on ${socketPath}`, listenUnix(socketPath, mode)),
    connectUnix: (socketPath) => checkResult(`connect to ${socketPath}`, connectUnix(socketPath)),
    listenTcp(address, port) {
      const bound = [0];
      const fd = checkResult(`listen on ${address} port ${port}`, listenTcp(address, port, bound));
      return { fd, port: bound[0] ?? 0 };
    },
    openTree: (source, { clone, recursive }) =>
      checkResult(`open_tree ${source}`, openTree(source, clone ? 1 : 0, recursive ? 1 : 0)),
    openInRoot: (root, inside, flags) =>
      checkResult(`open ${inside} in ${root}`, openInRoot(root, inside, flags)),
    mountSetattr(fd, set, clear, recursive) {
      checkResult('mount_setattr', mountSetattr(fd, set, clear, recursive ? 1 : 0));
    },
    newMount(fstype, options, attributes) {
      const packed = Buffer.from(
        Object.entries(options)
          .map(([key, value]) => `${key}\0${value}\0`)
          .join(''),
      );
      return checkResult(`mount a new ${fstype}`, newMount(fstype, packed, packed.length, attributes));
    },
    mappedUserNamespace: (uidMap, gidMap) =>
      checkResult('make a user namespace for id mappings', mappedUserNs(uidMap, gidMap)),
    mapNestedUserNamespace(parent, pid, uidMap, gidMap) {
      checkResult(`map the ids of process ${pid}`, mapNested(parent, pid, uidMap, gidMap));
    },
    idmapMount(tree, userNamespace, recursive) {
      checkResult('map the ids of a mount', idmapMount(tree, userNamespace, recursive ? 1 : 0));
    },
    routeSocket: (namespace) => checkResult('open a routing socket', routeSocket(namespace ?? -1)),
    mknodAt(directory, name, mode, major, minor) {
      checkResult(`mknod ${name}`, mknodAt(directory, name, mode, major, minor));
    },
  };
}

/* libturf.h - the functions of libturf.so that the daemon calls over FFI.
 *
 * Each is safe in a multithreaded process: none changes the process's namespaces, ids, directory or signal state. Each returns a
 * value >= 0, or -errno. Returned descriptors are close-on-exec and belong to the caller.
 */
#ifndef TURF_LIBTURF_H
#define TURF_LIBTURF_H

#include <stddef.h>
#include <stdint.h>

#define TURF_EXPORT __attribute__((visibility("default")))
#define TURF_ABI_VERSION 1

TURF_EXPORT int turf_abi_version(void);

/* lib/socket.c */
TURF_EXPORT int turf_socketpair(int pair[2]);
TURF_EXPORT int turf_pipe(int ends[2]);
TURF_EXPORT int turf_send(int fd, const uint8_t *data, size_t length, const int *fds, int count);
TURF_EXPORT int turf_receive(int fd, uint8_t *data, size_t length, int *fds, int capacity, int *count);
TURF_EXPORT int turf_peer_credentials(int fd, uint32_t credentials[3]);
TURF_EXPORT int turf_listen_unix(const char *path, uint32_t mode);
TURF_EXPORT int turf_connect_unix(const char *path);
TURF_EXPORT int turf_listen_tcp(const char *address, int port, int *bound_port);

/* lib/process.c */
TURF_EXPORT int turf_sealed_memfd(const char *name, const uint8_t *data, size_t length);
TURF_EXPORT int turf_pidfd_open(int pid);
TURF_EXPORT int turf_pidfd_send_signal(int pidfd, int signal);

/* lib/mount.c */
/* A path below a root that the container controls: symlinks cannot lead out of it (openat2, RESOLVE_IN_ROOT). */
TURF_EXPORT int turf_open_in_root(const char *root, const char *path, int flags);
TURF_EXPORT int turf_open_tree(const char *path, int clone, int recursive);
TURF_EXPORT int turf_mount_setattr(int fd, uint64_t set, uint64_t clear, int recursive);
/* options: key NUL value NUL ...; an empty value is a flag. */
TURF_EXPORT int turf_new_mount(const char *fstype, const char *options, size_t length, uint64_t attributes);
TURF_EXPORT int turf_mknod_at(int directory, const char *name, uint32_t mode, uint32_t major, uint32_t minor);

/* lib/idmap.c */
/* A user namespace with these lines of uid_map and gid_map, and nobody in it. */
TURF_EXPORT int turf_mapped_user_ns(const char *uid_map, const char *gid_map);
/* Writes the maps of the user namespace of `pid`, whose parent is `parent`: the kernel takes them from a member of one of the two only
 * (user_namespaces(7)). The ids that are mapped to are `parent`'s. */
TURF_EXPORT int turf_map_nested(int parent, int pid, const char *uid_map, const char *gid_map);
TURF_EXPORT int turf_idmap_mount(int tree, int user_ns, int recursive);

/* lib/netlink.c: a socket of NETLINK_ROUTE in that network namespace (-1: the daemon's); receiving waits at most 5 s */
TURF_EXPORT int turf_route_socket(int network_namespace);

#endif

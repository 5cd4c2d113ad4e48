/* launch.h - executes a launch request (docs/protocol.md): clones a process and makes it turf-init.
 *
 * Used by the thin client and by the supervisor. The caller must be single-threaded, with every descriptor of its own
 * O_CLOEXEC. Nothing of the caller changes: namespaces are joined by a helper process, which is reaped before return.
 */
#ifndef TURF_LAUNCH_LAUNCH_H
#define TURF_LAUNCH_LAUNCH_H

#include <stdint.h>
#include <sys/types.h>

#define TURF_LAUNCH_SETSID 1u
#define TURF_LAUNCH_KEEP_STDIO 2u
/* Needs no action here: clone and exec are over before the launcher runs again (CLONE_VFORK), and a launcher that dies
 * before it reported the pid breaks its connection, upon which the daemon closes the sync channel and turf-init exits.
 * PR_SET_PDEATHSIG would survive into the container and kill it when the launcher exits as planned. */
#define TURF_LAUNCH_DIE_WITH_LAUNCHER 4u

#define TURF_LAUNCH_MAX_PRESERVED 4096u

struct turf_launch {
  uint32_t request_id;
  uint64_t clone_flags; /* CLONE_NEW* */
  uint32_t flags;       /* TURF_LAUNCH_* */
  uint32_t preserve_fds;
  int cgroup_fd, user_ns_fd, pid_ns_fd; /* descriptors, -1: none; so are the rest */
  int stdio[3];
  int program, plan, sync;
  const int *plan_fds;
  uint32_t plan_fd_count;
  uint64_t open_files; /* soft RLIMIT_NOFILE of the child, set by a launcher that has raised its own; 0: leave */
};

struct turf_launched {
  pid_t pid;        /* the caller's child, or -errno; a child that failed before exec is already reaped */
  const char *step; /* what failed (static text), "" on success */
};

/* Decodes a request. `fds` are the descriptors that came with the frame: they stay the caller's and must outlive
 * *launch. Returns 0, -EINVAL (malformed) or -errno of reading the plan's header. */
int turf_launch_decode(const void *payload, uint32_t length, const int *fds, uint32_t fd_count, struct turf_launch *launch);

/* Clones and executes; returns when turf-init runs, or when it is known that it will not. Never allocates. */
struct turf_launched turf_launch_run(const struct turf_launch *launch);

/* Encodes the answer, frame `P`: u32 request_id, i32 pid, str step. Returns its length; `buffer` holds TURF_LAUNCH_ANSWER bytes. */
#define TURF_LAUNCH_ANSWER 128u
uint32_t turf_launch_answer(uint32_t request_id, const struct turf_launched *launched, unsigned char *buffer);

#endif

/* plan.h - the launch plan: a list of kernel operations that turns a fresh process into a container.
 *
 * The daemon compiles config.json into a plan (daemon/plan/); turf-init executes it in a new container, libturf.so
 * executes it in a clone of a seed. The format is versioned and little-endian; integers are unaligned.
 *
 *   header: u32 magic "TPLN" (0x4e4c5054), u32 version, u32 total_length, u32 op_count, u32 fd_count
 *   op:     u16 opcode, u16 reserved (0), u32 payload_length, payload
 *   str:    u32 length (without NUL), bytes, one NUL. Decoders use it in place, nothing is copied.
 *   strv:   u32 count, count * str
 *   fd:     i32 index into the descriptors that travelled with the plan, -1 for none
 *
 * Decoding checks every length, every NUL and every fd index before the first operation runs: a bad plan has no effect.
 */
#ifndef TURF_PLAN_H
#define TURF_PLAN_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define TURF_PLAN_MAGIC 0x4e4c5054u
#define TURF_PLAN_VERSION 1u
#define TURF_PLAN_MAX_FDS 200

/* name                  payload */
enum turf_op {
  TURF_OP_JOIN_NAMESPACE = 1, /* fd ns, u32 CLONE_NEW* type: setns(2); with a pidfd, all of these types of that process at once */
  TURF_OP_ENTER_CGROUP = 2,   /* fd of a v1 `tasks` file: write "0". Moving oneself by `tasks` skips the global
                                 cgroup_threadgroup_rwsem, whose writer waits an RCU grace period (5 to 10 ms). */
  TURF_OP_UNSHARE = 3,        /* u32 flags: unshare(2) */
  TURF_OP_SYNC = 4,           /* u32 tag: tell the daemon, wait for GO (id maps written, hooks run, ...) */
  TURF_OP_BECOME_ROOT = 5,    /* setgroups(0) where allowed, setresgid(0), setresuid(0) of a new user namespace */
  TURF_OP_HOSTNAME = 6,       /* str */
  TURF_OP_DOMAINNAME = 7,     /* str */
  TURF_OP_LOOPBACK_UP = 8,    /* - */
  TURF_OP_PROPAGATION = 9,    /* u64 MS_* propagation, u32 recursive: of "/" of the new mount namespace */
  TURF_OP_ROOTFS = 10,        /* str path (used when fd is -1), fd tree (detached mount), u64 propagation (0: leave).
                                 Attaches the root and keeps a descriptor on it; later targets resolve inside it. */
  TURF_OP_MOUNT_FS = 11,      /* str fstype, str source, str target, u64 attr_set (MOUNT_ATTR_*), u64 propagation (0:
                                 leave), u32 flags (TURF_MOUNT_*), u32 n, n * (str key, str value; empty value = flag) */
  TURF_OP_MOUNT_BIND = 12,    /* str source (used when fd is -1), fd tree, str target, u64 attr_set, u64 attr_clear,
                                 u64 attr_set_recursive, u64 attr_clear_recursive, u64 propagation, u32 flags (TURF_MOUNT_*) */
  TURF_OP_MOUNT_SETATTR = 13, /* str target, u64 attr_set, u64 attr_clear, u64 propagation, u32 recursive (AT_RECURSIVE) */
  TURF_OP_MKNOD = 14,         /* str path, u32 mode (with S_IFMT), u32 major, u32 minor, u32 uid, u32 gid */
  TURF_OP_SYMLINK = 15,       /* str target, str path; an existing path is left as it is */
  TURF_OP_CONSOLE = 16,       /* fd console socket (receives the master by SCM_RIGHTS), u32 rows, u32 columns, u32 uid,
                                 u32 flags (TURF_CONSOLE_*): new pty from the container's devpts; becomes stdio and the
                                 controlling terminal */
  TURF_OP_HOOK = 17,          /* str path, strv args, strv env, u32 timeout_seconds (0: none), str state_json, str phase
                                 ("createContainer" | "startContainer"): run, state on stdin, non-zero exit is an error.
                                 The pid is not known when the plan is compiled: state_json holds the 5 bytes @PID@ once,
                                 and the executor writes the process's own number, as the container sees it */
  TURF_OP_PIVOT_ROOT = 18,    /* u32 mode: 0 pivot_root, 1 MS_MOVE + chroot (--no-pivot), 2 chroot only (no mount ns) */
  TURF_OP_MASK_PATH = 19,     /* str path: file -> /dev/null (verified 1:3), directory -> empty read-only tmpfs; missing: skip */
  TURF_OP_READONLY_PATH = 20, /* str path: recursive bind on itself, read-only; missing: skip */
  TURF_OP_SYSCTL = 21,        /* str path below /proc/sys with slashes, str value; through a private procfs */
  TURF_OP_RLIMIT = 22,        /* u32 resource, u64 soft, u64 hard */
  TURF_OP_WRITE_PROC_SELF = 23, /* str path below /proc/self (e.g. "oom_score_adj", "attr/exec"), str value; private procfs */
  TURF_OP_DROP_BOUNDING = 24, /* u64 set to keep: every other capability leaves the bounding set */
  TURF_OP_USER = 25,          /* u32 uid, u32 gid, u32 set_groups (0: leave), u32 n, n * u32 gid; keeps permitted capabilities */
  TURF_OP_CAPABILITIES = 26,  /* u64 effective, u64 permitted, u64 inheritable, u64 ambient */
  TURF_OP_NO_NEW_PRIVS = 27,  /* - */
  TURF_OP_SECCOMP = 28,       /* u32 flags (SECCOMP_FILTER_FLAG_*), fd listener socket (-1; see SECCOMP_STATE), str bpf (struct sock_filter[]) */
  TURF_OP_UMASK = 29,         /* u32 */
  TURF_OP_SETSID = 30,        /* - */
  TURF_OP_CHDIR = 31,         /* str path, u32 create: must lie inside the root afterwards (CVE-2024-21626) */
  TURF_OP_FIND_PROGRAM = 32,  /* str name, str PATH value: resolved now, executed by EXEC; ENOENT/EACCES are create errors */
  TURF_OP_WAIT_START = 33,    /* fd listening start socket: send READY, close the sync channel, wait for START */
  TURF_OP_EXEC = 34,          /* strv argv, strv env: last op of a container; a worker's plan has none */
  TURF_OP_CLOSE_FDS = 35,     /* u32 keep: everything above 2 + keep is closed or made close-on-exec, but what the plan still needs */
  TURF_OP_STDIO = 36,         /* fd in, fd out, fd err (-1: leave): dup2 onto 0, 1, 2 */
  TURF_OP_PERSONALITY = 37,   /* u64 persona */
  TURF_OP_TMPFS_COPY_UP = 38, /* reserved: refused until written */
  TURF_OP_ADOPT_FD = 39,      /* fd, u32 number: dup2 without close-on-exec, for descriptors that the program is to have
                                 (a seed's control socket, a worker's listening socket); never below 3 */
  TURF_OP_SESSION_KEYRING = 40, /* str name: a new session keyring (keyctl(2), KEYCTL_JOIN_SESSION_KEYRING), so that the caller's keys are
                                   out of reach; nothing where the kernel has no keyrings */
  TURF_OP_SCHEDULER = 41,     /* u32 policy, u64 flags, i32 nice, u32 priority, u64 runtime, u64 deadline, u64 period: sched_setattr(2) */
  TURF_OP_IO_PRIORITY = 42,   /* u32 class << 13 | priority: ioprio_set(2) */
  TURF_OP_MEMORY_POLICY = 43, /* u32 mode with flags, str node mask (any bytes, little-endian; empty: none): set_mempolicy(2) */
  TURF_OP_TIME_NAMESPACE = 44, /* str lines of timens_offsets: a new time namespace with these offsets, entered */
  TURF_OP_SECCOMP_STATE = 45, /* str json: the next SECCOMP makes a notification descriptor and sends it with this text on its fd or, without
                                 one, on the descriptor that came with START; the first two @PID@ become the pid of the last GO */
  TURF_OP_SPAWN = 50,         /* u32 terminal: a child, born in the PID namespace that was joined before, runs the rest of the plan in a
                                 session of its own, with descriptor 0 as controlling terminal if told so; it is a sibling of
                                 this process, which sends the child's pid to the daemon (`P`) and ends */
  TURF_OP_CPU_AFFINITY = 51,  /* str mask, bit n of byte n/8 is CPU n: sched_setaffinity(2) */
  TURF_OP_STAND_IN = 48,      /* fd socket to the daemon (docs/protocol.md, "Stand-in"): sends READY and stays; the last op of its plan */
  TURF_OP_BORROW_MOUNTS = 60, /* u32 back: 0 makes a mount namespace for the operations that follow, 1 goes back to the one before, with
                                 the present root as a detached tree */
  TURF_OP_RECONFIGURE = 90,   /* str target, u32 n, n * (str key, str value; empty value = flag): fspick(2) and fsconfig(2) of what
                                 is mounted there */
};

/* u32 flags of MOUNT_FS and MOUNT_BIND */
#define TURF_MOUNT_CREATE_DIR 1u  /* create a missing target as a directory (mkdir -p inside the root) */
#define TURF_MOUNT_CREATE_FILE 2u /* create a missing target as a file */
#define TURF_MOUNT_RECURSIVE 4u   /* rbind */
#define TURF_MOUNT_COPY_UP 8u     /* tmpcopyup */
#define TURF_MOUNT_CREATE_LIKE 16u /* bind: create the target as whatever the source is */

/* u32 flags of CONSOLE */
#define TURF_CONSOLE_BIND 1u  /* mount it on /dev/console */
#define TURF_CONSOLE_LATER 2u /* stdio only: SPAWN makes it the controlling terminal */

/* What went wrong, filled by the executor; `detail` names the operation and the object ("mount proc on /proc"), and the
 * reader appends the text of `err`. Complete as it is: `exec: "x": executable file not found in $PATH`, and hooks. */
struct turf_plan_error {
  int err;           /* errno */
  uint32_t op_index; /* which operation, counted from 0; UINT32_MAX: the plan itself is malformed */
  uint32_t opcode;
  char detail[512];
};

struct turf_plan {
  const unsigned char *data; /* the caller's mapping; must outlive the run */
  size_t length;
  int fds[TURF_PLAN_MAX_FDS]; /* descriptors that travelled with the plan, by index */
  uint32_t fd_count;
  int sync_fd; /* stream socket to the daemon; the executor speaks the sync protocol of docs/protocol.md on it */
};

/* Checks the whole plan. Returns 0, or -EINVAL with *error filled. */
int turf_plan_check(const struct turf_plan *plan, struct turf_plan_error *error);

/* Executes the operations in order. Returns 0 when all ran (EXEC does not return), or -errno with *error filled; -ECANCELED
 * means that the daemon gave up. No allocation; checks the plan first.
 *
 * *report_fd is where the caller answers, open, and the caller's to close: the sync channel or, after READY, the start
 * connection. On failure it calls turf_plan_report. A worker, whose plan has no EXEC, sends `K` there after 0 and closes it.
 * The plan's other descriptors are closed on return; the sync channel's number may have changed (plan->sync_fd, -1 after READY). */
int turf_plan_run(struct turf_plan *plan, struct turf_plan_error *error, int *report_fd);

/* Sends *error as an `E` frame of docs/protocol.md on `fd`. 0 or -errno. */
int turf_plan_report(int fd, const struct turf_plan_error *error);

#endif

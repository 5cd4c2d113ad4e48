/* run.h - what the operations of a running plan share. Everything here is async-signal-safe and allocates nothing.
 *
 * An operation is `int turf_op_<name>(struct turf_run *run, struct turf_reader *payload)`: it reads its payload, which has
 * been checked, and returns 0 or turf_fail(...).
 */
#ifndef TURF_PLAN_RUN_H
#define TURF_PLAN_RUN_H

#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "plan/plan.h"
#include "plan/reader.h"
#include "plan/text.h"

#define TURF_PID_TEXT 16

/* State of one run. Descriptors are owned by it, -1 where not open. */
struct turf_run {
  struct turf_plan *plan;
  struct turf_plan_error *error;
  int root_fd;  /* the container's root directory (O_PATH), or "/" once it has become the root */
  int proc_fd;  /* a procfs that nobody else can reach (procfs.c) */
  int null_fd;  /* a verified /dev/null (O_PATH) */
  int empty_fd; /* an empty read-only tmpfs, attached where it was first used */
  int mounts_fd; /* the mount namespace to go back to (borrowed.c) */
  int start_fd; /* the start connection, after WAIT_START */
  int listener_fd;              /* what came with START: a connection for the seccomp notification descriptor */
  struct turf_str notify_state; /* what is sent with that descriptor; empty: there is none */
  bool chroot_only;
  bool writes_proc;
  bool umask_given;
  mode_t umask_before;
  bool has_file_limit;
  uint64_t file_limit[2];       /* soft and hard RLIMIT_NOFILE, set last: the plan itself still opens descriptors */
  uint64_t root_propagation;    /* to be given to the root once it is the root, 0: nothing */
  char pid_text[TURF_PID_TEXT]; /* payload of the last GO */
  char program[PATH_MAX];       /* result of FIND_PROGRAM, "" before */
};

/* Records `result` (-errno) with the texts up to NULL as detail, and returns it. */
__attribute__((sentinel)) int turf_fail(struct turf_run *run, int result, ...);

/* Reads an fd of the payload: the descriptor, or -1. It stays the plan's. */
int turf_run_fd(const struct turf_run *run, struct turf_reader *payload);

/* Like turf_run_fd, but the caller owns the descriptor from now on. */
int turf_run_take_fd(struct turf_run *run, struct turf_reader *payload);

/* Moves whatever descriptor of the run has this number to another one. 0 or -errno. */
int turf_run_vacate(struct turf_run *run, int number);

/* Points `vector` at `strings.count` strings and a NULL, in memory that stays mapped. 0 or -errno. */
int turf_run_vector(struct turf_strv strings, char ***vector);

/* limits.c: sets the deferred RLIMIT_NOFILE. 0 or -errno. */
int turf_run_finish_limits(struct turf_run *run);

/* Signal mask empty, every disposition default: what a program may expect. */
void turf_reset_signals(void);

/* tree.c: paths inside the container's root. `resolve` is added to RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS. */
int turf_root_open(struct turf_run *run, const char *path, uint64_t flags, uint64_t resolve);

/* Opens `path` (O_PATH), creating what is missing: directories up to it, itself as `kind` (S_IFDIR or S_IFREG). */
int turf_root_create(struct turf_run *run, const char *path, mode_t kind, uint64_t resolve);

/* Opens the directory that holds `path`, creating it, and sets *name to the last component. */
int turf_root_parent(struct turf_run *run, const char *path, const char **name);

/* binds.c: mount_setattr on the mount whose root `fd` is; nothing to do when all are 0. 0 or -errno. */
int turf_set_attributes(int fd, uint64_t set, uint64_t clear, uint64_t propagation, bool recursive);

/* Sets `propagation` (MS_*, MS_REC for the whole tree) on the mount whose root `fd` is. 0 or -errno. */
int turf_set_propagation(int fd, uint64_t propagation);

/* procfs.c: opens the private procfs while the host's is still visible, which a user namespace needs for permission. */
void turf_run_prepare_proc(struct turf_run *run);

/* procfs.c: writes `value` to a file below /proc/self, in a procfs that nobody else has prepared. 0 or -errno. */
int turf_run_write_self(struct turf_run *run, const char *path, const char *value);

/* procfs.c: opens what the magic link /proc/self/`directory`/`name` refers to. */
int turf_run_open_self_link(struct turf_run *run, const char *directory, const char *name);

/* copy_up.c: copies what is in directory `from` (O_PATH) into directory `to`. 0 or -errno. */
int turf_copy_up(int from, int to);

/* ops: one file per concern */
typedef int turf_op_function(struct turf_run *run, struct turf_reader *payload);

/* namespaces.c */
turf_op_function turf_op_join_namespace, turf_op_enter_cgroup, turf_op_unshare, turf_op_become_root, turf_op_hostname,
    turf_op_domainname, turf_op_loopback_up;
/* sync.c */
turf_op_function turf_op_sync, turf_op_wait_start;
/* root.c */
turf_op_function turf_op_propagation, turf_op_rootfs, turf_op_pivot_root, turf_op_chdir;
/* borrowed.c */
turf_op_function turf_op_borrow_mounts;
/* mounts.c */
turf_op_function turf_op_mount_fs, turf_op_reconfigure;
/* binds.c */
turf_op_function turf_op_mount_bind, turf_op_mount_setattr, turf_op_readonly_path;
/* masks.c */
turf_op_function turf_op_mask_path;
/* nodes.c */
turf_op_function turf_op_mknod, turf_op_symlink;
/* console.c */
turf_op_function turf_op_console;
/* hook.c */
turf_op_function turf_op_hook;
/* procfs.c */
turf_op_function turf_op_sysctl, turf_op_write_proc_self;
/* identity.c */
turf_op_function turf_op_drop_bounding, turf_op_user, turf_op_capabilities;
/* limits.c */
turf_op_function turf_op_rlimit, turf_op_no_new_privs, turf_op_umask, turf_op_setsid, turf_op_personality;
/* program.c */
turf_op_function turf_op_find_program, turf_op_exec;
/* descriptors.c */
turf_op_function turf_op_close_fds, turf_op_stdio, turf_op_adopt_fd;

/* spawn.c */
turf_op_function turf_op_spawn, turf_op_cpu_affinity;
/* stand-in.c */
turf_op_function turf_op_stand_in;

/* keyring.c */
turf_op_function turf_op_session_keyring;
/* scheduling.c */
turf_op_function turf_op_scheduler, turf_op_io_priority, turf_op_memory_policy;
/* seccomp.c */
turf_op_function turf_op_seccomp, turf_op_seccomp_state;
/* time.c */
turf_op_function turf_op_time_namespace;

#endif

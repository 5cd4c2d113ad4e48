#include "plan/run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/frame.h"

int turf_fail(struct turf_run *run, int result, ...) {
  va_list parts;
  const char *part;

  run->error->err = -result;
  run->error->detail[0] = 0;
  va_start(parts, result);
  while ((part = va_arg(parts, const char *)) != NULL)
    (void)turf_text_append(run->error->detail, sizeof run->error->detail, part, NULL);
  va_end(parts);
  return result;
}

int turf_run_fd(const struct turf_run *run, struct turf_reader *payload) {
  int32_t index = turf_read_i32(payload);

  return index >= 0 && (uint32_t)index < run->plan->fd_count ? run->plan->fds[index] : -1;
}

int turf_run_take_fd(struct turf_run *run, struct turf_reader *payload) {
  int32_t index = turf_read_i32(payload);

  return index >= 0 && (uint32_t)index < run->plan->fd_count ? steal_fd(&run->plan->fds[index]) : -1;
}

static int vacate(int *fd, int number) {
  if (*fd != number)
    return 0;
  int copy = fcntl(*fd, F_DUPFD_CLOEXEC, 3);
  if (copy < 0)
    return -errno;
  *fd = copy;
  return 0;
}

int turf_run_vacate(struct turf_run *run, int number) {
  int *own[] = {&run->plan->sync_fd, &run->root_fd,   &run->proc_fd,  &run->null_fd,
                &run->empty_fd,      &run->mounts_fd, &run->start_fd, &run->listener_fd};
  int result = 0;

  for (size_t i = 0; i < sizeof own / sizeof own[0] && result == 0; i++)
    result = vacate(own[i], number);
  for (uint32_t i = 0; i < run->plan->fd_count && result == 0; i++)
    result = vacate(&run->plan->fds[i], number);
  return result;
}

int turf_run_vector(struct turf_strv strings, char ***vector) {
  size_t size = ((size_t)strings.count + 1) * sizeof(char *);
  char **pointers = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  if (pointers == MAP_FAILED)
    return -errno;
  for (uint32_t i = 0; i < strings.count; i++)
    pointers[i] = (char *)(uintptr_t)turf_read_str(&strings.items);
  *vector = pointers;
  return 0;
}

void turf_reset_signals(void) {
  const unsigned long action[8] = {0}; /* the kernel's struct sigaction: SIG_DFL, no flags */
  uint64_t none = 0;

  /* raw calls, because glibc's keep its internal signals 32 and 33 out of the caller's hands */
  for (int number = 1; number <= 64; number++)
    (void)syscall(SYS_rt_sigaction, number, action, NULL, sizeof none);
  (void)syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof none);
}

static turf_op_function *function_of(uint32_t opcode) {
  switch (opcode) {
  case TURF_OP_JOIN_NAMESPACE: return turf_op_join_namespace;
  case TURF_OP_ENTER_CGROUP: return turf_op_enter_cgroup;
  case TURF_OP_UNSHARE: return turf_op_unshare;
  case TURF_OP_SYNC: return turf_op_sync;
  case TURF_OP_BECOME_ROOT: return turf_op_become_root;
  case TURF_OP_HOSTNAME: return turf_op_hostname;
  case TURF_OP_DOMAINNAME: return turf_op_domainname;
  case TURF_OP_LOOPBACK_UP: return turf_op_loopback_up;
  case TURF_OP_PROPAGATION: return turf_op_propagation;
  case TURF_OP_ROOTFS: return turf_op_rootfs;
  case TURF_OP_MOUNT_FS: return turf_op_mount_fs;
  case TURF_OP_RECONFIGURE: return turf_op_reconfigure;
  case TURF_OP_MOUNT_BIND: return turf_op_mount_bind;
  case TURF_OP_MOUNT_SETATTR: return turf_op_mount_setattr;
  case TURF_OP_MKNOD: return turf_op_mknod;
  case TURF_OP_SYMLINK: return turf_op_symlink;
  case TURF_OP_CONSOLE: return turf_op_console;
  case TURF_OP_HOOK: return turf_op_hook;
  case TURF_OP_PIVOT_ROOT: return turf_op_pivot_root;
  case TURF_OP_MASK_PATH: return turf_op_mask_path;
  case TURF_OP_READONLY_PATH: return turf_op_readonly_path;
  case TURF_OP_SYSCTL: return turf_op_sysctl;
  case TURF_OP_RLIMIT: return turf_op_rlimit;
  case TURF_OP_WRITE_PROC_SELF: return turf_op_write_proc_self;
  case TURF_OP_DROP_BOUNDING: return turf_op_drop_bounding;
  case TURF_OP_USER: return turf_op_user;
  case TURF_OP_CAPABILITIES: return turf_op_capabilities;
  case TURF_OP_NO_NEW_PRIVS: return turf_op_no_new_privs;
  case TURF_OP_SECCOMP: return turf_op_seccomp;
  case TURF_OP_UMASK: return turf_op_umask;
  case TURF_OP_SETSID: return turf_op_setsid;
  case TURF_OP_CHDIR: return turf_op_chdir;
  case TURF_OP_FIND_PROGRAM: return turf_op_find_program;
  case TURF_OP_WAIT_START: return turf_op_wait_start;
  case TURF_OP_EXEC: return turf_op_exec;
  case TURF_OP_CLOSE_FDS: return turf_op_close_fds;
  case TURF_OP_STDIO: return turf_op_stdio;
  case TURF_OP_PERSONALITY: return turf_op_personality;
  case TURF_OP_ADOPT_FD: return turf_op_adopt_fd;
  case TURF_OP_SESSION_KEYRING: return turf_op_session_keyring;
  case TURF_OP_SCHEDULER: return turf_op_scheduler;
  case TURF_OP_IO_PRIORITY: return turf_op_io_priority;
  case TURF_OP_MEMORY_POLICY: return turf_op_memory_policy;
  case TURF_OP_TIME_NAMESPACE: return turf_op_time_namespace;
  case TURF_OP_SECCOMP_STATE: return turf_op_seccomp_state;
  case TURF_OP_SPAWN: return turf_op_spawn;
  case TURF_OP_CPU_AFFINITY: return turf_op_cpu_affinity;
  case TURF_OP_STAND_IN: return turf_op_stand_in;
  case TURF_OP_BORROW_MOUNTS: return turf_op_borrow_mounts;
  default: return NULL;
  }
}

/* One operation at `reader`. With `look` only what the earlier operations must know is noted. */
static int step(struct turf_run *run, struct turf_reader *reader, uint32_t index, bool look) {
  uint32_t opcode = turf_read_u16(reader);
  (void)turf_read_u16(reader);
  uint32_t length = turf_read_u32(reader);
  struct turf_reader payload = {.at = reader->at, .end = reader->at + length};

  (void)turf_read_raw(reader, length);
  if (look) {
    if (opcode == TURF_OP_PIVOT_ROOT)
      run->chroot_only = turf_read_u32(&payload) == 2;
    if (opcode == TURF_OP_SYSCTL || opcode == TURF_OP_WRITE_PROC_SELF)
      run->writes_proc = true;
    return 0;
  }
  turf_op_function *function = function_of(opcode);
  run->error->op_index = index;
  run->error->opcode = opcode;
  return function == NULL ? turf_fail(run, -EOPNOTSUPP, "launch plan", NULL) : function(run, &payload);
}

static int run_all(struct turf_run *run, bool look) {
  const unsigned char *data = run->plan->data;
  struct turf_reader reader = {.at = data + 20, .end = data + run->plan->length};
  uint32_t op_count = turf_get_u32(data + 12);
  int result = 0;

  for (uint32_t i = 0; i < op_count && result == 0; i++)
    result = step(run, &reader, i, look);
  return result;
}

int turf_plan_run(struct turf_plan *plan, struct turf_plan_error *error, int *report_fd) {
  struct turf_run run = {.plan = plan,
                         .error = error,
                         .root_fd = -1,
                         .proc_fd = -1,
                         .null_fd = -1,
                         .empty_fd = -1,
                         .mounts_fd = -1,
                         .start_fd = -1,
                         .listener_fd = -1};
  int result = turf_plan_check(plan, error);

  *report_fd = plan->sync_fd;
  if (result < 0)
    return result;

  /* what operations create has exactly the mode that they name */
  run.umask_before = umask(0);
  (void)run_all(&run, true);
  result = run_all(&run, false);
  if (result == 0 && (result = turf_run_finish_limits(&run)) < 0)
    (void)turf_fail(&run, result, "limit open files", NULL);
  if (!run.umask_given)
    (void)umask(run.umask_before);

  for (uint32_t i = 0; i < plan->fd_count; i++)
    turf_close(&plan->fds[i]);
  turf_close(&run.root_fd);
  turf_close(&run.proc_fd);
  turf_close(&run.null_fd);
  turf_close(&run.empty_fd);
  turf_close(&run.listener_fd);
  turf_close(&run.mounts_fd);
  *report_fd = run.start_fd >= 0 ? run.start_fd : plan->sync_fd;
  return result;
}

/* seccomp.c - the filter, and the descriptor on which somebody answers for the system calls that it hands over. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/syscalls.h"
#include "plan/run.h"

#define STACK_SIZE (32u << 10)
#define PID_MARK "@PID@"
#define PARTS 5
#define WAITING (-1)
#define GIVEN_UP (-2)
#define RUNNING 1

/* Between the process, which is under the filter as soon as there is a descriptor, and a thread that never is. */
struct delivery {
  int notify; /* the descriptor, WAITING, GIVEN_UP */
  int socket;
  int result; /* RUNNING, then 0 or -errno */
  struct iovec parts[PARTS];
};

/* The state with its first two marks replaced by the pid that the daemon sent with the last GO. */
static void split_state(const struct turf_run *run, struct iovec parts[PARTS]) {
  char *at = (char *)(uintptr_t)run->notify_state.bytes;
  const char *pid = run->pid_text[0] != 0 ? run->pid_text : "0";
  int part = 0;

  for (int marks = 0; marks < 2; marks++) {
    char *mark = strstr(at, PID_MARK);
    if (mark == NULL)
      break;
    parts[part++] = (struct iovec){at, (size_t)(mark - at)};
    parts[part++] = (struct iovec){(void *)(uintptr_t)pid, strlen(pid)};
    at = mark + strlen(PID_MARK);
  }
  parts[part] = (struct iovec){at, strlen(at)};
}

/* Everything in one stream; the descriptor goes with the first byte. */
static int send_state(struct delivery *delivery) {
  union {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
  } control = {{0}};
  struct msghdr message = {.msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
  struct cmsghdr *rights = CMSG_FIRSTHDR(&message);

  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(sizeof(int));
  memcpy(CMSG_DATA(rights), &delivery->notify, sizeof(int));
  for (int i = 0; i < PARTS; i++) {
    struct iovec *part = &delivery->parts[i];
    while (part->iov_len > 0) {
      message.msg_iov = part;
      message.msg_iovlen = 1;
      long sent = turf_result(syscall(SYS_sendmsg, delivery->socket, &message, MSG_NOSIGNAL));
      if (sent == -EINTR)
        continue;
      if (sent < 0)
        return (int)sent;
      message.msg_control = NULL;
      message.msg_controllen = 0;
      part->iov_base = (char *)part->iov_base + sent;
      part->iov_len -= (size_t)sent;
    }
  }
  return 0;
}

static int deliver(void *argument) {
  struct delivery *delivery = argument;
  int notify;

  while ((notify = __atomic_load_n(&delivery->notify, __ATOMIC_ACQUIRE)) == WAITING)
    (void)syscall(SYS_sched_yield);
  int result = notify >= 0 ? send_state(delivery) : 0;
  if (notify >= 0)
    (void)syscall(SYS_close, notify);
  (void)syscall(SYS_close, delivery->socket);
  __atomic_store_n(&delivery->result, result, __ATOMIC_RELEASE);
  return 0;
}

/* From the moment that the filter is there, any system call of ours may wait for an answer by somebody who has no descriptor yet.
 * So a thread from before sends it, and this one only looks at memory. Threads leave nothing to be waited for. */
static int load_and_deliver(unsigned flags, struct sock_fprog *program, struct delivery *delivery) {
  char *stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);

  if (stack == MAP_FAILED)
    return -errno;
  int thread = clone(deliver, stack + STACK_SIZE,
                     CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM, delivery);
  if (thread < 0)
    return -errno;
  int notify = turf_seccomp(SECCOMP_SET_MODE_FILTER, flags | SECCOMP_FILTER_FLAG_NEW_LISTENER, program);
  __atomic_store_n(&delivery->notify, notify < 0 ? GIVEN_UP : notify, __ATOMIC_RELEASE);
  int result;
  while ((result = __atomic_load_n(&delivery->result, __ATOMIC_ACQUIRE)) == RUNNING) {
  }
  return notify < 0 ? notify : result;
}

int turf_op_seccomp_state(struct turf_run *run, struct turf_reader *payload) {
  run->notify_state = turf_read_bytes(payload);
  return 0;
}

int turf_op_seccomp(struct turf_run *run, struct turf_reader *payload) {
  uint32_t flags = turf_read_u32(payload);
  cleanup_fd int listener = turf_run_take_fd(run, payload);
  struct turf_str bpf = turf_read_bytes(payload);
  /* the kernel copies the filter, so that it may lie unaligned in the plan */
  struct sock_fprog program = {.len = (unsigned short)(bpf.length / sizeof(struct sock_filter)),
                               .filter = (void *)(uintptr_t)bpf.bytes};

  if (run->notify_state.length == 0) {
    int result = turf_seccomp(SECCOMP_SET_MODE_FILTER, flags, &program);
    return result < 0 ? turf_fail(run, result, "load seccomp filter", NULL) : 0;
  }
  if (listener < 0)
    listener = steal_fd(&run->listener_fd);
  if (listener < 0)
    return turf_fail(run, -EBADF, "no connection to the seccomp listener", NULL);
  struct delivery delivery = {.notify = WAITING, .socket = steal_fd(&listener), .result = RUNNING};
  split_state(run, delivery.parts);
  int result = load_and_deliver(flags, &program, &delivery);
  return result < 0 ? turf_fail(run, result, "load seccomp filter and send its notification descriptor", NULL) : 0;
}

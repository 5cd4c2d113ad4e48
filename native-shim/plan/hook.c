/* hook.c - runs one hook: a program with the container's state on its standard input. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/frame.h"
#include "base/syscalls.h"
#include "plan/run.h"

#define PID_MARK "@PID@"
#define EXEC_FAILED 127

struct pipe {
  int read_end, write_end;
};

static void close_pipe(struct pipe *pipe) {
  turf_close(&pipe->read_end);
  turf_close(&pipe->write_end);
}

/* A pipe whose end for us (`ours`: 0 read, 1 write) does not block. */
static int open_pipe(struct pipe *made, int ours) {
  int ends[2];

  if (pipe2(ends, O_CLOEXEC) < 0)
    return -errno;
  made->read_end = ends[0];
  made->write_end = ends[1];
  return fcntl(ends[ours], F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
}

struct hook {
  const char *path;
  char **argv;
  char **envp;
  uint32_t timeout; /* seconds */
  struct iovec state[3];
  struct pipe in, out, err;
  char said[201]; /* the first bytes of its standard error */
  size_t said_length;
};

__attribute__((noreturn)) static void run_child(const struct hook *hook) {
  turf_reset_signals();
  if (dup2(hook->in.read_end, 0) < 0 || dup2(hook->out.write_end, 1) < 0 || dup2(hook->err.write_end, 2) < 0 ||
      turf_close_range(3, UINT_MAX, CLOSE_RANGE_CLOEXEC) < 0)
    _exit(EXEC_FAILED);
  (void)execve(hook->path, hook->argv, hook->envp);
  const char *why = strerror(errno);
  (void)turf_write_all(2, why, strlen(why));
  _exit(EXEC_FAILED);
}

/* Writes what fits. Our own read end is open as well, so that a hook that does not read causes no SIGPIPE. */
static void feed(struct hook *hook) {
  for (int i = 0; i < 3; i++) {
    while (hook->state[i].iov_len > 0) {
      ssize_t written = write(hook->in.write_end, hook->state[i].iov_base, hook->state[i].iov_len);
      if (written < 0)
        return;
      hook->state[i].iov_base = (char *)hook->state[i].iov_base + written;
      hook->state[i].iov_len -= (size_t)written;
    }
  }
  close_pipe(&hook->in);
}

/* Empties a pipe; what comes from standard error is kept as far as it fits. Closes the pipe at its end. */
static void drain(struct hook *hook, struct pipe *pipe) {
  char buffer[512];
  ssize_t got;

  while ((got = read(pipe->read_end, buffer, sizeof buffer)) > 0) {
    size_t room = sizeof hook->said - 1 - hook->said_length;
    size_t taken = (size_t)got < room ? (size_t)got : room;
    if (pipe == &hook->err) {
      memcpy(hook->said + hook->said_length, buffer, taken);
      hook->said_length += taken;
    }
  }
  if (got == 0)
    turf_close(&pipe->read_end);
}

static int64_t now_ms(void) {
  struct timespec now;

  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Serves the pipes until the process behind `pidfd` has ended. -ETIME when it takes too long. */
static int attend(struct hook *hook, int pidfd) {
  int64_t end = hook->timeout == 0 ? INT64_MAX : now_ms() + (int64_t)hook->timeout * 1000;

  for (;;) {
    struct pollfd watched[] = {{.fd = pidfd, .events = POLLIN},
                               {.fd = hook->in.write_end, .events = POLLOUT},
                               {.fd = hook->out.read_end, .events = POLLIN},
                               {.fd = hook->err.read_end, .events = POLLIN}};
    int64_t left = end == INT64_MAX ? -1 : end - now_ms();
    if (end != INT64_MAX && left <= 0)
      return -ETIME;
    if (poll(watched, 4, left > INT_MAX ? INT_MAX : (int)left) < 0 && errno != EINTR)
      return -errno;
    if (watched[1].revents != 0)
      feed(hook);
    if (watched[2].revents != 0)
      drain(hook, &hook->out);
    if (watched[3].revents != 0)
      drain(hook, &hook->err);
    if ((watched[0].revents & POLLIN) != 0)
      return 0;
  }
}

/* Starts the hook and waits for it. 0 with *status, or -errno. */
static int run_hook(struct hook *hook, int *status) {
  /* a raw fork: the child makes system calls only, and fork handlers of a host program must not run */
  struct clone_args args = {.exit_signal = SIGCHLD};

  int result = open_pipe(&hook->in, 1);
  if (result == 0)
    result = open_pipe(&hook->out, 0);
  if (result == 0)
    result = open_pipe(&hook->err, 0);
  if (result < 0)
    return result;
  pid_t pid = turf_clone3(&args);
  if (pid < 0)
    return pid;
  if (pid == 0)
    run_child(hook);
  turf_close(&hook->out.write_end);
  turf_close(&hook->err.write_end);

  cleanup_fd int pidfd = turf_pidfd_open(pid, 0);
  result = pidfd < 0 ? pidfd : attend(hook, pidfd);
  if (result < 0)
    (void)kill(pid, SIGKILL);
  while (waitpid(pid, status, 0) < 0)
    if (errno != EINTR)
      return -errno;
  return result;
}

/* The state, with the mark replaced by the pid, which hooks of the container get as the container sees it (runtime.md "State"). */
static void split_state(struct hook *hook, char pid[TURF_DIGITS], struct turf_str state) {
  char *bytes = (char *)(uintptr_t)state.bytes;
  char *mark = strstr(bytes, PID_MARK);

  hook->state[0] = (struct iovec){bytes, mark == NULL ? state.length : (size_t)(mark - bytes)};
  if (mark == NULL)
    return;
  (void)turf_text_number(pid, (uint64_t)getpid());
  hook->state[1] = (struct iovec){pid, strlen(pid)};
  mark += strlen(PID_MARK);
  hook->state[2] = (struct iovec){mark, state.length - (size_t)(mark - bytes)};
}

static int fail(struct turf_run *run, struct hook *hook, const char *phase, int result, int status) {
  char digits[TURF_DIGITS];

  if (result == 0)
    drain(hook, &hook->err);
  hook->said[hook->said_length] = 0;
  if (result < 0)
    (void)turf_fail(run, result, phase, " hook ", hook->path, result == -ETIME ? ": timed out" : "", NULL);
  else if (WIFSIGNALED(status))
    (void)turf_fail(run, -ECHILD, phase, " hook ", hook->path, ": signal ",
                    turf_text_number(digits, (uint64_t)WTERMSIG(status)), NULL);
  else
    (void)turf_fail(run, -ECHILD, phase, " hook ", hook->path, ": exit status ",
                    turf_text_number(digits, (uint64_t)WEXITSTATUS(status)), NULL);
  if (hook->said_length > 0)
    (void)turf_text_append(run->error->detail, sizeof run->error->detail, ", stderr: ", hook->said, NULL);
  return -run->error->err;
}

int turf_op_hook(struct turf_run *run, struct turf_reader *payload) {
  struct pipe none = {-1, -1};
  struct hook hook = {.path = turf_read_str(payload)};
  struct turf_strv arguments = turf_read_strv(payload);
  struct turf_strv environment = turf_read_strv(payload);
  hook.timeout = turf_read_u32(payload);
  struct turf_str state = turf_read_bytes(payload);
  const char *phase = turf_read_str(payload);
  char pid[TURF_DIGITS];
  int status = 0;

  int result = turf_run_vector(arguments, &hook.argv);
  if (result == 0)
    result = turf_run_vector(environment, &hook.envp);
  if (result < 0)
    return turf_fail(run, result, "prepare hook ", hook.path, NULL);
  hook.in = hook.out = hook.err = none;
  split_state(&hook, pid, state);
  result = run_hook(&hook, &status);
  result = result == 0 && status == 0 ? 0 : fail(run, &hook, phase, result, status);
  close_pipe(&hook.in);
  close_pipe(&hook.out);
  close_pipe(&hook.err);
  return result;
}

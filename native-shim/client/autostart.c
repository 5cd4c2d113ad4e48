#include "client/autostart.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/syscalls.h"
#include "client/connect.h"

/* a daemon that fails ends, and is noticed at once: this is for slow machines */
#define WAIT_SECONDS 60
#define POLL_NANOSECONDS 4000000L
#define LOG_TAIL 1024

/* Parents as anyone makes them; the root itself for its owner alone. */
static int make_root(const char *root) {
  char path[PATH_MAX];

  if (snprintf(path, sizeof path, "%s", root) >= (int)sizeof path)
    return -ENAMETOOLONG;
  for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
    *slash = '\0';
    if (mkdir(path, 0755) < 0 && errno != EEXIST)
      return -errno;
    *slash = '/';
  }
  return mkdir(path, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

static int find_turfd(char *path, size_t size) {
  static const char name[] = "turfd";
  ssize_t length = readlink("/proc/self/exe", path, size);

  if (length < 0)
    return -errno;
  if ((size_t)length >= size)
    return -ENAMETOOLONG;
  path[length] = '\0';
  char *base = strrchr(path, '/');
  if (base == NULL || (size_t)(base + 1 - path) + sizeof name > size)
    return -ENAMETOOLONG;
  memcpy(base + 1, name, sizeof name);
  return access(path, X_OK) < 0 ? -errno : 0;
}

static _Noreturn void become_daemon(const char *program, const char *root, int log) {
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);

  if (null >= 0 && setsid() >= 0 && chdir("/") == 0 && dup2(null, 0) == 0 && dup2(log, 1) == 1 && dup2(log, 2) == 2) {
    (void)turf_close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
    (void)umask(022);
    /* an ignored signal would stay ignored in the daemon */
    for (int number = 1; number <= SIGRTMAX; number++)
      (void)signal(number, SIG_DFL);
    (void)execl(program, "turfd", "--root", root, (char *)NULL);
  }
  _exit(127);
}

static pid_t spawn(const char *program, const char *root, int log) {
  /* these belong to the caller: a daemon that notified them would announce itself as the caller's service */
  static const char *const foreign[] = {"NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"};

  for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++)
    (void)unsetenv(foreign[i]);
  pid_t pid = fork();
  if (pid == 0)
    become_daemon(program, root, log);
  return pid < 0 ? -errno : pid;
}

/* turfd writes its pid into the lock file when it holds the lock. */
static bool lock_holder_lives(const char *root) {
  char path[PATH_MAX], text[24] = "";

  if (snprintf(path, sizeof path, "%s/turfd.lock", root) >= (int)sizeof path)
    return false;
  cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0 || read(fd, text, sizeof text - 1) <= 0)
    return false;
  long pid = strtol(text, NULL, 10);
  return pid > 0 && pid <= INT_MAX && (kill((pid_t)pid, 0) == 0 || errno == EPERM);
}

/* Appends what this start wrote to the log, the end of it where it is long. */
static void append_log(char *problem, size_t size, int log, off_t from) {
  struct stat status;
  size_t used = strlen(problem);

  if (fstat(log, &status) < 0 || status.st_size <= from || used + 2 >= size)
    return;
  size_t room = size - used - 2 < LOG_TAIL ? size - used - 2 : LOG_TAIL;
  off_t start = status.st_size - from > (off_t)room ? status.st_size - (off_t)room : from;
  problem[used++] = '\n';
  ssize_t got = pread(log, problem + used, room, start);
  used += got > 0 ? (size_t)got : 0;
  while (used > 0 && problem[used - 1] == '\n')
    used--;
  problem[used] = '\0';
}

static double now(void) {
  struct timespec time;

  (void)clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int wait_for_daemon(const char *program, const char *root, int log, char *problem, size_t size) {
  const struct timespec pause = {.tv_nsec = POLL_NANOSECONDS};
  double deadline = now() + WAIT_SECONDS;
  off_t log_start = lseek(log, 0, SEEK_END);
  pid_t child = spawn(program, root, log);
  bool waited_for_other = false;

  for (;;) {
    int fd = turf_client_connect(root);
    if (fd >= 0 || (fd != -ENOENT && fd != -ECONNREFUSED))
      return fd;
    if (child < 0)
      return child;
    if (child > 0 && waitpid(child, NULL, WNOHANG) == child)
      child = 0;
    bool other = child == 0 && lock_holder_lives(root);
    if (child == 0 && !other && waited_for_other) {
      /* the one that had the lock was on its way out */
      child = spawn(program, root, log);
    } else if (child == 0 && !other) {
      (void)snprintf(problem, size, "%s ended at once:", program);
      append_log(problem, size, log, log_start);
      return -ECONNREFUSED;
    }
    waited_for_other = other;
    if (now() > deadline) {
      (void)snprintf(problem, size, "%s does not accept connections after %d s:", program, WAIT_SECONDS);
      append_log(problem, size, log, log_start);
      return -ETIMEDOUT;
    }
    (void)nanosleep(&pause, NULL);
  }
}

int turf_client_autostart(const char *root, char *problem, size_t size) {
  char program[PATH_MAX], path[PATH_MAX];

  int result = make_root(root);
  if (result < 0) {
    (void)snprintf(problem, size, "cannot make %s: %s", root, strerror(-result));
    return result;
  }
  result = find_turfd(program, sizeof program);
  if (result < 0) {
    (void)snprintf(problem, size, "no daemon runs on %s, and turfd is not beside this program: %s", root, strerror(-result));
    return result;
  }
  if (snprintf(path, sizeof path, "%s/turfd.log", root) >= (int)sizeof path)
    return -ENAMETOOLONG;
  cleanup_fd int log = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (log < 0) {
    result = -errno;
    (void)snprintf(problem, size, "cannot open %s: %s", path, strerror(-result));
    return result;
  }
  result = wait_for_daemon(program, root, log, problem, size);
  if (result < 0 && problem[0] == '\0')
    (void)snprintf(problem, size, "cannot start a daemon on %s: %s", root, strerror(-result));
  return result;
}

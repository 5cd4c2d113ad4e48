/* park_memory.c - is this process fit to be forked: its mappings, its threads, its descriptors. */
#include "lib/park.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"

#define THREAD_PATIENCE_MS 2000

static int sleep_one_ms(void) {
  return nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

/* State letter of a thread (proc(5), field 3 of stat), 0 when it is gone. The name before it may hold any character. */
static char thread_state(int tasks, const char *tid) {
  char path[32], text[256];
  cleanup_fd int fd = -1;
  ssize_t length;
  char *end;

  (void)snprintf(path, sizeof path, "%.20s/stat", tid);
  fd = openat(tasks, path, O_RDONLY | O_CLOEXEC);
  length = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
  if (length <= 0)
    return 0;
  text[length] = '\0';
  end = strrchr(text, ')');
  return end != NULL && end[1] == ' ' ? end[2] : 0;
}

/* `running_tid` gets the id of one of them. */
static int count_running(char running_tid[static 16]) {
  char self[16];
  _Alignas(struct dirent64) char entries[4096];
  cleanup_fd int tasks = open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  ssize_t length;
  int running = 0;

  if (tasks < 0)
    return -errno;
  (void)snprintf(self, sizeof self, "%d", (int)gettid());
  while ((length = getdents64(tasks, entries, sizeof entries)) > 0) {
    for (ssize_t at = 0; at < length;) {
      const struct dirent64 *entry = (const void *)(entries + at);
      char state;

      at += entry->d_reclen;
      if (entry->d_name[0] == '.' || strcmp(entry->d_name, self) == 0)
        continue;
      state = thread_state(tasks, entry->d_name);
      if (state != 0 && state != 'S' && state != 'Z' && state != 'X') {
        running++;
        (void)snprintf(running_tid, 16, "%.15s", entry->d_name);
      }
    }
  }
  return length < 0 ? -errno : running;
}

static int threads_sleep(int patience_ms, char running_tid[static 16]) {
  int running;

  while ((running = count_running(running_tid)) > 0 && patience_ms-- > 0)
    (void)sleep_one_ms();
  return running > 0 ? -EBUSY : running;
}

int turf_park_threads_sleep(int patience_ms) {
  char tid[16];

  return threads_sleep(patience_ms, tid);
}

static void name_thread(const char *tid, char *message, uint32_t size) {
  char path[48], name[17] = "";
  cleanup_fd int fd = -1;
  ssize_t length;

  (void)snprintf(path, sizeof path, "/proc/self/task/%s/comm", tid);
  fd = open(path, O_RDONLY | O_CLOEXEC);
  length = fd < 0 ? 0 : read(fd, name, sizeof name - 1);
  name[length > 0 ? length - 1 : 0] = '\0'; /* the name ends with a line feed */
  (void)snprintf(message, size, "thread %s (%s) does not come to rest", tid, name);
}

static int read_file(const char *path, char **text, size_t *length) {
  cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
  cleanup_free char *data = NULL;
  size_t size = 0, capacity = 0;
  ssize_t got;

  if (fd < 0)
    return -errno;
  do {
    if (capacity - size < 65536) {
      char *grown = realloc(data, capacity += 524288);
      if (grown == NULL)
        return -ENOMEM;
      data = grown;
    }
    got = read(fd, data + size, capacity - size - 1);
    if (got < 0)
      return -errno;
    size += (size_t)got;
  } while (got > 0);
  data[size] = '\0';
  *length = size;
  *text = steal_pointer(&data);
  return 0;
}

/* VM_DONTCOPY is "dc" in the VmFlags line that ends each mapping's entry (proc(5), Linux 3.8). Private ones (V8's heap) must be in a
 * clone; shared writable ones (the io_urings of libuv's loops) must not: with them a clone could act for its seed. */
static int choose_mappings(char *message, uint32_t size) {
  cleanup_free char *text = NULL;
  size_t length = 0;
  unsigned long start = 0, end = 0;
  char mode[4] = "----";
  char *rest = NULL;
  int r = read_file("/proc/self/smaps", &text, &length);

  if (r < 0) {
    (void)snprintf(message, size, "read /proc/self/smaps");
    return r;
  }
  for (char *line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
    int keep_out = mode[1] == 'w' && mode[3] == 's';
    unsigned long from, to;
    char access[4];

    if (sscanf(line, "%lx-%lx %4c", &from, &to, access) == 3) {
      memcpy(mode, access, sizeof mode);
      start = from;
      end = to;
    } else if (strncmp(line, "VmFlags:", 8) == 0 && (keep_out || (mode[3] == 'p' && strstr(line + 8, " dc") != NULL))) {
      if (madvise((void *)start, end - start, keep_out ? MADV_DONTFORK : MADV_DOFORK) < 0) {
        r = -errno;
        (void)snprintf(message, size, "madvise %lx-%lx", start, end);
        return r;
      }
    }
  }
  return 0;
}

/* Why a descriptor must not be open in a seed, NULL where it may. */
static const char *unfit(int fd) {
  struct stat status;

  if (fd >= TURF_KEPT_FD_FIRST)
    return "above 199";
  return fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode) ? "an open socket" : NULL;
}

static int check_descriptors(int control_fd, char *message, uint32_t size) {
  DIR *directory = opendir("/proc/self/fd");
  struct dirent *entry;
  int r = 0;

  if (directory == NULL)
    return -errno;
  while (r == 0 && (entry = readdir(directory)) != NULL) {
    int fd = atoi(entry->d_name);
    const char *reason;

    if (entry->d_name[0] == '.' || fd <= 2 || fd == control_fd || fd == dirfd(directory))
      continue;
    reason = unfit(fd);
    if (reason == NULL)
      continue;
    (void)snprintf(message, size, "descriptor %d is %s", fd, reason);
    r = -EBUSY;
  }
  (void)closedir(directory);
  return r;
}

void turf_park_inodes(ino_t inodes[TURF_KEPT_FD_FIRST], int end) {
  for (int fd = 0; fd < end; fd++) {
    struct stat status;

    inodes[fd] = fstat(fd, &status) == 0 ? status.st_ino : 0;
  }
}

int turf_park_descriptors(struct turf_park_descriptors *descriptors) {
  turf_park_inodes(descriptors->inodes, TURF_KEPT_FD_FIRST);
  descriptors->event_fd_count = 0;
  descriptors->end = 0;
  for (int fd = 3; fd < TURF_KEPT_FD_FIRST; fd++) {
    char path[32], kind[32] = "";

    if (descriptors->inodes[fd] == 0)
      continue;
    descriptors->end = fd + 1;
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (readlink(path, kind, sizeof kind - 1) < 0)
      continue;
    if (strcmp(kind, "anon_inode:[eventfd]") != 0)
      continue;
    if (descriptors->event_fd_count == TURF_PARK_EVENT_FDS)
      return -EMFILE;
    descriptors->event_fds[descriptors->event_fd_count++] = fd;
  }
  return 0;
}

int turf_seed_prepare(int control_fd, char *message, uint32_t message_size) {
  char tid[16];
  int r = check_descriptors(control_fd, message, message_size);

  if (r == 0)
    r = choose_mappings(message, message_size);
  if (r < 0)
    return r;
  r = threads_sleep(THREAD_PATIENCE_MS, tid);
  if (r == -EBUSY)
    name_thread(tid, message, message_size);
  return r;
}

/* watchdog.c - libturf-watchdog.so, an add-on of Node.js: ends a worker whose JavaScript does not come back to its event loop, and one that aborts, with
 * a status of its own.
 *
 * A timer on the CPU clock of the calling thread raises a signal in that thread: it interrupts a busy loop, needs no thread (a clone has one), and costs a worker that
 * waits nothing, since its clock stands still. The handler looks at the loop's own count of turns (uv_metrics_info(3), libuv 1.45) and ends the process when a whole
 * limit has passed in one turn.
 */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define WATCHDOG_EXPORT __attribute__((visibility("default")))

/* A turn is over its limit after this many checks, so that it may exceed it by one part of so many. */
#define CHECKS 4
/* 128 + SIGABRT. Not the signal: the kernel keeps it from the first process of a PID namespace. */
#define STATUS 134

/* libuv's uv_metrics_t. */
struct loop_metrics {
  uint64_t loop_count;
  uint64_t events;
  uint64_t events_waiting;
  uint64_t *reserved[13];
};

/* Node's exported interfaces; their types are pointers. */
int uv_metrics_info(void *loop, struct loop_metrics *metrics);
int napi_get_uv_event_loop(void *env, void **loop);
int napi_get_cb_info(void *env, void *info, size_t *argc, void **argv, void **receiver, void **data);
int napi_get_value_int64(void *env, void *value, int64_t *result);
int napi_get_buffer_info(void *env, void *value, void **data, size_t *length);
int napi_create_function(void *env, const char *name, size_t length, void *(*function)(void *, void *), void *data, void **result);
int napi_create_int32(void *env, int32_t value, void **result);

struct watchdog {
  void *loop;
  uint64_t turn;
  unsigned checks; /* of this turn so far */
  const char *report;
  size_t length;
};

static void end(const struct watchdog *dog) {
  size_t length = strnlen(dog->report, dog->length);
  ssize_t written = write(STDERR_FILENO, dog->report, length);

  (void)written;
  _exit(STATUS);
}

static void on_check(int number, siginfo_t *info, void *context) {
  struct watchdog *dog = info->si_value.sival_ptr;
  struct loop_metrics metrics;

  (void)number;
  (void)context;
  if (info->si_code != SI_TIMER || uv_metrics_info(dog->loop, &metrics) != 0)
    return;
  if (metrics.loop_count != dog->turn) {
    dog->turn = metrics.loop_count;
    dog->checks = 0;
  } else if (++dog->checks >= CHECKS) {
    end(dog);
  }
}

/* The engine has printed what it has to say: its heap is full. abort(3) would go on to SIGSEGV in the first process of a PID namespace. */
static void on_abort(int number) {
  (void)number;
  _exit(STATUS);
}

/* 0 or -errno. */
static int start(struct watchdog *dog, int64_t limit_ms) {
  struct sigaction action = {.sa_sigaction = on_check, .sa_flags = SA_SIGINFO | SA_RESTART};
  struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMAX - 2};
  int64_t part = limit_ms * 1000000 / CHECKS;
  struct itimerspec every = {.it_interval = {part / 1000000000, part % 1000000000}};
  timer_t timer;

  event.sigev_value.sival_ptr = dog;
  event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
  every.it_value = every.it_interval;
  (void)sigemptyset(&action.sa_mask);
  if (sigaction(event.sigev_signo, &action, NULL) < 0 || timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &timer) < 0)
    return -errno;
  return timer_settime(timer, 0, &every, NULL) < 0 ? -errno : 0;
}

/* start(milliseconds, report): `report` is a buffer that stays where it is, text up to the first NUL. Answers 0 or -errno. */
static void *on_start(void *env, void *info) {
  struct watchdog *dog = calloc(1, sizeof *dog);
  void *argv[2] = {NULL, NULL}, *data = NULL, *result = NULL;
  size_t argc = 2;
  int64_t limit_ms = 0;
  int r = -ENOMEM;

  if (dog != NULL) {
    r = -EINVAL;
    if (napi_get_cb_info(env, info, &argc, argv, NULL, NULL) == 0 && argc == 2 &&
        napi_get_value_int64(env, argv[0], &limit_ms) == 0 && limit_ms > 0 && limit_ms <= INT32_MAX &&
        napi_get_buffer_info(env, argv[1], &data, &dog->length) == 0 && napi_get_uv_event_loop(env, &dog->loop) == 0) {
      dog->report = data;
      r = start(dog, limit_ms);
    }
    if (r < 0)
      free(dog);
  }
  return napi_create_int32(env, r, &result) == 0 ? result : NULL;
}

/* Node-API's entry point. */
WATCHDOG_EXPORT void *napi_register_module_v1(void *env, void *exports);

void *napi_register_module_v1(void *env, void *exports) {
  struct sigaction action = {.sa_handler = on_abort};
  void *function = NULL;

  (void)sigemptyset(&action.sa_mask);
  (void)sigaction(SIGABRT, &action, NULL);
  return napi_create_function(env, "start", SIZE_MAX, on_start, NULL, &function) == 0 ? function : exports;
}

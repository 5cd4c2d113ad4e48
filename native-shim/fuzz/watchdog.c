/* libFuzzer harness of the watchdog add-on: the arguments that JavaScript gives it, and a course of checks. Node's interfaces, the timer and
 * the end of the process are stood in for. Byte 0: what Node says to the arguments, bytes 1 to 8: the limit, byte 9: length of the report,
 * then the report, then one byte for each check. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define HEADER 10
#define CHECKS 4
#define STATUS 134

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
void *napi_register_module_v1(void *env, void *exports);

/* Not abort(3): what is looked at here handles its signal. */
#define fail() __builtin_trap()

static struct {
  void *(*start)(void *, void *);
  uint8_t answers;
  int64_t limit;
  char *report;
  size_t length;
  void *dog;
  int64_t interval;
  uint64_t turn;
  int result, status;
  bool armed;
  jmp_buf out;
} node;

int uv_metrics_info(void *loop, uint64_t *metrics);
int uv_metrics_info(void *loop, uint64_t *metrics) {
  if (loop != &node)
    fail();
  metrics[0] = node.turn;
  return 0;
}

int napi_get_uv_event_loop(void *env, void **loop);
int napi_get_uv_event_loop(void *env, void **loop) {
  (void)env;
  *loop = &node;
  return node.answers & 1;
}

int napi_get_cb_info(void *env, void *info, size_t *argc, void **argv, void **receiver, void **data);
int napi_get_cb_info(void *env, void *info, size_t *argc, void **argv, void **receiver, void **data) {
  (void)env, (void)info, (void)receiver, (void)data;
  /* Node fills what was given and says how many there were */
  for (size_t i = 0; i < *argc; i++)
    argv[i] = &node;
  *argc = (node.answers & 2) != 0 ? (node.answers >> 4) : 2;
  return node.answers >> 2 & 1;
}

int napi_get_value_int64(void *env, void *value, int64_t *result);
int napi_get_value_int64(void *env, void *value, int64_t *result) {
  (void)env, (void)value;
  *result = node.limit;
  return 0;
}

int napi_get_buffer_info(void *env, void *value, void **data, size_t *length);
int napi_get_buffer_info(void *env, void *value, void **data, size_t *length) {
  (void)env, (void)value;
  *data = node.report;
  *length = node.length;
  return node.answers >> 3 & 1;
}

int napi_create_function(void *env, const char *name, size_t length, void *(*function)(void *, void *), void *data, void **result);
int napi_create_function(void *env, const char *name, size_t length, void *(*function)(void *, void *), void *data, void **result) {
  (void)env, (void)name, (void)length, (void)data;
  node.start = function;
  *result = &node;
  return 0;
}

int napi_create_int32(void *env, int32_t value, void **result);
int napi_create_int32(void *env, int32_t value, void **result) {
  (void)env;
  node.result = value;
  *result = &node;
  return 0;
}

int timer_create(clockid_t clock, struct sigevent *event, timer_t *timer) {
  if (clock != CLOCK_THREAD_CPUTIME_ID)
    fail();
  node.dog = event->sigev_value.sival_ptr;
  *timer = NULL;
  return 0;
}

int timer_settime(timer_t timer, int flags, const struct itimerspec *value, struct itimerspec *old) {
  (void)timer, (void)flags, (void)old;
  if (value->it_interval.tv_nsec < 0 || value->it_interval.tv_nsec > 999999999 || value->it_interval.tv_sec < 0)
    fail();
  node.interval = value->it_interval.tv_sec * 1000000000 + value->it_interval.tv_nsec;
  return 0;
}

void _exit(int status) {
  if (!node.armed) {
    (void)syscall(SYS_exit_group, status);
    fail();
  }
  node.status = status;
  longjmp(node.out, 1);
}

/* One signal: from the timer, or from whoever may send one. */
static void check(uint8_t what) {
  struct sigaction action;
  siginfo_t info;

  memset(&info, 0, sizeof info);
  info.si_code = (what & 2) != 0 ? SI_TIMER : SI_QUEUE;
  info.si_value.sival_ptr = (what & 2) != 0 ? node.dog : NULL;
  node.turn += what & 1;
  if (sigaction(SIGRTMAX - 2, NULL, &action) < 0 || (action.sa_flags & SA_SIGINFO) == 0)
    fail();
  action.sa_sigaction(SIGRTMAX - 2, &info, NULL);
}

/* A worker ends at the fourth check by the timer in one turn of its loop, not before, and by nobody else's signal. */
static void run_checks(const uint8_t *data, size_t size) {
  volatile unsigned same = 0;
  volatile uint64_t turn = 0;
  volatile size_t i = 0;

  node.armed = true;
  if (setjmp(node.out) == 0) {
    for (; i < size; i++) {
      bool timer = (data[i] & 2) != 0;
      if (timer)
        same = node.turn + (data[i] & 1) == turn ? same + 1 : 0;
      if (timer)
        turn = node.turn + (data[i] & 1);
      check(data[i]);
      if (same >= CHECKS)
        fail();
    }
  } else if (same != CHECKS || node.status != STATUS) {
    fail();
  }
  node.armed = false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static int exports;

  if (size < HEADER || size - HEADER < data[9])
    return 0;
  memset(&node, 0, sizeof node);
  node.answers = data[0];
  memcpy(&node.limit, data + 1, sizeof node.limit);
  node.length = data[9];
  /* of exactly this size, without a NUL: the sanitizer sees a read beyond it */
  node.report = malloc(node.length + (node.length == 0));
  if (node.report == NULL)
    return 0;
  memcpy(node.report, data + HEADER, node.length);
  if (napi_register_module_v1(&node, &exports) != &node)
    fail();
  if (node.start(&node, &node) != &node || node.result > 0)
    fail();
  if ((node.result == 0) != (node.dog != NULL))
    fail();
  if (node.dog != NULL) {
    if (node.interval <= 0 || node.interval > (int64_t)INT32_MAX * 1000000 / CHECKS)
      fail();
    run_checks(data + HEADER + node.length, size - HEADER - node.length);
  }
  free(node.dog);
  free(node.report);
  return 0;
}

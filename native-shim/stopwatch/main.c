/* turf-stopwatch DIRECTORY - runs commands for `npm run bench` and times them.
 *
 * A process that has no heap to copy starts others in a tenth of the time that Node.js takes, and as engines do (vfork): what is
 * measured is the command. A line of stdin is `s` (one after the other, up to the first that fails) or `t` (together), then for each
 * command RS and its arguments, with US between. A line of stdout is `MILLISECONDS CPU FAILED…`: of whole processes, from spawn to
 * end, added up, or from the first spawn to the last end; CPU time of what was waited for; the numbers of commands that did not end
 * with 0. What command N wrote to stderr is in DIRECTORY/N.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"

#define RECORD '\x1e'
#define UNIT '\x1f'
#define MOST_COMMANDS 1024
#define MOST_ARGUMENTS 64

struct command {
  char *arguments[MOST_ARGUMENTS + 1];
  pid_t pid;
  bool failed;
};

static const char *directory;
static struct command commands[MOST_COMMANDS];

static _Noreturn void fail(const char *what, int error) {
  (void)fprintf(stderr, "turf-stopwatch: %s: %s\n", what, strerror(error));
  exit(1);
}

static double milliseconds(void) {
  struct timespec time;

  (void)clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

/* Takes the text after a RECORD apart, in place. Returns the text of the next command, or NULL. */
static char *parse(char *text, struct command *command) {
  char *next = strchr(text, RECORD);
  size_t count = 0;

  if (next != NULL)
    *next++ = '\0';
  for (char *unit = text; unit != NULL; count++) {
    if (count == MOST_ARGUMENTS)
      fail("arguments", E2BIG);
    command->arguments[count] = unit;
    unit = strchr(unit, UNIT);
    if (unit != NULL)
      *unit++ = '\0';
  }
  command->arguments[count] = NULL;
  return next;
}

static void start(struct command *command, size_t number) {
  posix_spawn_file_actions_t actions;
  char errors[PATH_MAX];

  if (snprintf(errors, sizeof errors, "%s/%zu", directory, number) >= (int)sizeof errors)
    fail(directory, ENAMETOOLONG);
  (void)posix_spawn_file_actions_init(&actions);
  (void)posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  (void)posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  (void)posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, errors, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  int error = posix_spawn(&command->pid, command->arguments[0], &actions, NULL, command->arguments, environ);
  (void)posix_spawn_file_actions_destroy(&actions);
  if (error != 0)
    fail(command->arguments[0], error);
}

/* Returns the CPU time of the command and what it waited for, in milliseconds. */
static double wait_for(struct command *command) {
  struct rusage usage;
  int status;

  while (wait4(command->pid, &status, 0, &usage) < 0)
    if (errno != EINTR)
      fail("wait4", errno);
  command->failed = status != 0;
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e3 +
         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e3;
}

static void measure(size_t count, bool together) {
  double total = 0, cpu = 0, began = milliseconds();
  size_t ran = 0;

  if (together) {
    for (; ran < count; ran++)
      start(&commands[ran], ran);
    for (size_t i = 0; i < count; i++)
      cpu += wait_for(&commands[i]);
    total = milliseconds() - began;
  } else {
    do {
      began = milliseconds();
      start(&commands[ran], ran);
      cpu += wait_for(&commands[ran]);
      total += milliseconds() - began;
    } while (!commands[ran++].failed && ran < count);
  }
  (void)printf("%.3f %.3f", total, cpu);
  for (size_t i = 0; i < ran; i++)
    if (commands[i].failed)
      (void)printf(" %zu", i);
  (void)printf("\n");
  (void)fflush(stdout);
}

int main(int argc, char *argv[]) {
  cleanup_free char *line = NULL;
  size_t size = 0;

  if (argc != 2) {
    (void)fprintf(stderr, "usage: turf-stopwatch DIRECTORY\n");
    return 2;
  }
  directory = argv[1];
  for (ssize_t length; (length = getline(&line, &size, stdin)) > 0;) {
    size_t count = 0;

    if (line[length - 1] == '\n')
      line[length - 1] = '\0';
    for (char *next = strchr(line, RECORD) == line + 1 ? line + 2 : NULL; next != NULL; count++) {
      if (count == MOST_COMMANDS)
        fail("commands", E2BIG);
      next = parse(next, &commands[count]);
    }
    if (count == 0)
      fail("a line without a command", EINVAL);
    measure(count, line[0] == 't');
  }
  return 0;
}

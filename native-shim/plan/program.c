/* program.c - finding the program as the container's user, and becoming it. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/syscalls.h"
#include "plan/run.h"

#ifndef SYS_faccessat2
#define SYS_faccessat2 439
#endif

/* What a seccomp filter that is loaded already answers for calls that the profile does not allow. */
static bool filtered(int result) {
  return result == -EPERM || result == -ENOSYS;
}

/* 0 when `path` is a file that the user may execute. Real and effective ids are the same by now, so that access(2), which an old
 * profile allows where it does not know faccessat2(2), asks the same. Where it denies all of them execve(2) has the last word. */
static int executable(const char *path) {
  struct stat found;

  int result = stat(path, &found) < 0 ? -errno : 0;
  if (result == 0 && S_ISDIR(found.st_mode))
    return -EACCES; /* as execve(2) has it */
  if (result < 0 && !filtered(result))
    return result;
  bool any = result < 0 || (found.st_mode & 0111) != 0;
  result = (int)turf_result(syscall(SYS_faccessat2, AT_FDCWD, path, X_OK, AT_EACCESS));
  if (filtered(result))
    result = (int)turf_result(syscall(SYS_faccessat, AT_FDCWD, path, X_OK));
  if (filtered(result))
    result = (int)turf_result(syscall(SYS_access, path, X_OK));
  if (filtered(result))
    result = any ? 0 : -EACCES;
  return result;
}

static int keep(struct turf_run *run, const char *directory, size_t length, const char *name) {
  char *program = run->program;

  if (length + 1 >= sizeof run->program)
    return -ENAMETOOLONG;
  memcpy(program, directory, length);
  program[length] = 0;
  if (length > 0)
    return turf_text_append(program, sizeof run->program, "/", name, NULL);
  return turf_text_append(program, sizeof run->program, name, NULL);
}

static int search(struct turf_run *run, const char *name, const char *path) {
  while (true) {
    size_t length = strcspn(path, ":");
    int result = length == 0 ? keep(run, ".", 1, name) : keep(run, path, length, name);
    if (result == 0 && executable(run->program) == 0)
      return 0;
    if (path[length] == 0)
      return -ENOENT;
    path += length + 1;
  }
}

int turf_op_find_program(struct turf_run *run, struct turf_reader *payload) {
  const char *name = turf_read_str(payload);
  const char *path = turf_read_str(payload);

  if (strchr(name, '/') == NULL) {
    if (*name != 0 && search(run, name, path) == 0)
      return 0;
    run->program[0] = 0;
    return turf_fail(run, -ENOENT, "exec: \"", name, "\": executable file not found in $PATH", NULL);
  }
  int result = keep(run, "", 0, name);
  if (result == 0)
    result = executable(name);
  if (result == 0)
    return 0;
  if (result == -EACCES)
    return turf_fail(run, result, "exec: \"", name, "\"", NULL);
  return turf_fail(run, result, "exec: \"", name, "\": stat ", name, NULL);
}

int turf_op_exec(struct turf_run *run, struct turf_reader *payload) {
  struct turf_strv arguments = turf_read_strv(payload);
  struct turf_strv environment = turf_read_strv(payload);
  char **argv;
  char **envp;

  int result = turf_run_vector(arguments, &argv);
  if (result == 0)
    result = turf_run_vector(environment, &envp);
  if (result < 0)
    return turf_fail(run, result, "prepare arguments", NULL);
  const char *program = run->program[0] != 0 ? run->program : argv[0];
  if (!run->umask_given)
    (void)umask(run->umask_before);
  result = turf_run_finish_limits(run);
  if (result < 0)
    return turf_fail(run, result, "limit open files", NULL);
  turf_reset_signals();
  (void)execve(program, argv, envp);
  return turf_fail(run, -errno, "exec ", program, NULL);
}

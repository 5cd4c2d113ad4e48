/* plan-test INIT - runs turf-init for real, as root: what each operation promises, seen from inside the container. TAP. */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "suite.h"

static void test_whole_container(struct suite *s) {
  struct sock_filter filter[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
                                 BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mkdir, 0, 1),
                                 BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EDOM),
                                 BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  struct builder b;
  struct outcome out;

  base_mounts(&b, s);
  op(&b, TURF_OP_HOSTNAME, "s", "inside");
  op(&b, TURF_OP_LOOPBACK_UP, "");
  op(&b, TURF_OP_MKNOD, "suuuuu", "/dev/null", S_IFCHR | 0666, 1, 3, 0, 0);
  op(&b, TURF_OP_SYMLINK, "ss", "/proc/self/fd", "/dev/fd");
  op(&b, TURF_OP_MOUNT_BIND, "susUUUUUu", "/etc", -1, "/link/made/etc", UINT64_C(1), NO_U64, NO_U64, NO_U64, NO_U64,
     TURF_MOUNT_CREATE_LIKE | TURF_MOUNT_RECURSIVE);
  op(&b, TURF_OP_MOUNT_FS, "sssUUuu", "tmpfs", "tmpfs", "/copy", NO_U64, NO_U64, TURF_MOUNT_COPY_UP, 0);
  op(&b, TURF_OP_PIVOT_ROOT, "u", 0);
  op(&b, TURF_OP_MASK_PATH, "s", "/proc/version");
  op(&b, TURF_OP_MASK_PATH, "s", "/masked");
  op(&b, TURF_OP_MASK_PATH, "s", "/proc/irq");
  op(&b, TURF_OP_MASK_PATH, "s", "/not/there");
  op(&b, TURF_OP_READONLY_PATH, "s", "/proc/sys");
  op(&b, TURF_OP_SYSCTL, "ss", "kernel/shmmni", "777");
  op(&b, TURF_OP_WRITE_PROC_SELF, "ss", "oom_score_adj", "321");
  op(&b, TURF_OP_RLIMIT, "uUU", 7, UINT64_C(12), UINT64_C(13));
  op(&b, TURF_OP_DROP_BOUNDING, "U", UINT64_C(0x21));
  op(&b, TURF_OP_MOUNT_SETATTR, "sUUUu", "/", UINT64_C(1), NO_U64, NO_U64, 0);
  op(&b, TURF_OP_USER, "uuuuuu", 1000, 1001, 1, 2, 5, 6);
  op(&b, TURF_OP_CAPABILITIES, "UUUU", UINT64_C(0x20), UINT64_C(0x20) | UINT64_C(1) << 63, UINT64_C(0x20), UINT64_C(0x20));
  op(&b, TURF_OP_NO_NEW_PRIVS, "");
  op_start(&b, TURF_OP_SECCOMP);
  put32(&b, 0);
  put32(&b, UINT32_MAX);
  put_bytes(&b, filter, sizeof filter);
  turf_put_u32(b.data + b.op, (uint32_t)(b.length - b.op - 4));
  op(&b, TURF_OP_UMASK, "u", 027);
  op(&b, TURF_OP_CLOSE_FDS, "u", 0);
  end(&b, "id; hostname; umask; ulimit -n; cat /proc/self/status /proc/sys/kernel/shmmni /proc/self/oom_score_adj; "
          "ifconfig lo; ls -la /dev /masked /proc/irq; stat -c %t:%T /proc/version; cat /copy/file; ls /link/made; "
          "ls /proc/self/fd | grep -v '^[0-3]$' | grep . && echo LEAKED; touch /tmp/made/etc/x; touch /x; "
          "touch /proc/sys/x; echo pid $$; busybox mkdir /copy/y; ls /; cat /proc/self/mountinfo; exit 0");
  run_container(s->init, &b, SPACES | CLONE_NEWNET, -1, &out);
  check(s, clean(&out), "a whole container starts, runs and ends", &out);
  const char *expected[] = {"uid=1000 gid=1001 groups=5,6", "inside\n", "0027\n",  "CapEff:\t0000000000000020",
                            "CapBnd:\t0000000000000021",    "CapAmb:\t0000000000000020", "NoNewPrivs:\t1", "Seccomp:\t2",
                            "\n777\n321\n", "UP LOOPBACK", "fd -> /proc/self/fd", "\n1:3\n", "\nkept\n", "etc\n",
                            "/tmp/made/etc/x: Read-only", "/x: Read-only", "/proc/sys/x: ", "pid 1\n",
                            "Numerical argument out of domain", "\n12\n"};
  for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
    check(s, strstr(out.output, expected[i]) != NULL, expected[i], &out);
  check(s, strstr(out.output, "secret") == NULL && strstr(out.output, "LEAKED") == NULL, "nothing masked or leaked", &out);
  int disks = 0;
  for (const char *at = out.output; (at = strstr(at, "/tmp/plan-test")) != NULL; at++)
    disks++;
  check(s, disks == 1, "the host's mounts are gone", &out);
  char path[256];
  path_in(path, s, "tmp/made/etc");
  check(s, access(path, F_OK) == 0, "a target through a symbolic link is made inside the root", &out);
}

static void test_user_namespace(struct suite *s) {
  struct builder b;
  struct outcome out;

  begin(&b);
  op(&b, TURF_OP_SYNC, "u", 1);
  op(&b, TURF_OP_BECOME_ROOT, "");
  op(&b, TURF_OP_PROPAGATION, "Uu", (uint64_t)MS_SLAVE, 1);
  op(&b, TURF_OP_ROOTFS, "suU", s->root, -1, NO_U64);
  op(&b, TURF_OP_MOUNT_FS, "sssUUuu", "proc", "proc", "/proc", UINT64_C(14), NO_U64, 0, 0);
  op(&b, TURF_OP_MOUNT_BIND, "susUUUUUu", "/dev", -1, "/dev", NO_U64, NO_U64, NO_U64, NO_U64, NO_U64, TURF_MOUNT_RECURSIVE);
  op(&b, TURF_OP_PIVOT_ROOT, "u", 0);
  op(&b, TURF_OP_MASK_PATH, "s", "/proc/version");
  op(&b, TURF_OP_READONLY_PATH, "s", "/proc/sys");
  op(&b, TURF_OP_SYSCTL, "ss", "kernel/shmmni", "778");
  op(&b, TURF_OP_WRITE_PROC_SELF, "ss", "oom_score_adj", "300");
  end(&b, "id -u; cat /proc/self/uid_map /proc/sys/kernel/shmmni /proc/self/oom_score_adj");
  run_container(s->init, &b, SPACES | CLONE_NEWUSER, -1, &out);
  check(s, clean(&out) && strstr(out.output, "\n778\n300\n") != NULL && strstr(out.output, "100000") != NULL,
        "a user namespace's root becomes root, writes sysctls after the masks", &out);
}

/* As a worker is made: the root comes as a detached mount from a daemon outside of the user namespace. */
static void test_detached_root(struct suite *s) {
  struct builder b;
  struct outcome out;
  int tree = (int)syscall(SYS_open_tree, AT_FDCWD, s->root, O_CLOEXEC | 1 /* OPEN_TREE_CLONE */);

  begin(&b);
  op(&b, TURF_OP_SYNC, "u", 1);
  op(&b, TURF_OP_BECOME_ROOT, "");
  op(&b, TURF_OP_UNSHARE, "u", CLONE_NEWNS);
  op(&b, TURF_OP_ROOTFS, "suU", "", 1, NO_U64);
  op(&b, TURF_OP_MOUNT_FS, "sssUUuu", "proc", "proc", "/proc", UINT64_C(14), NO_U64, 0, 0);
  op(&b, TURF_OP_MOUNT_SETATTR, "sUUUu", "/", UINT64_C(1), NO_U64, NO_U64, 0);
  op(&b, TURF_OP_PIVOT_ROOT, "u", 0);
  end(&b, "id -u; touch /x; cat /proc/self/mountinfo");
  run_container(s->init, &b, SPACES | CLONE_NEWUSER, tree, &out);
  check(s, clean(&out) && strstr(out.output, "0\ntouch: /x: Read-only") != NULL, "a detached mount becomes the root", &out);
  turf_close(&tree);
}

static void expect_error(struct suite *s, struct builder *b, uint32_t opcode, int err, const char *detail) {
  struct outcome out;

  run_container(s->init, b, SPACES, -1, &out);
  check(s, out.opcode == opcode && out.err == err && strstr(out.detail, detail) != NULL && WIFEXITED(out.status) &&
               WEXITSTATUS(out.status) == 1,
        detail, &out);
}

static void test_errors(struct suite *s) {
  const char *names[] = {"nothing", "/nothing", "/bin/plain", "/etc"};
  const char *details[] = {"exec: \"nothing\": executable file not found in $PATH", "exec: \"/nothing\": stat /nothing",
                           "exec: \"/bin/plain\"", "exec: \"/etc\""};
  int errors[] = {ENOENT, ENOENT, EACCES, EACCES};
  struct builder b;

  for (int i = 0; i < 4; i++) {
    base_mounts(&b, s);
    op(&b, TURF_OP_PIVOT_ROOT, "u", 0);
    op(&b, TURF_OP_FIND_PROGRAM, "ss", names[i], "/bin");
    expect_error(s, &b, TURF_OP_FIND_PROGRAM, errors[i], details[i]);
  }
  base_mounts(&b, s);
  op(&b, TURF_OP_MOUNT_FS, "sssUUuuss", "tmpfs", "tmpfs", "/tmp", NO_U64, NO_U64, 1, 1, "size", "much");
  expect_error(s, &b, TURF_OP_MOUNT_FS, EINVAL, "mount tmpfs on /tmp (tmpfs: Bad value for 'size')");
  base_mounts(&b, s);
  op(&b, TURF_OP_MOUNT_FS, "sssUUuu", "proc", "proc", "/link", NO_U64, NO_U64, 1, 0);
  expect_error(s, &b, TURF_OP_MOUNT_FS, ELOOP, "open mount target /link");
  base_mounts(&b, s);
  op(&b, TURF_OP_MOUNT_FS, "sssUUuu", "tmpfs", "tmpfs", "/dangling/x", NO_U64, NO_U64, 1, 0);
  expect_error(s, &b, TURF_OP_MOUNT_FS, ELOOP, "open mount target /dangling/x");
  base_mounts(&b, s);
  op(&b, TURF_OP_MKNOD, "suuuuu", "/dev/null", S_IFREG | 0666, 0, 0, 0, 0);
  op(&b, TURF_OP_MASK_PATH, "s", "/proc/version");
  expect_error(s, &b, TURF_OP_MASK_PATH, ENODEV, "verify /dev/null to mask /proc/version");
  base_mounts(&b, s);
  op(&b, TURF_OP_SYSCTL, "ss", "../self/oom_score_adj", "5");
  expect_error(s, &b, TURF_OP_SYSCTL, ELOOP, "write sysctl ../self/oom_score_adj");
  base_mounts(&b, s);
  op(&b, TURF_OP_HOOK, "svvuss", "/bin/busybox", "busybox", "sh", "-c", "cat >&2; exit 3", NULL, NULL, 5, "{@PID@}",
     "createContainer");
  expect_error(s, &b, TURF_OP_HOOK, ECHILD, "createContainer hook /bin/busybox: exit status 3, stderr: {");
  base_mounts(&b, s);
  op(&b, TURF_OP_HOOK, "svvuss", "/bin/busybox", "busybox", "sleep", "100", NULL, NULL, 1, "{}", "createContainer");
  expect_error(s, &b, TURF_OP_HOOK, ETIME, "createContainer hook /bin/busybox: timed out");
  base_mounts(&b, s);
  op(&b, TURF_OP_HOOK, "svvuss", "/no/hook", "x", NULL, NULL, 1, "{}", "createContainer");
  expect_error(s, &b, TURF_OP_HOOK, ECHILD, "exit status 127, stderr: No such file or directory");
  base_mounts(&b, s);
  op(&b, TURF_OP_PIVOT_ROOT, "u", 0);
  op(&b, TURF_OP_WAIT_START, "u", 0);
  op(&b, TURF_OP_EXEC, "vv", "/bin/plain", NULL, NULL);
  expect_error(s, &b, TURF_OP_EXEC, EACCES, "exec /bin/plain");
  base_mounts(&b, s);
  op(&b, TURF_OP_PIVOT_ROOT, "u", 7);
  expect_error(s, &b, TURF_OP_PIVOT_ROOT, EINVAL, "unknown mode of PIVOT_ROOT");
}

static void test_other_roots(struct suite *s) {
  struct builder b;
  struct outcome out;

  base_mounts(&b, s);
  op(&b, TURF_OP_PIVOT_ROOT, "u", 1);
  end(&b, "ls /bin/busybox && cat /proc/self/comm");
  run_container(s->init, &b, SPACES, -1, &out);
  check(s, clean(&out), "--no-pivot changes the root", &out);
  begin(&b);
  op(&b, TURF_OP_ROOTFS, "suU", s->root, -1, NO_U64);
  op(&b, TURF_OP_PIVOT_ROOT, "u", 2);
  end(&b, "ls /bin/busybox");
  run_container(s->init, &b, 0, -1, &out);
  check(s, clean(&out), "without a mount namespace the root is changed and nothing is mounted", &out);
  begin(&b);
  op(&b, TURF_OP_PROPAGATION, "Uu", (uint64_t)MS_SHARED, 1);
  op(&b, TURF_OP_ROOTFS, "suU", s->root, -1, (uint64_t)MS_SHARED);
  op(&b, TURF_OP_MOUNT_FS, "sssUUuu", "proc", "proc", "/proc", UINT64_C(14), NO_U64, 1, 0);
  op(&b, TURF_OP_PIVOT_ROOT, "u", 0);
  end(&b, "cat /proc/self/mountinfo");
  run_container(s->init, &b, SPACES, -1, &out);
  check(s, clean(&out) && strstr(out.output, "shared:") != NULL, "a shared root file system stays shared", &out);
}

static void test_long_option(struct suite *s) {
  struct builder b;
  struct outcome out;
  char lower[700] = "", size[300];

  snprintf(lower, sizeof lower, "%s/copy:%s/masked", s->root, s->root);
  for (int i = 0; strlen(lower) < 300; i++)
    snprintf(lower + strlen(lower), sizeof lower - strlen(lower), "%s", "/.");
  base_mounts(&b, s);
  op(&b, TURF_OP_MOUNT_FS, "sssUUuuss", "overlay", "overlay", "/long", UINT64_C(0x200006), (uint64_t)MS_SLAVE, 1, 1, "lowerdir", lower);
  snprintf(size, sizeof size, "%0290o", 65536u);
  op(&b, TURF_OP_MOUNT_FS, "sssUUuuss", "tmpfs", "tmpfs", "/copy", NO_U64, NO_U64, TURF_MOUNT_COPY_UP, 1, "size", size);
  op(&b, TURF_OP_PIVOT_ROOT, "u", 0);
  end(&b, "cat /long/file; cat /copy/file; grep -E '/long|/copy' /proc/self/mountinfo");
  run_container(s->init, &b, SPACES, -1, &out);
  check(s, clean(&out) && strstr(out.output, "kept\nkept\n") != NULL &&
                strstr(out.output, "nosuid,nodev,relatime,nosymfollow") != NULL && strstr(out.output, "size=64k") != NULL,
        "an option longer than fsconfig takes is mounted", &out);
}

static void test_console(struct suite *s) {
  struct builder b;
  struct outcome out;
  int pair[2];
  char text[32];

  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
    exit(99);
  base_mounts(&b, s);
  op(&b, TURF_OP_CONSOLE, "uuuuu", 1, 33, 77, 1000, 1);
  op(&b, TURF_OP_PIVOT_ROOT, "u", 0);
  end(&b, "tty; busybox stty size; stat -c '%u %t' /dev/console; echo done >/dev/console; exit 0");
  run_container(s->init, &b, SPACES, pair[1], &out);
  int master = receive_fd(pair[0], text);
  check(s, clean(&out) && master >= 0 && strcmp(text, "/dev/pts/0") == 0, "the console master is sent", &out);
  size_t used = 0;
  ssize_t got;
  while (master >= 0 && used < sizeof out.output - 1 &&
         (got = read(master, out.output + used, sizeof out.output - 1 - used)) > 0)
    used += (size_t)got;
  out.output[used] = 0;
  check(s, strstr(out.output, "/dev/pts/0\r\n33 77\r\n1000 88\r\ndone") != NULL, "the container owns its terminal", &out);
  turf_close(&master);
  turf_close(&pair[0]);
  turf_close(&pair[1]);
}

static void test_seccomp_listener(struct suite *s) {
  struct sock_filter filter[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
                                 BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mkdir, 0, 1),
                                 BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
                                 BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  struct builder b;
  struct outcome out;
  int pair[2];
  char text[32];

  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
    exit(99);
  base_mounts(&b, s);
  op(&b, TURF_OP_PIVOT_ROOT, "u", 0);
  op(&b, TURF_OP_SECCOMP_STATE, "s", "{\"pid\":@PID@}");
  op_start(&b, TURF_OP_SECCOMP);
  put32(&b, 0);
  put32(&b, 1);
  put_bytes(&b, filter, sizeof filter);
  turf_put_u32(b.data + b.op, (uint32_t)(b.length - b.op - 4));
  end(&b, "exit 0");
  run_container(s->init, &b, SPACES, pair[1], &out);
  int notify = receive_fd(pair[0], text);
  check(s, clean(&out) && notify >= 0 && strncmp(text, "{\"pid\":", 7) == 0, "the seccomp listener is sent", &out);
  turf_close(&notify);
  turf_close(&pair[0]);
  turf_close(&pair[1]);
}

/* The hook's own parent is the container's process, the first of its pid namespace. */
static void test_hook_state(struct suite *s) {
  struct builder b;
  struct outcome out;

  base_mounts(&b, s);
  op(&b, TURF_OP_HOOK, "svvuss", "/bin/busybox", "busybox", "sh", "-c",
     "read a && test \"$a\" = '{\"pid\":1}' && test \"$X\" = y", NULL, "X=y",
     NULL, 5, "{\"pid\":@PID@}\n", "createContainer");
  op(&b, TURF_OP_PIVOT_ROOT, "u", 0);
  end(&b, "exit 7");
  run_container(s->init, &b, SPACES, -1, &out);
  check(s, out.ready && out.err == 0 && WEXITSTATUS(out.status) == 7, "a hook reads the state with the pid", &out);
}

static void test_adopted(struct suite *s) {
  struct builder b;
  struct outcome out;
  int pair[2];

  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
    exit(99);
  base_mounts(&b, s);
  op(&b, TURF_OP_PIVOT_ROOT, "u", 0);
  op(&b, TURF_OP_CLOSE_FDS, "u", 0);
  op(&b, TURF_OP_ADOPT_FD, "uu", 1, 4); /* where the sync channel is */
  op(&b, TURF_OP_ADOPT_FD, "uu", 1, 3);
  end(&b, "echo one >&3; echo two >&4; ls /proc/self/fd");
  run_container(s->init, &b, SPACES, pair[1], &out);
  char text[16] = "";
  check(s, clean(&out) && recv(pair[0], text, sizeof text - 1, MSG_DONTWAIT) == 8 && strcmp(text, "one\ntwo\n") == 0,
        "descriptors are given at numbers that the plan itself was using", &out);
  turf_close(&pair[0]);
  turf_close(&pair[1]);
}

static void test_reconfigured(struct suite *s) {
  struct builder b;
  struct outcome out;

  base_mounts(&b, s);
  op(&b, TURF_OP_MOUNT_FS, "sssUUuuss", "tmpfs", "tmpfs", "/tmp", NO_U64, NO_U64, 0, 1, "size", "1m");
  op(&b, TURF_OP_RECONFIGURE, "suss", "/tmp", 1, "size", "3m");
  op(&b, TURF_OP_MOUNT_SETATTR, "sUUUu", "/tmp", UINT64_C(1), NO_U64, NO_U64, 0);
  op(&b, TURF_OP_RECONFIGURE, "sussss", "/dev", 2, "ro", "", "mode", "711");
  op(&b, TURF_OP_PIVOT_ROOT, "u", 0);
  end(&b, "grep -E ' /(tmp|dev) ' /proc/self/mountinfo; stat -c %a /dev");
  run_container(s->init, &b, SPACES, -1, &out);
  check(s, clean(&out) && strstr(out.output, " /tmp ro,") != NULL && strstr(out.output, "size=3072k") != NULL,
        "a mounted file system gets other options, its mount keeps its flags", &out);
  check(s, strstr(out.output, " tmpfs ro,") != NULL, "a flag without a value reaches the file system", &out);

  base_mounts(&b, s);
  op(&b, TURF_OP_RECONFIGURE, "suss", "/tmp", 1, "size", "3m");
  end(&b, "exit 0");
  run_container(s->init, &b, SPACES, -1, &out);
  check(s, !out.ready && out.opcode == TURF_OP_RECONFIGURE && strstr(out.detail, "remount /tmp") != NULL,
        "what is no mount point is refused by its path", &out);

  base_mounts(&b, s);
  op(&b, TURF_OP_RECONFIGURE, "suss", "/dev", 1, "nonsense", "1");
  end(&b, "exit 0");
  run_container(s->init, &b, SPACES, -1, &out);
  check(s, !out.ready && out.opcode == TURF_OP_RECONFIGURE && strstr(out.detail, "nonsense") != NULL,
        "an option that the file system does not know is named", &out);
}

int main(int argc, char **argv) {
  struct suite s = {.init = argc > 1 ? argv[1] : "../dist/native/turf-init"};

  if (geteuid() != 0) {
    puts("1..0 # SKIP needs root");
    return 0;
  }
  make_root(&s);
  test_whole_container(&s);
  test_user_namespace(&s);
  test_detached_root(&s);
  test_errors(&s);
  test_other_roots(&s);
  test_long_option(&s);
  test_console(&s);
  test_seccomp_listener(&s);
  test_hook_state(&s);
  test_adopted(&s);
  test_reconfigured(&s);
  printf("1..%d\n", s.count);
  remove_root(&s);
  return s.failed == 0 ? 0 : 1;
}

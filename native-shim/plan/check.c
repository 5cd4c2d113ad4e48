/* check.c - looks at every byte of a plan before its first operation runs. */
#include <errno.h>
#include <string.h>

#include "plan/run.h"

/* Payload of each operation: u u32, U u64, s str, b str of any bytes, v strv, p pairs, g u32 list, f fd, F fd that must
 * be there. */
static const char *layout_of(uint32_t opcode) {
  switch (opcode) {
  case TURF_OP_JOIN_NAMESPACE: return "Fu";
  case TURF_OP_ENTER_CGROUP: return "F";
  case TURF_OP_UNSHARE: return "u";
  case TURF_OP_SYNC: return "u";
  case TURF_OP_BECOME_ROOT: return "";
  case TURF_OP_HOSTNAME: return "s";
  case TURF_OP_DOMAINNAME: return "s";
  case TURF_OP_LOOPBACK_UP: return "";
  case TURF_OP_PROPAGATION: return "Uu";
  case TURF_OP_ROOTFS: return "sfU";
  case TURF_OP_MOUNT_FS: return "sssUUup";
  case TURF_OP_MOUNT_BIND: return "sfsUUUUUu";
  case TURF_OP_MOUNT_SETATTR: return "sUUUu";
  case TURF_OP_MKNOD: return "suuuuu";
  case TURF_OP_SYMLINK: return "ss";
  case TURF_OP_CONSOLE: return "Fuuuu";
  case TURF_OP_HOOK: return "svvuss";
  case TURF_OP_PIVOT_ROOT: return "u";
  case TURF_OP_MASK_PATH: return "s";
  case TURF_OP_READONLY_PATH: return "s";
  case TURF_OP_SYSCTL: return "ss";
  case TURF_OP_RLIMIT: return "uUU";
  case TURF_OP_WRITE_PROC_SELF: return "ss";
  case TURF_OP_DROP_BOUNDING: return "U";
  case TURF_OP_USER: return "uuug";
  case TURF_OP_CAPABILITIES: return "UUUU";
  case TURF_OP_NO_NEW_PRIVS: return "";
  case TURF_OP_SECCOMP: return "ufb";
  case TURF_OP_UMASK: return "u";
  case TURF_OP_SETSID: return "";
  case TURF_OP_CHDIR: return "su";
  case TURF_OP_FIND_PROGRAM: return "ss";
  case TURF_OP_WAIT_START: return "F";
  case TURF_OP_EXEC: return "vv";
  case TURF_OP_CLOSE_FDS: return "u";
  case TURF_OP_STDIO: return "fff";
  case TURF_OP_PERSONALITY: return "U";
  case TURF_OP_ADOPT_FD: return "Fu";
  case TURF_OP_SESSION_KEYRING: return "s";
  case TURF_OP_SCHEDULER: return "uUuuUUU";
  case TURF_OP_IO_PRIORITY: return "u";
  case TURF_OP_MEMORY_POLICY: return "ub";
  case TURF_OP_TIME_NAMESPACE: return "s";
  case TURF_OP_SECCOMP_STATE: return "s";
  case TURF_OP_SPAWN: return "u";
  case TURF_OP_CPU_AFFINITY: return "b";
  case TURF_OP_STAND_IN: return "F";
  case TURF_OP_BORROW_MOUNTS: return "u";
  case TURF_OP_RECONFIGURE: return "sp";
  default: return NULL;
  }
}

static bool read_payload(struct turf_reader *payload, const char *layout, uint32_t fd_count) {
  for (; *layout != 0 && !payload->failed; layout++) {
    uint32_t count;
    int32_t fd;

    switch (*layout) {
    case 'u': (void)turf_read_u32(payload); break;
    case 'U': (void)turf_read_u64(payload); break;
    case 's': (void)turf_read_str(payload); break;
    case 'b': (void)turf_read_bytes(payload); break;
    case 'v': (void)turf_read_strv(payload); break;
    case 'p':
      count = turf_read_u32(payload);
      for (uint32_t i = 0; i < count && !payload->failed; i++) {
        (void)turf_read_str(payload);
        (void)turf_read_str(payload);
      }
      break;
    case 'g':
      count = turf_read_u32(payload);
      (void)turf_read_raw(payload, (size_t)count * 4);
      break;
    default:
      fd = turf_read_i32(payload);
      if (fd < (*layout == 'F' ? 0 : -1) || fd >= (int32_t)fd_count)
        payload->failed = true;
    }
  }
  return !payload->failed && payload->at == payload->end;
}

/* Rules beyond the layout. Returns NULL or what is wrong. */
static const char *refuse(uint32_t opcode, struct turf_reader payload, bool last) {
  switch (opcode) {
  case TURF_OP_EXEC:
    if (turf_read_strv(&payload).count == 0)
      return "no program arguments";
    return last ? NULL : "EXEC is not the last operation";
  case TURF_OP_STAND_IN:
    return last ? NULL : "STAND_IN is not the last operation";
  case TURF_OP_PIVOT_ROOT:
    return turf_read_u32(&payload) > 2 ? "unknown mode of PIVOT_ROOT" : NULL;
  case TURF_OP_SECCOMP: {
    (void)turf_read_u64(&payload); /* flags, listener */
    uint32_t length = turf_read_bytes(&payload).length;
    return length == 0 || length % 8 != 0 || length / 8 > 4096 ? "not a seccomp program" : NULL;
  }
  case TURF_OP_CPU_AFFINITY:
    return turf_read_bytes(&payload).length % sizeof(long) != 0 ? "not a CPU mask" : NULL;
  case TURF_OP_ADOPT_FD:
    (void)turf_read_u32(&payload);
    uint32_t number = turf_read_u32(&payload);
    return number < 3 || number > INT32_MAX ? "descriptor number out of range" : NULL;
  default:
    return NULL;
  }
}

static int malformed(struct turf_plan_error *error, uint32_t index, uint32_t opcode, const char *why) {
  char digits[TURF_DIGITS];

  error->err = EINVAL;
  error->op_index = UINT32_MAX;
  error->opcode = opcode;
  error->detail[0] = 0;
  if (index == UINT32_MAX)
    turf_text_append(error->detail, sizeof error->detail, "launch plan: ", why, NULL);
  else
    turf_text_append(error->detail, sizeof error->detail, "launch plan, operation ", turf_text_number(digits, index), ": ",
                     why, NULL);
  return -EINVAL;
}

int turf_plan_check(const struct turf_plan *plan, struct turf_plan_error *error) {
  struct turf_reader reader = {.at = plan->data, .end = plan->data + plan->length};

  if (turf_read_u32(&reader) != TURF_PLAN_MAGIC)
    return malformed(error, UINT32_MAX, 0, "not a launch plan");
  if (turf_read_u32(&reader) != TURF_PLAN_VERSION)
    return malformed(error, UINT32_MAX, 0, "unknown version");

  uint32_t total = turf_read_u32(&reader);
  uint32_t op_count = turf_read_u32(&reader);
  uint32_t fd_count = turf_read_u32(&reader);
  if (reader.failed || total != plan->length)
    return malformed(error, UINT32_MAX, 0, "wrong length");
  if (fd_count != plan->fd_count || fd_count > TURF_PLAN_MAX_FDS)
    return malformed(error, UINT32_MAX, 0, "wrong number of descriptors");

  for (uint32_t i = 0; i < op_count; i++) {
    uint32_t opcode = turf_read_u16(&reader);
    uint16_t reserved = turf_read_u16(&reader);
    uint32_t length = turf_read_u32(&reader);
    const unsigned char *start = turf_read_raw(&reader, length);
    if (start == NULL)
      return malformed(error, i, opcode, "truncated");
    struct turf_reader payload = {.at = start, .end = start + length};
    struct turf_reader again = payload;
    const char *layout = layout_of(opcode);
    if (layout == NULL || reserved != 0)
      return malformed(error, i, opcode, "unknown operation");
    if (!read_payload(&payload, layout, fd_count))
      return malformed(error, i, opcode, "malformed payload");
    const char *why = refuse(opcode, again, i + 1 == op_count);
    if (why != NULL)
      return malformed(error, i, opcode, why);
  }
  return reader.at == reader.end ? 0 : malformed(error, UINT32_MAX, 0, "bytes after the last operation");
}

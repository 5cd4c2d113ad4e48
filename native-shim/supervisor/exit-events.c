#include "supervisor/exit-events.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cleanup.h"

/* A netlink packet as the connector sends it: nlmsghdr, cn_msg, proc_event. */
#define EVENT_AT (sizeof(struct nlmsghdr) + sizeof(struct cn_msg))
#define TGID_AT (EVENT_AT + offsetof(struct proc_event, event_data.exit.process_tgid))
#define FILTERED_MAX 1000
#define ACCEPT 0xffffffffU

/* PIDFD_INFO_EXIT came with 6.15. */
static bool kernel_remembers(void) {
  struct utsname name;
  int major = 0, minor = 0;

  return uname(&name) == 0 && sscanf(name.release, "%d.%d", &major, &minor) == 2 &&
         (major > 6 || (major == 6 && minor >= 15));
}

struct turf_exit_events turf_exit_events_new(void) {
  return (struct turf_exit_events){.socket = -1, .useless = kernel_remembers()};
}

static int subscribe(int fd, enum proc_cn_mcast_op operation) {
  unsigned char packet[EVENT_AT + sizeof operation] = {0};
  struct nlmsghdr header = {.nlmsg_len = sizeof packet, .nlmsg_type = NLMSG_DONE};
  struct cn_msg message = {.id = {CN_IDX_PROC, CN_VAL_PROC}, .len = sizeof operation};

  memcpy(packet, &header, sizeof header);
  memcpy(packet + sizeof header, &message, sizeof message);
  memcpy(packet + EVENT_AT, &operation, sizeof operation);
  return send(fd, packet, sizeof packet, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* Only the ends of these processes wake us, whatever else the machine does. A load is in network byte order. */
static int filter(int fd, const struct turf_watches *watches) {
  struct sock_filter code[FILTERED_MAX * 2 + 4];
  unsigned short length = 0;
  bool all = watches->foreign > FILTERED_MAX;

  code[length++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, EVENT_AT);
  code[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(PROC_EVENT_EXIT), 1, 0);
  code[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0);
  code[length++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, TGID_AT);
  for (size_t i = 0; i < TURF_WATCH_BUCKETS && !all; i++) {
    for (const struct turf_watch *watch = watches->buckets[i]; watch != NULL; watch = watch->next) {
      if (!watch->foreign)
        continue;
      code[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl((uint32_t)watch->pid), 0, 1);
      code[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, ACCEPT);
    }
  }
  code[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, all ? ACCEPT : 0);
  struct sock_fprog program = {.len = length, .filter = code};
  return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) < 0 ? -errno : 0;
}

static int listen_to(struct turf_exit_events *events, const struct turf_watches *watches) {
  struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = CN_IDX_PROC};
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = events};
  cleanup_fd int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_CONNECTOR);

  if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof address) < 0)
    return -errno;
  int result = filter(fd, watches);
  if (result == 0 && epoll_ctl(watches->epoll, EPOLL_CTL_ADD, fd, &event) < 0)
    result = -errno;
  if (result == 0)
    result = subscribe(fd, PROC_CN_MCAST_LISTEN);
  if (result < 0)
    return result;
  events->socket = steal_fd(&fd);
  return 0;
}

static void end_listening(struct turf_exit_events *events, const struct turf_watches *watches) {
  /* the kernel counts listeners by these messages, not by open sockets */
  (void)subscribe(events->socket, PROC_CN_MCAST_IGNORE);
  (void)epoll_ctl(watches->epoll, EPOLL_CTL_DEL, events->socket, NULL);
  turf_close(&events->socket);
}

void turf_exit_events_follow(struct turf_exit_events *events, const struct turf_watches *watches) {
  size_t changes = watches->additions + watches->removals;

  if (events->useless || changes == events->changes)
    return;
  events->changes = changes;
  if (watches->foreign == 0) {
    if (events->socket >= 0)
      end_listening(events, watches);
  } else if (events->socket >= 0) {
    (void)filter(events->socket, watches);
  } else if (listen_to(events, watches) < 0) {
    /* no connector in this kernel, or no right to it: statuses stay unknown, as `turf check` says */
    events->useless = true;
  }
}

void turf_exit_events_read(struct turf_exit_events *events, struct turf_watches *watches) {
  unsigned char packet[EVENT_AT + sizeof(struct proc_event)];
  struct proc_event event;

  while (events->socket >= 0) {
    struct sockaddr_nl from = {0};
    socklen_t size = sizeof from;
    ssize_t got = recvfrom(events->socket, packet, sizeof packet, 0, (struct sockaddr *)&from, &size);
    if (got < 0 && (errno == EINTR || errno == ENOBUFS))
      continue;
    if (got < 0)
      return;
    if (from.nl_pid != 0 || (size_t)got < sizeof packet)
      continue;
    memcpy(&event, packet + EVENT_AT, sizeof event);
    if (event.what != PROC_EVENT_EXIT)
      continue;
    /* the last thread's counts: one that ends before the others does not say how the process ends */
    turf_watch_set_status(watches, event.event_data.exit.process_tgid, (int)event.event_data.exit.exit_code);
  }
}

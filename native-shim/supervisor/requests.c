#include "supervisor/requests.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/frame.h"
#include "launch/launch.h"
#include "supervisor/front.h"
#include "supervisor/listeners.h"

#define FRAME_LIMIT 4096u
#define LISTENER 'H'

static void launch(struct turf_supervisor *supervisor, const struct turf_frame *frame, const unsigned char *payload) {
  unsigned char answer[TURF_LAUNCH_ANSWER];
  struct turf_launch request;
  struct turf_launched launched = {.step = "decode launch request"};

  launched.pid = turf_launch_decode(payload, frame->length, frame->fds, frame->fd_count, &request);
  if (launched.pid == 0) {
    request.open_files = supervisor->open_files;
    launched = turf_launch_run(&request);
  }
  uint32_t request_id = frame->length >= 4 ? turf_get_u32(payload) : 0;
  turf_supervisor_send(supervisor, 'P', answer, turf_launch_answer(request_id, &launched, answer));
}

static int watch(struct turf_supervisor *supervisor, struct turf_frame *frame, const unsigned char *payload) {
  if (frame->length != 12 || frame->fd_count != 1)
    return -EPROTO;
  return turf_watch_add(&supervisor->watches, (pid_t)turf_get_u32(payload), turf_get_u64(payload + 4),
                        steal_fd(&frame->fds[0]));
}

static int hold(struct turf_supervisor *supervisor, struct turf_frame *frame, const unsigned char *name) {
  if (frame->fd_count != 1)
    return -EPROTO;
  return turf_listeners_keep(&supervisor->listeners, name, frame->length, steal_fd(&frame->fds[0]));
}

/* Gives a copy of a socket through the connection that came along; without one that connection just ends. */
static int give(const struct turf_supervisor *supervisor, const struct turf_frame *frame, const unsigned char *name) {
  if (frame->fd_count != 1)
    return -EPROTO;
  int fd = turf_listeners_find(&supervisor->listeners, name, frame->length);
  if (fd >= 0)
    (void)turf_frame_send(frame->fds[0], LISTENER, NULL, 0, &fd, 1);
  return 0;
}

static int watch_listener(const struct turf_supervisor *supervisor, const struct turf_frame *frame, const unsigned char *name) {
  int result = turf_listeners_watch(&supervisor->listeners, name, frame->length);

  /* one that was released meanwhile */
  return result == -ENOENT ? 0 : result;
}

static void become_ready(struct turf_supervisor *supervisor) {
  static const char ready = TURF_FRONT_READY;

  if (!supervisor->ready && supervisor->front >= 0)
    (void)send(supervisor->front, &ready, sizeof ready, MSG_NOSIGNAL);
  supervisor->ready = true;
}

static int act(struct turf_supervisor *supervisor, struct turf_frame *frame, const unsigned char *payload, bool alive) {
  switch (frame->type) {
  case 'L':
    if (alive)
      launch(supervisor, frame, payload);
    return 0;
  case 'A':
    return watch(supervisor, frame, payload);
  case LISTENER:
    return hold(supervisor, frame, payload);
  case 'T':
    return give(supervisor, frame, payload);
  case 'W':
    return watch_listener(supervisor, frame, payload);
  /* a connection that came along ends when this is done */
  case 'R':
    turf_listeners_release(&supervisor->listeners, payload, frame->length);
    return 0;
  case 'Y':
    become_ready(supervisor);
    return 0;
  case 'Q':
    supervisor->quitting = true;
    return 0;
  default:
    return -EPROTO;
  }
}

static int read_one(struct turf_supervisor *supervisor, bool alive) {
  unsigned char payload[FRAME_LIMIT];
  struct turf_frame frame;
  int result = turf_frame_receive(supervisor->channel, payload, sizeof payload, &frame);

  if (result < 0)
    return result;
  result = act(supervisor, &frame, payload, alive);
  turf_frame_close_fds(&frame);
  return result;
}

void turf_supervisor_read(struct turf_supervisor *supervisor) {
  int result = read_one(supervisor, true);

  if (result == 0)
    return;
  if (result != -EPIPE && result != -ECONNRESET)
    turf_supervisor_kill_node(supervisor, "it does not follow the protocol of its channel");
  turf_close(&supervisor->channel);
  turf_outbox_clear(&supervisor->outbox);
}

void turf_supervisor_drain(struct turf_supervisor *supervisor) {
  while (supervisor->channel >= 0) {
    struct pollfd waiting = {.fd = supervisor->channel, .events = POLLIN};
    if (poll(&waiting, 1, 0) <= 0 || read_one(supervisor, false) < 0)
      break;
  }
  turf_close(&supervisor->channel);
  turf_outbox_clear(&supervisor->outbox);
}

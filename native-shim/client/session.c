#include "client/session.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/frame.h"
#include "client/child.h"
#include "client/signals.h"
#include "client/terminal.h"
#include "launch/launch.h"

#define CHUNK 65536u

struct session {
  int socket; /* -1: the daemon is gone */
  int signals;
  bool stdin_is_tty, stdin_wanted, finished;
  int exit_code;
  uint64_t asked_to_end; /* bit n: signal n was passed on to the daemon once */
  struct turf_client_child child;
  struct turf_terminal terminal;
  unsigned char *chunk; /* CHUNK bytes */
};

static void finish(struct session *session, int exit_code) {
  session->finished = true;
  session->exit_code = exit_code;
}

static void say(const char *text) {
  (void)turf_write_all(STDERR_FILENO, text, strlen(text));
}

/* A launched child that the daemon has not taken note of would run on unknown to anybody; a foreground one is known. */
static void lose_daemon(struct session *session) {
  turf_close(&session->socket);
  session->stdin_wanted = false;
  if (session->child.foreground) {
    if (session->child.ended)
      finish(session, turf_child_exit_code(&session->child));
    return;
  }
  turf_child_discard(&session->child);
  say("turf: the daemon went away\n");
  finish(session, 1);
}

/* A failed send is no end yet: `X` may still wait in the receive buffer. */
static void send_frame(struct session *session, uint32_t type, const void *payload, uint32_t length) {
  if (session->socket >= 0)
    (void)turf_frame_send(session->socket, type, payload, length, NULL, 0);
}

/* The reader has left, as `head` does: end the way cat(1) would, unless a container runs in the foreground. */
static void lose_output(struct session *session) {
  if (session->child.foreground)
    return;
  turf_child_discard(&session->child);
  turf_signals_deliver(SIGPIPE);
  finish(session, 1);
}

static int copy_output(struct session *session, int fd, uint32_t length) {
  bool open = true;

  while (length > 0) {
    uint32_t part = length < CHUNK ? length : CHUNK;
    int result = turf_frame_receive_exactly(session->socket, session->chunk, part);
    if (result < 0)
      return result;
    length -= part;
    if (open && turf_write_all(fd, session->chunk, part) < 0) {
      open = false;
      lose_output(session);
    }
  }
  return 0;
}

static void launch(struct session *session, const struct turf_frame *frame) {
  unsigned char answer[TURF_LAUNCH_ANSWER];
  struct turf_launch request;
  struct turf_launched launched = {.step = "decode launch request"};

  uint32_t request_id = frame->length >= 4 ? turf_get_u32(session->chunk) : 0;
  launched.pid = turf_launch_decode(session->chunk, frame->length, frame->fds, frame->fd_count, &request);
  if (launched.pid == 0 && session->child.pid > 0)
    launched.pid = -EBUSY;
  if (launched.pid == 0)
    launched = turf_launch_run(&request);
  if (launched.pid > 0)
    session->child = (struct turf_client_child){.pid = launched.pid, .request_id = request_id};
  send_frame(session, 'P', answer, turf_launch_answer(request_id, &launched, answer));
}

static void report_child(struct session *session) {
  unsigned char payload[8];

  if (!turf_child_reap(&session->child))
    return;
  turf_terminal_finish(&session->terminal);
  turf_put_u32(payload, session->child.request_id);
  turf_put_u32(payload + 4, (uint32_t)session->child.wait_status);
  send_frame(session, 'W', payload, sizeof payload);
  if (session->socket < 0)
    finish(session, turf_child_exit_code(&session->child));
}

static int foreground(struct session *session, struct turf_frame *frame) {
  if (frame->length != 8 || session->child.pid <= 0 || turf_get_u32(session->chunk) != session->child.request_id)
    return -EPROTO;
  if (turf_get_u32(session->chunk + 4) == 1 && frame->fd_count == 1)
    turf_terminal_start(&session->terminal, steal_fd(&frame->fds[0]), session->stdin_is_tty);
  session->child.foreground = true;
  /* What came while the container was being made was meant for it. The child cannot have been reaped before. */
  for (int number = 1; number < 64; number++)
    if ((session->asked_to_end >> number & 1) != 0)
      (void)kill(session->child.pid, number);
  report_child(session);
  return 0;
}

/* What was launched has cloned the container's process and ended. */
static int replace_child(struct session *session, const struct turf_frame *frame) {
  struct turf_client_child *child = &session->child;

  if (frame->length != 8 || child->pid <= 0 || child->foreground || turf_get_u32(session->chunk) != child->request_id)
    return -EPROTO;
  return turf_child_replace(child, (pid_t)turf_get_u32(session->chunk + 4));
}

static int act_on_frame(struct session *session, struct turf_frame *frame) {
  switch (frame->type) {
  case 'L':
    launch(session, frame);
    return 0;
  case 'C':
    return replace_child(session, frame);
  case 'F':
    return foreground(session, frame);
  case 'i':
    session->stdin_wanted = true;
    return 0;
  case 'X':
    if (frame->length != 4)
      return -EPROTO;
    finish(session, (int)(turf_get_u32(session->chunk) & 0xff));
    if (session->exit_code != 0)
      turf_child_discard(&session->child);
    return 0;
  default:
    return -EPROTO;
  }
}

static void read_frame(struct session *session) {
  struct turf_frame frame;
  int result = turf_frame_receive_header(session->socket, TURF_FRAME_LIMIT, &frame);

  if (result < 0) {
    lose_daemon(session);
    return;
  }
  if (frame.type == 'O' || frame.type == 'E') {
    result = copy_output(session, frame.type == 'O' ? STDOUT_FILENO : STDERR_FILENO, frame.length);
  } else {
    result = frame.length <= CHUNK ? turf_frame_receive_exactly(session->socket, session->chunk, frame.length) : -EPROTO;
    if (result == 0)
      result = act_on_frame(session, &frame);
  }
  turf_frame_close_fds(&frame);
  if (result < 0)
    lose_daemon(session);
}

static void send_stdin(struct session *session) {
  ssize_t got = read(STDIN_FILENO, session->chunk, CHUNK);

  if (got < 0 && (errno == EINTR || errno == EAGAIN))
    return;
  session->stdin_wanted = got > 0;
  send_frame(session, 'I', session->chunk, got > 0 ? (uint32_t)got : 0);
}

/* Without a child the daemon decides what a signal ends; who sends it again means this process. */
static void pass_to_daemon(struct session *session, int number) {
  unsigned char payload[4];
  uint64_t bit = UINT64_C(1) << (number % 64);

  if ((session->asked_to_end & bit) != 0) {
    turf_child_discard(&session->child);
    turf_signals_deliver(number);
  }
  session->asked_to_end |= bit;
  turf_put_u32(payload, (uint32_t)number);
  send_frame(session, 'S', payload, sizeof payload);
}

static void act_on_signal(struct session *session, int number) {
  bool relaying = session->terminal.master >= 0;

  if (number == SIGCHLD) {
    report_child(session);
  } else if (number == SIGWINCH && (relaying || !session->child.foreground)) {
    turf_terminal_resize(&session->terminal);
  } else if (session->child.foreground) {
    if (number == SIGCONT)
      turf_terminal_resume(&session->terminal);
    if (!session->child.ended)
      (void)kill(session->child.pid, number);
  } else if (number == SIGTSTP || number == SIGTTIN || number == SIGTTOU) {
    turf_signals_deliver(number);
  } else if (number != SIGCONT && number != SIGURG) {
    pass_to_daemon(session, number);
  }
}

enum { SOCKET, SIGNALS, INPUT, CONSOLE, MASTER, SOURCES };

static void wait_for_events(struct session *session, struct pollfd sources[SOURCES]) {
  struct turf_terminal *terminal = &session->terminal;
  bool pending = terminal->pending_at < terminal->pending_end;
  bool relay_input = terminal->master >= 0 && terminal->input_open && !pending;

  sources[SOCKET] = (struct pollfd){.fd = session->socket, .events = POLLIN};
  sources[SIGNALS] = (struct pollfd){.fd = session->signals, .events = POLLIN};
  sources[INPUT] = (struct pollfd){.fd = session->stdin_wanted || relay_input ? STDIN_FILENO : -1, .events = POLLIN};
  sources[CONSOLE] = (struct pollfd){.fd = terminal->console, .events = POLLIN};
  sources[MASTER] = (struct pollfd){.fd = terminal->master, .events = (short)(POLLIN | (pending ? POLLOUT : 0))};
  if (poll(sources, SOURCES, -1) < 0)
    for (int i = 0; i < SOURCES; i++)
      sources[i].revents = 0;
}

static void serve(struct session *session) {
  struct pollfd sources[SOURCES];
  struct turf_terminal *terminal = &session->terminal;

  wait_for_events(session, sources);
  if (sources[CONSOLE].revents != 0)
    turf_terminal_receive_master(terminal);
  if ((sources[MASTER].revents & POLLOUT) != 0)
    turf_terminal_write_input(terminal);
  if ((sources[MASTER].revents & (POLLIN | POLLHUP | POLLERR)) != 0)
    turf_terminal_copy_output(terminal);
  if (sources[INPUT].revents != 0) {
    if (session->stdin_wanted)
      send_stdin(session);
    else
      turf_terminal_read_input(terminal);
  }
  if (sources[SIGNALS].revents != 0) {
    int number = turf_signals_next(session->signals);
    if (number > 0)
      act_on_signal(session, number);
  }
  if (!session->finished && session->socket >= 0 && sources[SOCKET].revents != 0)
    read_frame(session);
}

int turf_session_run(int socket, uint32_t tty_bits) {
  /* a client touches only the pages that it fills */
  static unsigned char chunk[CHUNK];
  static char pending[TURF_RELAY_BUFFER];
  struct session session = {
      .socket = socket,
      .signals = turf_signals_open(),
      .stdin_is_tty = (tty_bits & 1) != 0,
      .terminal = {.console = -1, .master = -1, .tty = -1, .pending = pending},
      .chunk = chunk,
  };

  while (!session.finished)
    serve(&session);
  turf_terminal_finish(&session.terminal);
  turf_close(&session.socket);
  turf_close(&session.signals);
  return session.exit_code;
}

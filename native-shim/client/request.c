#include "client/request.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/frame.h"

#define REQUEST_VERSION 1u

/* What most requests fit into: one page is touched, and no heap is set up. */
#define USUAL_SIZE 4096u

/* Appends what there is room for, and counts in any case. */
struct writer {
  unsigned char *at;
  size_t size, length;
};

static void put(struct writer *w, const void *bytes, size_t length) {
  if (w->length <= w->size && length <= w->size - w->length)
    memcpy(w->at + w->length, bytes, length);
  w->length += length;
}

static void put_u32(struct writer *w, uint32_t value) {
  unsigned char bytes[4];

  turf_put_u32(bytes, value);
  put(w, bytes, sizeof bytes);
}

static void put_str(struct writer *w, const char *text) {
  size_t length = strlen(text);

  put_u32(w, (uint32_t)length);
  put(w, text, length);
}

/* The environment is chosen, not handed over: what a caller keeps in it besides is none of the daemon's business. */
static bool is_passed_on(const char *variable) {
  static const char *const names[] = {"TERM=", "XDG_RUNTIME_DIR=", "NOTIFY_SOCKET=", "COLUMNS=", "NO_COLOR=", "PATH="};
  static const char *const prefixes[] = {"TURF_", "LISTEN_"};

  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (strncmp(variable, names[i], strlen(names[i])) == 0)
      return true;
  for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
    if (strncmp(variable, prefixes[i], strlen(prefixes[i])) == 0)
      return true;
  return false;
}

static void put_env(struct writer *w, char *const env[]) {
  uint32_t count = 0;

  for (char *const *variable = env; *variable != NULL; variable++)
    count += is_passed_on(*variable);
  put_u32(w, count);
  for (char *const *variable = env; *variable != NULL; variable++)
    if (is_passed_on(*variable))
      put_str(w, *variable);
}

struct facts {
  char directory[PATH_MAX];
  uint32_t tty_bits, umask;
  struct winsize window;
};

static void gather(struct facts *facts, uint32_t tty_bits) {
  /* a removed directory: only relative paths would need it */
  if (getcwd(facts->directory, sizeof facts->directory) == NULL)
    strcpy(facts->directory, "/");
  facts->tty_bits = tty_bits;
  facts->window = (struct winsize){0};
  for (int fd = 0; fd < 3; fd++)
    if ((tty_bits & 1u << fd) != 0 && ioctl(fd, TIOCGWINSZ, &facts->window) == 0)
      break;
  facts->umask = umask(0);
  (void)umask((mode_t)facts->umask);
}

static void put_request(struct writer *w, int argc, char *const argv[], char *const env[], const struct facts *facts) {
  put_u32(w, REQUEST_VERSION);
  put_u32(w, argc > 0 ? (uint32_t)argc - 1 : 0);
  for (int i = 1; i < argc; i++)
    put_str(w, argv[i]);
  put_str(w, facts->directory);
  put_env(w, env);
  put_u32(w, facts->tty_bits);
  put_u32(w, facts->window.ws_row);
  put_u32(w, facts->window.ws_col);
  put_u32(w, facts->umask);
}

int turf_client_send_request(int socket, int argc, char *const argv[], char *const env[], uint32_t tty_bits) {
  static unsigned char usual[USUAL_SIZE];
  static struct facts facts;
  struct writer w = {.at = usual, .size = sizeof usual};

  gather(&facts, tty_bits);
  put_request(&w, argc, argv, env, &facts);
  if (w.length > TURF_FRAME_LIMIT)
    return -E2BIG;
  cleanup_free unsigned char *larger = NULL;
  if (w.length > w.size) {
    larger = malloc(w.length);
    if (larger == NULL)
      return -ENOMEM;
    w = (struct writer){.at = larger, .size = w.length};
    put_request(&w, argc, argv, env, &facts);
  }
  return turf_frame_send(socket, 'R', w.at, (uint32_t)w.length, NULL, 0);
}

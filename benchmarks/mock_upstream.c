// A loopback provider that costs next to nothing, so that what is measured is the client.
// It speaks OpenAI's Chat Completions; one thread, epoll, no allocation per event. Linux only.
//
//   cc -O2 -o mock_upstream mock_upstream.c && ./mock_upstream [PORT]      prints "PORT <n>"
//
// The model's name says what to answer, so it passes through any SDK unchanged: mock-t2000-d20000-f0-w1-s1-x429
//   t  tokens (one event each; their number in a whole answer too)       20
//   d  microseconds between two writes of a stream, per token             0 (as fast as they are read)
//   f  microseconds before the first byte                                 0
//   w  tokens per write                                                   1
//   s  1: the text of each token is "T<CLOCK_MONOTONIC, 19 digits> "      0
//   x  answer with this HTTP status and an error                          0
// GET /stats tells how late paced tokens were sent since it was last asked.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { READ_PIECE = 65536, ENDS = 4096, BURST = 256, TOKEN_MAX = 64 };
enum status { DEAD = -1, DONE, BLOCKED };

typedef struct {
  char *bytes;
  size_t start, end, room;
} buffer;

typedef struct {
  int fd, place;  // place: index in the timer heap, -1 when not in it
  int watching_out;
  uint64_t due;
  enum { READING, WAITING, STREAMING, FLUSHING } state;
  buffer in, out;
  size_t request_size;
  long tokens, delay, first_delay, per_write, stamped, error, sent;
  int stream, usage;
} connection;

static int poller, timer, listener;
static connection **heap;
static int heap_size, heap_room;
static uint64_t armed;  // what the timer is set to
static struct {
  uint64_t paced, sum, max, over_1ms, over_5ms;
} lateness;

static uint64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

// ---- what is answered -----------------------------------------------------------------------------------------------

static const char *WORDS[] = {" the", " of", " and", " quick", " model", ",", " returns", " a",
                              " stream", " tok", "ens", ".", " In", " prac", "tice", " caf\u00e9",
                              " is", " normal", "ised", "\\n", " \\\"quoted\\\"", " value", " 42", " units"};
enum { WORD_COUNT = sizeof WORDS / sizeof *WORDS };

// As many headers, and as long, as a real provider behind a CDN sends.
static const char HEADERS[] =
    "Date: Tue, 18 Nov 2025 09:12:44 GMT\r\nConnection: keep-alive\r\naccess-control-expose-headers: X-Request-ID\r\n"
    "openai-organization: user-9fk2lzz0d4m1qk3v7a8tqp5x\r\nopenai-processing-ms: 211\r\n"
    "openai-project: proj_Y2hlY2tlZC1ieS1ub2JvZHk\r\nopenai-version: 2020-10-01\r\n"
    "x-envoy-upstream-service-time: 229\r\nx-ratelimit-limit-requests: 10000\r\nx-ratelimit-limit-tokens: 200000\r\n"
    "x-ratelimit-remaining-requests: 9999\r\nx-ratelimit-remaining-tokens: 199981\r\n"
    "x-ratelimit-reset-requests: 8.64s\r\nx-ratelimit-reset-tokens: 5ms\r\n"
    "x-request-id: req_5b1a7e0f3c2d4b6a8e9f0a1b2c3d4e5f\r\ncf-cache-status: DYNAMIC\r\n"
    "Set-Cookie: __cf_bm=Zk3yqk0Qm2l8b1o9c7d6e5f4a3b2c1d0-1763457164-1.0.1.1-abcdefghijklmnopqrstuvwxyz0123456789; "
    "path=/; HttpOnly; SameSite=None\r\n"
    "Strict-Transport-Security: max-age=31536000; includeSubDomains; preload\r\nX-Content-Type-Options: nosniff\r\n"
    "Server: cloudflare\r\nCF-RAY: 9a0b1c2d3e4f5a6b-FRA\r\nalt-svc: h3=\":443\"; ma=86400\r\n\r\n";

#define ID "\"id\":\"chatcmpl-CdAbC1d2E3f4G5h6I7j8K9l0M1n2\","
#define MODEL "\"created\":1763457164,\"model\":\"gpt-4o-mini-2024-07-18\","
#define TIER "\"service_tier\":\"default\",\"system_fingerprint\":\"fp_560af6e559\""
#define CHUNK "data: {" ID "\"object\":\"chat.completion.chunk\"," MODEL TIER ",\"choices\":["
#define USAGE                                                                                            \
  "\"usage\":{\"prompt_tokens\":25,\"completion_tokens\":%ld,\"total_tokens\":%ld,"                      \
  "\"prompt_tokens_details\":{\"cached_tokens\":0,\"audio_tokens\":0},"                                  \
  "\"completion_tokens_details\":{\"reasoning_tokens\":0,\"audio_tokens\":0,"                            \
  "\"accepted_prediction_tokens\":0,\"rejected_prediction_tokens\":0}}"
#define DELTA CHUNK "{\"index\":0,\"delta\":{\"content\":\""
#define DELTA_END "\"},\"logprobs\":null,\"finish_reason\":null}],"

static const char DELTA_HEAD[] = DELTA;
static const char DELTA_TAIL[] = DELTA_END "\"obfuscation\":\"q7GkPz\"}\n\n";
static const char DELTA_TAIL_USAGE[] = DELTA_END "\"usage\":null,\"obfuscation\":\"q7GkPz\"}\n\n";

// ---- bytes ----------------------------------------------------------------------------------------------------------

static void reserve(buffer *b, size_t size) {
  if (b->start == b->end) b->start = b->end = 0;
  if (b->end + size <= b->room) return;
  while (b->end + size > b->room) b->room = b->room ? b->room * 2 : 16384;
  b->bytes = realloc(b->bytes, b->room);
}

static void put(buffer *b, const char *bytes, size_t size) {
  reserve(b, size);
  memcpy(b->bytes + b->end, bytes, size);
  b->end += size;
}

static void put_text(buffer *b, const char *text) { put(b, text, strlen(text)); }

static void put_chunk(buffer *b, const char *text) {
  char size[24];
  snprintf(size, sizeof size, "%zx\r\n", strlen(text));
  put_text(b, size);
  put_text(b, text);
  put_text(b, "\r\n");
}

static void consume(buffer *b, size_t size) {
  b->start += size;
  if (b->start < b->end) {
    memmove(b->bytes, b->bytes + b->start, b->end - b->start);
    b->end -= b->start;
    b->start = 0;
  } else if (b->room > READ_PIECE * 4) {
    free(b->bytes);
    *b = (buffer){0};
  } else {
    b->start = b->end = 0;
  }
}

static int put_token(connection *c, char *text) {
  if (c->stamped) return sprintf(text, "T%019llu ", (unsigned long long)now());
  const char *word = WORDS[c->sent % WORD_COUNT];
  int size = (int)strlen(word);
  memcpy(text, word, (size_t)size);
  return size;
}

static void put_delta(connection *c) {
  char token[TOKEN_MAX], size[24];
  size_t text = (size_t)put_token(c, token);
  const char *tail = c->usage ? DELTA_TAIL_USAGE : DELTA_TAIL;
  size_t tail_size = c->usage ? sizeof DELTA_TAIL_USAGE - 1 : sizeof DELTA_TAIL - 1;
  put(&c->out, size, (size_t)sprintf(size, "%zx\r\n", sizeof DELTA_HEAD - 1 + text + tail_size));
  put(&c->out, DELTA_HEAD, sizeof DELTA_HEAD - 1);
  put(&c->out, token, text);
  put(&c->out, tail, tail_size);
  put(&c->out, "\r\n", 2);
  c->sent++;
}

static void put_stream_head(connection *c) {
  put_text(&c->out, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n");
  put_text(&c->out, "Transfer-Encoding: chunked\r\n");
  put_text(&c->out, HEADERS);
  put_chunk(&c->out, CHUNK "{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\",\"refusal\":null},"
                           "\"logprobs\":null,\"finish_reason\":null}],\"obfuscation\":\"q7GkPzT1w\"}\n\n");
}

static void put_stream_tail(connection *c) {
  char usage[1024];
  put_chunk(&c->out, CHUNK "{\"index\":0,\"delta\":{},\"logprobs\":null,\"finish_reason\":\"stop\"}],"
                           "\"obfuscation\":\"q7G\"}\n\n");
  snprintf(usage, sizeof usage, CHUNK "]," USAGE ",\"obfuscation\":\"q\"}\n\n", c->tokens, c->tokens + 25);
  if (c->usage) put_chunk(&c->out, usage);
  put_chunk(&c->out, "data: [DONE]\n\n");
  put_text(&c->out, "0\r\n\r\n");
}

static void put_body(connection *c, long status, const buffer *body) {
  char head[160];
  snprintf(head, sizeof head, "HTTP/1.1 %ld %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n", status,
           status == 200 ? "OK" : "Mock", body->end);
  put_text(&c->out, head);
  put_text(&c->out, HEADERS);
  put(&c->out, body->bytes, body->end);
}

static void put_error(connection *c, long status) {
  char text[160];
  const char *format = "{\"error\":{\"message\":\"status %ld\",\"type\":\"mock_error\",\"param\":null}}";
  int size = snprintf(text, sizeof text, format, status);
  put_body(c, status, &(buffer){.bytes = text, .end = (size_t)size});
}

static void put_answer(connection *c) {
  buffer body = {0};
  char token[TOKEN_MAX], tail[1024];
  put_text(&body, "{" ID "\"object\":\"chat.completion\"," MODEL "\"choices\":[{\"index\":0,"
                  "\"message\":{\"role\":\"assistant\",\"content\":\"");
  for (; c->sent < c->tokens; c->sent++) put(&body, token, (size_t)put_token(c, token));
  snprintf(tail, sizeof tail,
           "\",\"refusal\":null,\"annotations\":[]},\"logprobs\":null,\"finish_reason\":\"stop\"}]," USAGE "," TIER
           "}\n",
           c->tokens, c->tokens + 25);
  put_text(&body, tail);
  put_body(c, 200, &body);
  free(body.bytes);
}

static void put_stats(connection *c) {
  char text[256];
  uint64_t n = lateness.paced ? lateness.paced : 1;
  int size = snprintf(text, sizeof text,
                      "{\"mean_us\":%.1f,\"max_us\":%.1f,\"over_1ms\":%.6f,\"over_5ms\":%.6f}\n",
                      (double)lateness.sum / 1e3 / (double)n, (double)lateness.max / 1e3,
                      (double)lateness.over_1ms / (double)n, (double)lateness.over_5ms / (double)n);
  memset(&lateness, 0, sizeof lateness);
  put_body(c, 200, &(buffer){.bytes = text, .end = (size_t)size});
}

// ---- timers: a heap ordered by `due` --------------------------------------------------------------------------------

static void place(connection *c, int at) {
  heap[at] = c;
  c->place = at;
}

static void swap(int a, int b) {
  connection *c = heap[a];
  place(heap[b], a);
  place(c, b);
}

static void sift(int at) {
  while (at && heap[(at - 1) / 2]->due > heap[at]->due) {
    swap(at, (at - 1) / 2);
    at = (at - 1) / 2;
  }
  for (;;) {
    int left = 2 * at + 1, least = at;
    if (left < heap_size && heap[left]->due < heap[least]->due) least = left;
    if (left + 1 < heap_size && heap[left + 1]->due < heap[least]->due) least = left + 1;
    if (least == at) return;
    swap(at, least);
    at = least;
  }
}

static void unschedule(connection *c) {
  int at = c->place;
  if (at < 0) return;
  c->place = -1;
  if (at == --heap_size) return;
  place(heap[heap_size], at);
  sift(at);
}

static void schedule(connection *c, uint64_t due) {
  unschedule(c);
  if (heap_size == heap_room) {
    heap_room = heap_room ? heap_room * 2 : 256;
    heap = realloc(heap, (size_t)heap_room * sizeof *heap);
  }
  c->due = due;
  place(c, heap_size++);
  sift(c->place);
}

// ---- one connection -------------------------------------------------------------------------------------------------

static void drop(connection *c) {
  unschedule(c);
  close(c->fd);
  free(c->in.bytes);
  free(c->out.bytes);
  free(c);
}

static void watch_out(connection *c, int wanted) {
  if (c->watching_out == wanted) return;
  c->watching_out = wanted;
  struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | (wanted ? EPOLLOUT : 0), .data.ptr = c};
  epoll_ctl(poller, EPOLL_CTL_MOD, c->fd, &event);
}

static enum status flush(connection *c) {
  buffer *out = &c->out;
  while (out->start < out->end) {
    ssize_t written = send(c->fd, out->bytes + out->start, out->end - out->start, MSG_NOSIGNAL);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0 && errno != EAGAIN) return DEAD;
    if (written < 0) {
      watch_out(c, 1);
      return BLOCKED;
    }
    out->start += (size_t)written;
  }
  watch_out(c, 0);
  return DONE;
}

static void note_lateness(uint64_t late) {
  lateness.paced++;
  lateness.sum += late;
  if (late > lateness.max) lateness.max = late;
  lateness.over_1ms += late > 1000000;
  lateness.over_5ms += late > 5000000;
}

static void put_tokens(connection *c) {
  if (c->delay && c->sent) note_lateness(now() - c->due);
  for (long i = 0; i < c->per_write && c->sent < c->tokens; i++) put_delta(c);
  if (c->sent < c->tokens) return;
  put_stream_tail(c);
  c->state = FLUSHING;
}

static enum status read_request(connection *c);

static enum status finish(connection *c) {
  enum status status = flush(c);
  if (status != DONE) return status;
  consume(&c->in, c->request_size);
  c->state = READING;
  return read_request(c);
}

// Sends what is due, and sees to it that the rest is sent later.
static enum status advance(connection *c) {
  for (int burst = 0; c->state == STREAMING; burst++) {
    if (burst == BURST) {
      schedule(c, 1);  // the other connections' turn
      return DONE;
    }
    put_tokens(c);
    if (c->state == FLUSHING) break;
    enum status status = flush(c);
    if (status == DEAD) return DEAD;
    if (c->delay) {
      schedule(c, (c->due ? c->due : now()) + (uint64_t)(c->delay * c->per_write) * 1000u);
      return DONE;
    }
    if (status == BLOCKED) return BLOCKED;
  }
  return finish(c);
}

static enum status answer(connection *c) {
  c->state = FLUSHING;
  if (c->error) {
    put_error(c, c->error);
  } else if (!c->stream) {
    put_answer(c);
  } else {
    put_stream_head(c);
    c->state = STREAMING;
    c->due = 0;
  }
  return advance(c);
}

static enum status on_timer(connection *c) {
  if (c->state == WAITING) return answer(c);
  enum status status = flush(c);
  return status == DONE ? advance(c) : status;
}

// All that is asked for stands at the head or the tail of a body, however big the image between them.
static const char *find(const char *body, size_t size, const char *what) {
  size_t length = strlen(what);
  if (size <= 2 * ENDS) return memmem(body, size, what, length);
  const char *found = memmem(body, ENDS, what, length);
  return found ? found : memmem(body + size - ENDS, ENDS, what, length);
}

static long option(const char *model, const char *end, char name, long otherwise) {
  for (const char *at = model; at + 2 < end && *at != '"'; at++)
    if (at[0] == '-' && at[1] == name && at[2] >= '0' && at[2] <= '9') return atol(at + 2);
  return otherwise;
}

static void read_options(connection *c, const char *body, size_t size) {
  const char *end = body + size, *model = find(body, size, "mock-");
  if (!model) model = end;
  c->tokens = option(model, end, 't', 20);
  c->delay = option(model, end, 'd', 0);
  c->first_delay = option(model, end, 'f', 0);
  c->per_write = option(model, end, 'w', 1);
  c->stamped = option(model, end, 's', 0);
  c->error = option(model, end, 'x', 0);
  c->stream = find(body, size, "\"stream\":true") || find(body, size, "\"stream\": true");
  c->usage = find(body, size, "include_usage") != NULL;
  c->sent = 0;
}

static enum status handle(connection *c, const char *body, size_t size) {
  char *head = c->in.bytes + c->in.start;
  c->state = FLUSHING;
  if (!strncmp(head, "GET /stats", 10)) {
    put_stats(c);
    return finish(c);
  }
  if (!memmem(head, (size_t)(strchr(head, '\r') - head), "/chat/completions", 17)) {
    put_error(c, 404);
    return finish(c);
  }
  read_options(c, body, size);
  if (!c->first_delay) return answer(c);
  c->state = WAITING;
  schedule(c, now() + (uint64_t)c->first_delay * 1000u);
  return DONE;
}

static enum status read_request(connection *c) {
  if (c->state != READING || c->in.start == c->in.end) return DONE;
  size_t size = c->in.end - c->in.start, length = 0;
  char *head = c->in.bytes + c->in.start;
  char *end = memmem(head, size, "\r\n\r\n", 4);
  if (!end) return DONE;
  for (char *line = memmem(head, size, "\r\n", 2); line < end; line = memmem(line + 2, size, "\r\n", 2)) {
    if (!strncasecmp(line + 2, "content-length:", 15)) length = strtoul(line + 17, NULL, 10);
    if (!strncasecmp(line + 2, "transfer-encoding:", 18)) return DEAD;  // no client here has a reason for it
  }
  c->request_size = (size_t)(end + 4 - head) + length;
  return size < c->request_size ? DONE : handle(c, end + 4, length);
}

static enum status on_readable(connection *c) {
  for (;;) {
    reserve(&c->in, READ_PIECE);
    size_t room = c->in.room - c->in.end;
    ssize_t got = recv(c->fd, c->in.bytes + c->in.end, room, 0);
    if (got == 0) return DEAD;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno == EAGAIN ? read_request(c) : DEAD;
    c->in.end += (size_t)got;
    if ((size_t)got < room) return read_request(c);
  }
}

static enum status on_event(connection *c, uint32_t events) {
  if (events & (EPOLLHUP | EPOLLERR)) return DEAD;
  if (events & EPOLLIN && on_readable(c) == DEAD) return DEAD;
  if (events & EPOLLRDHUP) return DEAD;
  if (!(events & EPOLLOUT)) return DONE;
  enum status status = flush(c);
  if (status != DONE || c->place >= 0 || c->state == READING) return status;
  return advance(c);
}

// ---- the loop -------------------------------------------------------------------------------------------------------

static void accept_all(void) {
  int one = 1;
  for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0;) {
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    connection *c = calloc(1, sizeof *c);
    c->fd = fd;
    c->place = -1;
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP, .data.ptr = c};
    epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
  }
}

static void arm_timer(void) {
  uint64_t due = heap_size ? heap[0]->due : 0;
  if (due == armed) return;
  struct itimerspec spec = {.it_value = {(time_t)(due / 1000000000u), (long)(due % 1000000000u)}};
  timerfd_settime(timer, TFD_TIMER_ABSTIME, &spec, NULL);
  armed = due;
}

static void run_timers(void) {
  uint64_t time = now();
  while (heap_size && heap[0]->due <= time) {
    connection *c = heap[0];
    uint64_t due = c->due;
    unschedule(c);
    if (on_timer(c) == DEAD) drop(c);
    if (due == 1) return;  // a burst gives way to what has arrived meanwhile
  }
}

static void listen_on(uint16_t port) {
  int one = 1;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(listener, (void *)&address, size) || listen(listener, 2048)) {
    perror("bind");
    exit(1);
  }
  getsockname(listener, (void *)&address, &size);
  printf("PORT %d\n", ntohs(address.sin_port));
  fflush(stdout);
}

int main(int argc, char **argv) {
  signal(SIGPIPE, SIG_IGN);
  listen_on(argc > 1 ? (uint16_t)atoi(argv[1]) : 0);
  poller = epoll_create1(0);
  timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
  epoll_ctl(poller, EPOLL_CTL_ADD, listener, &(struct epoll_event){.events = EPOLLIN, .data.ptr = &listener});
  epoll_ctl(poller, EPOLL_CTL_ADD, timer, &(struct epoll_event){.events = EPOLLIN | EPOLLET, .data.ptr = &timer});
  struct epoll_event events[256];
  for (;;) {
    arm_timer();
    int count = epoll_wait(poller, events, 256, -1);
    for (int i = 0; i < count; i++) {
      void *source = events[i].data.ptr;
      if (source == &listener)
        accept_all();
      else if (source == &timer)
        armed = 0;
      else if (on_event(source, events[i].events) == DEAD)
        drop(source);
    }
    run_timers();
  }
}

/* agent.h says what this does, docs/serial.md what the bytes mean. A request is read in place in the buffer of its frame; the answer
   is kept as it was sent, for a request that comes twice because its answer was lost. */

#include "agent.h"

#define VERSION 1u
#define ANSWER 0x80u

enum request { HELLO = 1, BEGIN, DATA, LOAD, CONTEXT, CALL, READ, UNLOAD, LIST };

/* Statuses besides enum thumbpf_status. */
enum refusal { NO_ROOM = 0xfc, BAD_ORDER = 0xfd, BAD_REQUEST = 0xfe, UNKNOWN_REQUEST = 0xff };

/* A request that is read, or an answer that is written, at `at`. */
struct message {
  unsigned char *at;
  uint32_t left;
};

static uint32_t get(struct message *from, uint32_t size) {
  uint32_t value = 0, byte;
  for (byte = 0; byte < size; byte++) value |= (uint32_t)from->at[byte] << (8 * byte);
  from->at += size;
  from->left -= size;
  return value;
}

static void put(struct message *to, uint32_t value, uint32_t size) {
  uint32_t byte;
  for (byte = 0; byte < size; byte++) to->at[byte] = (unsigned char)(value >> (8 * byte));
  to->at += size;
  to->left -= size;
}

static void move(void *to, const void *from, uint32_t size) {
  volatile unsigned char *d = to;
  const unsigned char *s = from;
  for (; size > 0; size--) *d++ = *s++;
}

/* The rest of a request as a name; 0 if it is none. */
static int read_name(const struct message *request, char *name) {
  uint32_t index;
  if (request->left == 0 || request->left >= THUMBPF_AGENT_NAME) return 0;
  for (index = 0; index < request->left; index++) {
    if (request->at[index] == 0) return 0;
    name[index] = (char)request->at[index];
  }
  name[index] = 0;
  return 1;
}

static struct thumbpf_agent_slot *slot_of(const struct thumbpf_agent *agent, const struct thumbpf_program *program) {
  uint32_t index;
  for (index = 0; index < agent->slot_count; index++) {
    if (agent->slots[index].name[0] != 0 && &agent->slots[index].program == program) return &agent->slots[index];
  }
  return NULL;
}

static uint32_t load(struct thumbpf_agent *agent, const struct message *request, struct message *answer) {
  struct thumbpf_setup setup;
  char name[THUMBPF_AGENT_NAME];
  uint32_t index, status = NO_ROOM;
  if (!read_name(request, name)) return BAD_REQUEST;
  if (agent->expected == 0 || agent->received != agent->expected) return BAD_ORDER;
  setup.helpers = agent->helpers;
  setup.helper_count = agent->helper_count;
  setup.maps = agent->maps;
  setup.map_count = agent->map_count;
  setup.most_stack = agent->most_stack;
  setup.transient = 1;
  /* The first slot that is free and large enough. */
  for (index = 0; index < agent->slot_count; index++) {
    struct thumbpf_agent_slot *slot = &agent->slots[index];
    if (slot->name[0] != 0) continue;
    setup.code = slot->code;
    setup.data = slot->data;
    move(slot->name, name, THUMBPF_AGENT_NAME);
    status = (uint32_t)thumbpf_load(agent->programs, &slot->program, slot->name, agent->image.at, agent->expected, &setup);
    if (status == THUMBPF_OK) break;
    slot->name[0] = 0;
    if (status != THUMBPF_NO_CODE_MEMORY && status != THUMBPF_NO_DATA_MEMORY) break;
  }
  put(answer, agent->programs->detail, 4);
  agent->expected = 0;
  return status;
}

static uint32_t call(struct thumbpf_agent *agent, struct message *request, struct message *answer) {
  struct thumbpf_agent_end end;
  struct thumbpf_env env;
  struct thumbpf_result result;
  struct thumbpf_program *program;
  char name[THUMBPF_AGENT_NAME];
  uint32_t size, len, limit, offset;
  void *ctx;
  if (request->left < 12) return BAD_REQUEST;
  size = get(request, 4);
  len = get(request, 4);
  limit = get(request, 4);
  if (size > agent->context.size || !read_name(request, name)) return BAD_REQUEST;
  program = thumbpf_find(agent->programs, name);
  if (program == NULL) return THUMBPF_NOT_LOADED;
  ctx = size == 0 ? NULL : agent->context.at;
  agent->invoke(thumbpf_begin(program, ctx, len, &env), ctx, len, &env, limit, &end);
  thumbpf_end(program, &env, end.r0, &result);
  offset = result.offset;
  if (end.kind == THUMBPF_RETURNED && result.trap != 0) end.kind = THUMBPF_TRAPPED;
  if (end.kind >= THUMBPF_FAULTED) {
    /* Execution that has left the code was called from before LR. */
    offset = end.pc - (uint32_t)program->code;
    if (offset >= program->code_bytes) offset = (end.lr & ~1u) - 1 - (uint32_t)program->code;
  }
  put(answer, (uint32_t)end.kind, 1);
  put(answer, (uint32_t)result.r0, 4);
  put(answer, (uint32_t)(result.r0 >> 32), 4);
  put(answer, result.trap, 4);
  put(answer, offset < program->code_bytes ? offset : 0xffffffffu, 4);
  put(answer, end.pc, 4);
  put(answer, end.cfsr, 4);
  put(answer, end.address, 4);
  return THUMBPF_OK;
}

static uint32_t unload(struct thumbpf_agent *agent, const struct message *request) {
  char name[THUMBPF_AGENT_NAME];
  struct thumbpf_agent_slot *slot;
  uint32_t status;
  if (!read_name(request, name)) return BAD_REQUEST;
  slot = slot_of(agent, thumbpf_find(agent->programs, name));
  if (slot == NULL) return THUMBPF_NOT_LOADED;
  status = (uint32_t)thumbpf_unload(agent->programs, &slot->program);
  if (status == THUMBPF_OK) slot->name[0] = 0;
  return status;
}

static uint32_t list(const struct thumbpf_agent *agent, struct message *request, struct message *answer) {
  const struct thumbpf_program *program = agent->programs->first;
  const char *name;
  uint32_t index;
  if (request->left != 1) return BAD_REQUEST;
  for (index = get(request, 1); index > 0 && program != NULL; index--) program = program->next;
  if (program == NULL) return THUMBPF_NOT_LOADED;
  put(answer, (uint32_t)program->code, 4);
  put(answer, program->code_bytes, 4);
  for (name = program->name; *name != 0 && answer->left > 0; name++) put(answer, (unsigned char)*name, 1);
  return THUMBPF_OK;
}

/* A piece of the image that comes in order, or again. */
static uint32_t data(struct thumbpf_agent *agent, struct message *request, struct message *answer) {
  uint32_t offset, status = THUMBPF_OK;
  if (request->left < 4) return BAD_REQUEST;
  offset = get(request, 4);
  if (offset > agent->received || request->left > agent->expected - offset) {
    status = BAD_ORDER;
  } else if (offset + request->left > agent->received) {
    move((unsigned char *)agent->image.at + offset, request->at, request->left);
    agent->received = offset + request->left;
  }
  put(answer, agent->received, 4);
  return status;
}

/* A piece of the context: to it, or from it. */
static uint32_t context(struct thumbpf_agent *agent, struct message *request, struct message *answer, int read) {
  uint32_t offset, size;
  if (request->left < (read ? 6u : 4u)) return BAD_REQUEST;
  offset = get(request, 4);
  size = read ? get(request, 2) : request->left;
  if (offset > agent->context.size || size > agent->context.size - offset || (read && size > answer->left)) return BAD_REQUEST;
  if (!read) {
    move((unsigned char *)agent->context.at + offset, request->at, size);
    return THUMBPF_OK;
  }
  move(answer->at, (unsigned char *)agent->context.at + offset, size);
  answer->at += size;
  answer->left -= size;
  return THUMBPF_OK;
}

/* Does what a request says; the status goes before what it has written to answer. */
static uint32_t perform(struct thumbpf_agent *agent, uint32_t type, struct message *request, struct message *answer) {
  switch (type) {
    case HELLO:
      if (request->left != 5) return BAD_REQUEST;
      agent->expected = 0;
      agent->received = 0;
      get(request, 1);
      /* What tells this answer from those to others before. */
      put(answer, get(request, 4), 4);
      put(answer, VERSION, 1);
      put(answer, THUMBPF_AGENT_FRAME, 2);
      put(answer, agent->image.size, 4);
      put(answer, agent->context.size, 4);
      return THUMBPF_OK;
    case BEGIN:
      if (request->left != 4) return BAD_REQUEST;
      agent->received = 0;
      agent->expected = get(request, 4);
      if (agent->expected <= agent->image.size) return THUMBPF_OK;
      agent->expected = 0;
      return NO_ROOM;
    case DATA:
      return data(agent, request, answer);
    case LOAD:
      return load(agent, request, answer);
    case CONTEXT:
      return context(agent, request, answer, 0);
    case CALL:
      return call(agent, request, answer);
    case READ:
      return context(agent, request, answer, 1);
    case UNLOAD:
      return unload(agent, request);
    case LIST:
      return list(agent, request, answer);
    default:
      return UNKNOWN_REQUEST;
  }
}

/* Consistent overhead byte stuffing: before each run of bytes that are not 0 its length plus 1, 0 is not sent. In place; gives the
   size, 0 if it is wrong. */
static uint32_t unstuff(unsigned char *bytes, uint32_t size) {
  uint32_t from = 0, to = 0;
  while (from < size) {
    uint32_t length = bytes[from++];
    uint32_t each;
    if (length - 1 > size - from) return 0;
    for (each = 1; each < length; each++) bytes[to++] = bytes[from++];
    if (length != 255 && from < size) bytes[to++] = 0;
  }
  return to;
}

/* The other way, between two zeros. */
static uint32_t stuff(const unsigned char *bytes, uint32_t size, unsigned char *to) {
  uint32_t at = 2, start = 1, index;
  to[0] = 0;
  for (index = 0; index < size; index++) {
    if (bytes[index] != 0) to[at++] = bytes[index];
    if (bytes[index] == 0 || (at - start == 255 && index + 1 < size)) {
      to[start] = (unsigned char)(at - start);
      start = at++;
    }
  }
  to[start] = (unsigned char)(at - start);
  to[at++] = 0;
  return at;
}

static void answer_frame(struct thumbpf_agent *agent, uint32_t size) {
  unsigned char plain[THUMBPF_AGENT_FRAME + 4];
  struct message request, answer;
  uint32_t type, sum;
  if (size < 6 || size > THUMBPF_AGENT_FRAME + 4) return;
  request.at = agent->frame + size - 4;
  request.left = 4;
  sum = get(&request, 4);
  if (thumbpf_crc32(0, agent->frame, size - 4) != sum) return;
  type = agent->frame[0];
  /* The same again: its answer was lost. A greeting begins anew, whoever greets. */
  if (type == HELLO || agent->answer_size == 0 || agent->answered != sum) {
    request.at = agent->frame + 2;
    request.left = size - 6;
    plain[0] = (unsigned char)(type | ANSWER);
    plain[1] = agent->frame[1];
    answer.at = plain + 3;
    answer.left = THUMBPF_AGENT_FRAME - 3;
    plain[2] = (unsigned char)perform(agent, type, &request, &answer);
    size = (uint32_t)(answer.at - plain);
    answer.left = 4;
    put(&answer, thumbpf_crc32(0, plain, size), 4);
    agent->answer_size = stuff(plain, size + 4, agent->answer);
    agent->answered = sum;
  }
  agent->send(agent->answer, agent->answer_size);
}

void thumbpf_agent_receive(struct thumbpf_agent *agent, unsigned char byte) {
  if (byte != 0) {
    if (agent->count < sizeof agent->frame) agent->frame[agent->count] = byte;
    if (agent->count <= sizeof agent->frame) agent->count++;
    return;
  }
  if (agent->count > 0 && agent->count <= sizeof agent->frame) answer_frame(agent, unstuff(agent->frame, agent->count));
  agent->count = 0;
}

void thumbpf_agent_idle(struct thumbpf_agent *agent) {
  agent->count = 0;
  agent->expected = 0;
  agent->received = 0;
}

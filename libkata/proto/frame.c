// SPDX-License-Identifier: Apache-2.0
/*
 * frame: the only place that knows how the messages of msg.h lie on the wire.
 *
 * Every body is a list of little-endian fields in the order of its struct, the string last
 * behind a u16 length. Decoders go through one cursor and ask once, at the end, whether
 * all fitted and nothing was left over; after that the ranges are checked, so that no caller
 * ever sees an enum value without a meaning.
 *
 * Must not know: sockets, JSON, who is host and who is guest.
 */
#include "proto/frame.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "proto/notify.h"

/** Most numbers in a STATS_DATA of a newer agent. */
#define STATS_SENT_MAX 256
/** Linux has no errno above this (MAX_ERRNO). */
#define ERRNO_MAX 4095

static const char *const type_names[] = {
	[MSG_HELLO] = "HELLO",
	[MSG_REPLY] = "REPLY",
	[MSG_EXIT] = "EXIT",
	[MSG_STREAM_END] = "STREAM_END",
	[MSG_OOM] = "OOM",
	[MSG_WARNING] = "WARNING",
	[MSG_STATS_DATA] = "STATS_DATA",
	[MSG_NOTIFY] = "NOTIFY",
	[MSG_WELCOME] = "WELCOME",
	[MSG_CREATE] = "CREATE",
	[MSG_START] = "START",
	[MSG_EXEC] = "EXEC",
	[MSG_SIGNAL] = "SIGNAL",
	[MSG_WINSIZE] = "WINSIZE",
	[MSG_STDIN_END] = "STDIN_END",
	[MSG_DELETE] = "DELETE",
	[MSG_SHUTDOWN] = "SHUTDOWN",
	[MSG_UPDATE] = "UPDATE",
	[MSG_PAUSE] = "PAUSE",
	[MSG_RESUME] = "RESUME",
	[MSG_STATS] = "STATS",
	[MSG_NETWORK] = "NETWORK",
	[MSG_CONNECT] = "CONNECT",
	[MSG_FORWARD] = "FORWARD",
};

static void add_header(struct buf *b, uint32_t len, uint16_t type, uint32_t id)
{
	buf_add_u32(b, len);
	buf_add_u16(b, type);
	buf_add_u16(b, 0);
	buf_add_u32(b, id);
}

static void add_text(struct buf *b, const char *text, size_t len)
{
	buf_add_u16(b, (uint16_t)len);
	buf_add(b, text, len);
}

static void get_text(struct cursor *c, uint16_t len, char *dst, size_t size)
{
	dst[0] = '\0';
	cursor_str(c, len, dst, size);
}

void frame_add(struct buf *b, uint16_t type, uint32_t id, const void *body, size_t len)
{
	add_header(b, (uint32_t)len, type, id);
	buf_add(b, body, len);
}

int frame_next(const struct buf *b, uint32_t max_body, struct frame *ret)
{
	struct cursor c;
	struct frame f;
	uint16_t zero;

	if (buf_len(b) < PROTO_HEADER)
		return 0;
	c = cursor_of(buf_ptr(b), PROTO_HEADER);
	f.len = cursor_u32(&c);
	f.type = cursor_u16(&c);
	zero = cursor_u16(&c);
	f.id = cursor_u32(&c);
	if (zero != 0)
		return -EPROTO;
	if (f.len > max_body)
		return -EMSGSIZE;
	if (buf_len(b) - PROTO_HEADER < f.len)
		return 0;
	*ret = f;
	return 1;
}

void frame_add_hello(struct buf *b, const struct msg_hello *m)
{
	size_t n = strnlen(m->release, sizeof(m->release) - 1);

	add_header(b, (uint32_t)(2 + 2 + 8 + 8 + 2 + n), MSG_HELLO, 0);
	buf_add_u16(b, m->version_min);
	buf_add_u16(b, m->version_max);
	buf_add_u64(b, m->uptime_kernel_us);
	buf_add_u64(b, m->uptime_ready_us);
	add_text(b, m->release, n);
}

void frame_add_reply(struct buf *b, uint32_t id, const struct msg_reply *m)
{
	size_t n = strnlen(m->text, PROTO_MAX_TEXT);

	add_header(b, (uint32_t)(2 + 2 + 8 + 2 + n), MSG_REPLY, id);
	buf_add_u16(b, m->code);
	buf_add_u16(b, m->err);
	buf_add_u64(b, m->took_us);
	add_text(b, m->text, n);
}

void frame_add_exit(struct buf *b, const struct msg_exit *m)
{
	add_header(b, 4 + 4 + 1 + 1, MSG_EXIT, 0);
	buf_add_u32(b, m->container);
	buf_add_u32(b, m->process);
	buf_add_u8(b, m->status);
	buf_add_u8(b, m->oom);
}

void frame_add_stream_end(struct buf *b, const struct msg_stream_end *m)
{
	add_header(b, 4 + 4 + 4 + 8, MSG_STREAM_END, 0);
	buf_add_u32(b, m->container);
	buf_add_u32(b, m->process);
	buf_add_u32(b, m->stream);
	buf_add_u64(b, m->bytes);
}

void frame_add_warning(struct buf *b, uint32_t container, const char *text)
{
	size_t n = strnlen(text, PROTO_MAX_TEXT);

	add_header(b, (uint32_t)(4 + 2 + n), MSG_WARNING, 0);
	buf_add_u32(b, container);
	add_text(b, text, n);
}

void frame_add_oom(struct buf *b, uint32_t container)
{
	add_header(b, 4, MSG_OOM, 0);
	buf_add_u32(b, container);
}

void frame_add_notify(struct buf *b, uint32_t container, const char *text)
{
	size_t n = strnlen(text, PROTO_MAX_TEXT);

	add_header(b, (uint32_t)(4 + 2 + n), MSG_NOTIFY, 0);
	buf_add_u32(b, container);
	add_text(b, text, n);
}

void frame_add_stats(struct buf *b, const struct msg_stats *m)
{
	uint16_t n = m->n < MSG_STATS_MAX ? m->n : MSG_STATS_MAX;

	add_header(b, 4u + 2u + 8u * n, MSG_STATS_DATA, 0);
	buf_add_u32(b, m->container);
	buf_add_u16(b, n);
	for (unsigned i = 0; i < n; i++)
		buf_add_u64(b, m->v[i]);
}

void frame_add_stream_hello(struct buf *b, uint64_t token)
{
	buf_add_u32(b, PROTO_STREAM_MAGIC);
	buf_add_u64(b, token);
}

void frame_add_dns_hello(struct buf *b, uint32_t protocol)
{
	buf_add_u32(b, PROTO_DNS_MAGIC);
	buf_add_u32(b, protocol);
}

int frame_get_hello(const void *body, size_t len, struct msg_hello *ret)
{
	struct cursor c = cursor_of(body, len);
	struct msg_hello m = { 0 };

	m.version_min = cursor_u16(&c);
	m.version_max = cursor_u16(&c);
	m.uptime_kernel_us = cursor_u64(&c);
	m.uptime_ready_us = cursor_u64(&c);
	m.release_len = cursor_u16(&c);
	get_text(&c, m.release_len, m.release, sizeof(m.release));
	if (!cursor_end(&c) || m.version_min > m.version_max)
		return -EPROTO;
	*ret = m;
	return 0;
}

int frame_get_reply(const void *body, size_t len, struct msg_reply *ret)
{
	struct cursor c = cursor_of(body, len);
	struct msg_reply m = { 0 };

	m.code = cursor_u16(&c);
	m.err = cursor_u16(&c);
	m.took_us = cursor_u64(&c);
	m.text_len = cursor_u16(&c);
	get_text(&c, m.text_len, m.text, sizeof(m.text));
	if (!cursor_end(&c) || m.code >= MSG_CODES || m.err > ERRNO_MAX)
		return -EPROTO;
	*ret = m;
	return 0;
}

int frame_get_exit(const void *body, size_t len, struct msg_exit *ret)
{
	struct cursor c = cursor_of(body, len);
	struct msg_exit m = { 0 };

	m.container = cursor_u32(&c);
	m.process = cursor_u32(&c);
	m.status = cursor_u8(&c);
	m.oom = cursor_u8(&c);
	if (!cursor_end(&c) || m.oom > 1)
		return -EPROTO;
	*ret = m;
	return 0;
}

int frame_get_stream_end(const void *body, size_t len, struct msg_stream_end *ret)
{
	struct cursor c = cursor_of(body, len);
	struct msg_stream_end m = { 0 };

	m.container = cursor_u32(&c);
	m.process = cursor_u32(&c);
	m.stream = cursor_u32(&c);
	m.bytes = cursor_u64(&c);
	if (!cursor_end(&c))
		return -EPROTO;
	*ret = m;
	return 0;
}

int frame_get_warning(const void *body, size_t len, uint32_t *ret_container,
		      char ret_text[PROTO_MAX_TEXT + 1])
{
	struct cursor c = cursor_of(body, len);
	uint32_t container = cursor_u32(&c);
	uint16_t n = cursor_u16(&c);
	char text[PROTO_MAX_TEXT + 1];

	get_text(&c, n, text, sizeof(text));
	if (!cursor_end(&c))
		return -EPROTO;
	*ret_container = container;
	memcpy(ret_text, text, sizeof(text));
	return 0;
}

int frame_get_oom(const void *body, size_t len, uint32_t *ret_container)
{
	struct cursor c = cursor_of(body, len);
	uint32_t container = cursor_u32(&c);

	if (!cursor_end(&c))
		return -EPROTO;
	*ret_container = container;
	return 0;
}

/* Not get_text(): this one has lines. What the filter would change did not come from our agent. */
int frame_get_notify(const void *body, size_t len, uint32_t *ret_container,
		     char ret_text[PROTO_MAX_TEXT + 1])
{
	struct cursor c = cursor_of(body, len);
	uint32_t container = cursor_u32(&c);
	uint16_t n = cursor_u16(&c);
	const unsigned char *text = cursor_bytes(&c, n);

	if (!cursor_end(&c) || n == 0 || n > PROTO_MAX_TEXT ||
	    notify_filter((const char *)text, n, ret_text, PROTO_MAX_TEXT + 1) != n)
		return -EPROTO;
	*ret_container = container;
	return 0;
}

int frame_get_stats(const void *body, size_t len, struct msg_stats *ret)
{
	struct cursor c = cursor_of(body, len);
	struct msg_stats m = { 0 };

	m.container = cursor_u32(&c);
	m.n = cursor_u16(&c);
	if (m.n > STATS_SENT_MAX)
		return -EPROTO;
	for (unsigned i = 0; i < MSG_STATS_MAX; i++)
		m.v[i] = MSG_STAT_NONE;
	for (unsigned i = 0; i < m.n; i++) {
		uint64_t v = cursor_u64(&c);

		if (i < MSG_STATS_MAX)
			m.v[i] = v;
	}
	if (!cursor_end(&c))
		return -EPROTO;
	m.n = MSG_STATS_MAX;
	*ret = m;
	return 0;
}

const char *msg_type_name(uint16_t type)
{
	if (type >= ARRAY_SIZE(type_names) || !type_names[type])
		return "?";
	return type_names[type];
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frame: encode and decode of everything in msg.h. Pure; both sides link it.
 * Decoders read untrusted bytes: exact sizes, ranges checked, nothing left over.
 */
#ifndef KATA_PROTO_FRAME_H
#define KATA_PROTO_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "proto/msg.h"

struct frame {
	uint32_t len;  /* of the body */
	uint16_t type; /* enum msg_type */
	uint32_t id;
};

/** frame_add() - header and body behind @b. */
void frame_add(struct buf *b, uint16_t type, uint32_t id, const void *body, size_t len);

/**
 * frame_next() - is there a whole frame at the front of @b?
 * Return: 1 (header in @ret; the body is the ret->len bytes at buf_ptr(b) + PROTO_HEADER; the
 * caller consumes PROTO_HEADER + len when done), 0 not yet, -EPROTO for a malformed header,
 * -EMSGSIZE for a body over @max_body.
 */
int frame_next(const struct buf *b, uint32_t max_body, struct frame *ret) MUST_CHECK;

void frame_add_hello(struct buf *b, const struct msg_hello *m);
void frame_add_reply(struct buf *b, uint32_t id, const struct msg_reply *m);
void frame_add_exit(struct buf *b, const struct msg_exit *m);
void frame_add_stream_end(struct buf *b, const struct msg_stream_end *m);
void frame_add_warning(struct buf *b, uint32_t container, const char *text);
void frame_add_oom(struct buf *b, uint32_t container);
/** frame_add_notify() - @text as notify_filter() left it. */
void frame_add_notify(struct buf *b, uint32_t container, const char *text);
void frame_add_stats(struct buf *b, const struct msg_stats *m);

/* Decoders of guest -> host bodies: 0 or -EPROTO. */
int frame_get_hello(const void *body, size_t len, struct msg_hello *ret) MUST_CHECK;
int frame_get_reply(const void *body, size_t len, struct msg_reply *ret) MUST_CHECK;
int frame_get_exit(const void *body, size_t len, struct msg_exit *ret) MUST_CHECK;
int frame_get_stream_end(const void *body, size_t len,
			 struct msg_stream_end *ret) MUST_CHECK;
int frame_get_warning(const void *body, size_t len, uint32_t *ret_container,
		      char ret_text[PROTO_MAX_TEXT + 1]) MUST_CHECK;

int frame_get_oom(const void *body, size_t len, uint32_t *ret_container) MUST_CHECK;
/** frame_get_notify() - the text may be shown and passed on; anything that may not is -EPROTO. */
int frame_get_notify(const void *body, size_t len, uint32_t *ret_container,
		     char ret_text[PROTO_MAX_TEXT + 1]) MUST_CHECK;
/** frame_get_stats() - numbers the peer did not send are MSG_STAT_NONE, ones unknown here are dropped. */
int frame_get_stats(const void *body, size_t len, struct msg_stats *ret) MUST_CHECK;

/** The first bytes of a connection: 4 of magic; for a stream 8 of token, for DNS 4 of protocol. */
#define PROTO_HELLO_CONTROL 4u
#define PROTO_HELLO_STREAM 12u
#define PROTO_HELLO_DNS 8u
void frame_add_stream_hello(struct buf *b, uint64_t token);
/** frame_add_dns_hello() - @protocol: IPPROTO_TCP or IPPROTO_UDP. */
void frame_add_dns_hello(struct buf *b, uint32_t protocol);

/** msg_type_name() - "CREATE" for logs; "?" when unknown. */
const char *msg_type_name(uint16_t type);

#endif

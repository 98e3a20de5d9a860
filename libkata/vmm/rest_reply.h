/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rest_reply: one HTTP/1.1 reply out of bytes as they come. Pure: it touches no descriptor.
 * What arrives is hostile: the VMM may have been taken over by its guest.
 */
#ifndef KATA_VMM_REST_REPLY_H
#define KATA_VMM_REST_REPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/** Bytes of status line and headers together, of one line of them, of a body. */
#define REST_HEAD_MAX 8192
#define REST_LINE_MAX 1024
#define REST_BODY_MAX (256u << 10)

enum rest_part {
	REST_STATUS,	 /* the status line */
	REST_HEADERS,	 /* lines up to an empty one */
	REST_BODY,	 /* `left` bytes of it */
	REST_CHUNK_SIZE, /* the line before a chunk */
	REST_CHUNK,	 /* `left` bytes of it */
	REST_CHUNK_END,	 /* the line end behind a chunk */
	REST_TRAILERS,	 /* lines up to an empty one */
	REST_COMPLETE,
};

/** struct rest_reply - as far as it has come; zeroed at the start. body.max is set by begin. */
struct rest_reply {
	enum rest_part part;
	unsigned status; /* 200 to 599 when complete */
	size_t head;	 /* bytes of head, size lines and trailers so far */
	bool has_length, chunked;
	size_t left;
	struct buf body;
};

/** rest_reply_begin() - forget all of a former one. */
void rest_reply_begin(struct rest_reply *r);
void rest_reply_done(struct rest_reply *r);
/**
 * rest_reply_feed() - take what @in has, as far as this reply goes; the rest stays in it.
 * Return: 1 complete, 0 more is needed, -EBADMSG not HTTP as it is agreed on, -E2BIG over a limit.
 */
int rest_reply_feed(struct rest_reply *r, struct buf *in,
		    struct kata_err *err) MUST_CHECK;

#endif

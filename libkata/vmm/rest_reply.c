/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rest_reply: the subset of RFC 9112 that VMMs speak: a body has Content-Length or is
 * chunked; without either there is none. "Until the connection closes" is refused with it,
 * for a reply cut short by a death would look whole. Interim replies (1xx) are
 * read over. Line ends are CR LF, or LF alone.
 */
#include "vmm/rest_reply.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/str.h"

void rest_reply_begin(struct rest_reply *r)
{
	buf_done(&r->body);
	*r = (struct rest_reply){ .body.max = REST_BODY_MAX };
}

void rest_reply_done(struct rest_reply *r)
{
	buf_done(&r->body);
}

static int bad(struct kata_err *err, const char *what)
{
	return err_set(err, -EBADMSG, "%s", what);
}

/* 1: a whole line is in @line, without its end, and out of @in; 0: not yet. */
static int take_line(struct rest_reply *r, struct buf *in, char line[REST_LINE_MAX],
		     struct kata_err *err)
{
	const unsigned char *p = buf_ptr(in);
	const unsigned char *nl = buf_len(in) ? memchr(p, '\n', buf_len(in)) : NULL;
	size_t n = nl ? (size_t)(nl - p) : buf_len(in);

	if (n >= REST_LINE_MAX || r->head + n >= REST_HEAD_MAX)
		return err_set(err, -E2BIG, "headers longer than any answer's");
	if (!nl)
		return 0;
	r->head += n + 1;
	if (n > 0 && memchr(p, 0, n))
		return bad(err, "a NUL in a header");
	if (n > 0)
		memcpy(line, p, n);
	buf_consume(in, n + 1);
	if (n > 0 && line[n - 1] == '\r')
		n--;
	line[n] = 0;
	return 1;
}

/* "HTTP/1.1 204 No Content"; some leave the words out, the space too. */
static int on_status(struct rest_reply *r, char *line, struct kata_err *err)
{
	char *code = line + strlen("HTTP/1.x ");
	uint64_t status;

	if (!str_has_prefix(line, "HTTP/1.1 ") && !str_has_prefix(line, "HTTP/1.0 "))
		return bad(err, "no HTTP status line");
	code[strcspn(code, " ")] = 0;
	if (str_to_u64(code, 100, 599, &status) < 0 || strlen(code) != 3)
		return bad(err, "a status that is no number");
	r->status = (unsigned)status;
	r->part = REST_HEADERS;
	return 0;
}

/* The end of the headers: what comes now, by RFC 9112 section 6.3. */
static int on_head_end(struct rest_reply *r, struct kata_err *err)
{
	if (r->status < 200) {
		size_t head = r->head; /* still counts: interim replies have an end too */

		rest_reply_begin(r);
		r->head = head;
		return 0;
	}
	if (r->chunked && r->has_length)
		return bad(err, "both a length and chunks");
	if (r->status == 204 || r->status == 304)
		r->part = REST_COMPLETE;
	else if (r->chunked)
		r->part = REST_CHUNK_SIZE;
	else
		r->part = r->left ? REST_BODY : REST_COMPLETE;
	return 0;
}

static int on_length(struct rest_reply *r, const char *value, struct kata_err *err)
{
	uint64_t n = 0;
	int e = str_to_u64(value, 0, REST_BODY_MAX, &n);

	if (e == -ERANGE)
		return err_set(err, -E2BIG, "a body longer than any answer's");
	if (e < 0)
		return bad(err, "a Content-Length that is no number");
	if (r->has_length && r->left != n)
		return bad(err, "two lengths");
	r->has_length = true;
	r->left = (size_t)n;
	return 0;
}

static int on_encoding(struct rest_reply *r, const char *value, struct kata_err *err)
{
	if (r->chunked || strcasecmp(value, "chunked") != 0)
		return bad(err, "a Transfer-Encoding other than chunked");
	r->chunked = true;
	return 0;
}

static int on_header(struct rest_reply *r, char *line, struct kata_err *err)
{
	static const struct {
		const char *name;
		int (*fn)(struct rest_reply *r, const char *value, struct kata_err *err);
	} known[] = {
		{ "Content-Length", on_length },
		{ "Transfer-Encoding", on_encoding },
	};
	char *value = strchr(line, ':');
	size_t n;

	if (!*line)
		return on_head_end(r, err);
	/* a space before the colon, or a continued line: two readers would understand two things */
	if (!value || value == line || strcspn(line, " \t") < (size_t)(value - line))
		return bad(err, "a header without a name");
	*value++ = 0;
	value += strspn(value, " \t");
	n = strlen(value);
	while (n > 0 && (value[n - 1] == ' ' || value[n - 1] == '\t'))
		value[--n] = 0;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (strcasecmp(line, known[i].name) == 0)
			return known[i].fn(r, value, err);
	return 0;
}

/* "1f;ext=1": hexadecimal digits and extensions, which nobody sends. */
static int on_chunk_size(struct rest_reply *r, char *line, struct kata_err *err)
{
	size_t n = 0;

	line[strcspn(line, "; \t")] = 0;
	if (!*line || strlen(line) > 8)
		return bad(err, "a chunk without a size");
	for (const char *p = line; *p; p++) {
		int c = tolower((unsigned char)*p);

		if (!isxdigit(c))
			return bad(err, "a chunk whose size is no number");
		n = n * 16 + (size_t)(c <= '9' ? c - '0' : c - 'a' + 10);
	}
	if (n > REST_BODY_MAX - buf_len(&r->body))
		return err_set(err, -E2BIG, "a body longer than any answer's");
	r->left = n;
	r->part = n ? REST_CHUNK : REST_TRAILERS;
	return 0;
}

static int on_chunk_end(struct rest_reply *r, char *line, struct kata_err *err)
{
	if (*line)
		return bad(err, "a chunk longer than its size");
	r->part = REST_CHUNK_SIZE;
	return 0;
}

static int on_trailer(struct rest_reply *r, char *line, struct kata_err *err)
{
	(void)err;
	if (!*line)
		r->part = REST_COMPLETE;
	return 0;
}

static void take_body(struct rest_reply *r, struct buf *in)
{
	size_t n = buf_len(in) < r->left ? buf_len(in) : r->left;

	if (n > 0)
		buf_add(&r->body, buf_ptr(in), n);
	buf_consume(in, n);
	r->left -= n;
	if (r->left == 0)
		r->part = r->part == REST_CHUNK ? REST_CHUNK_END : REST_COMPLETE;
}

int rest_reply_feed(struct rest_reply *r, struct buf *in, struct kata_err *err)
{
	static int (*const lines[])(struct rest_reply *, char *, struct kata_err *) = {
		[REST_STATUS] = on_status,	   [REST_HEADERS] = on_header,
		[REST_CHUNK_SIZE] = on_chunk_size, [REST_CHUNK_END] = on_chunk_end,
		[REST_TRAILERS] = on_trailer,	   [REST_COMPLETE] = NULL,
	};
	char line[REST_LINE_MAX];

	while (r->part != REST_COMPLETE) {
		int e;

		if (!lines[r->part]) {
			if (buf_len(in) == 0)
				return 0;
			take_body(r, in);
			continue;
		}
		e = take_line(r, in, line, err);
		if (e <= 0)
			return e;
		e = lines[r->part](r, line, err);
		if (e < 0)
			return e;
	}
	return 1;
}

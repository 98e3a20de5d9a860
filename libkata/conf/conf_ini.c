/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf_ini: between a configuration file and libinih.
 *
 * inih reads lines through a function of ours and splits them. As built by
 * the distributions it cuts lines at 200 bytes and takes the rest for a line
 * of its own, takes an indented line for more of the value above, and its handler
 * learns no line number. So the reader here hands out clean lines: white
 * space and comments are off, and a long line goes out in pieces, each but the first
 * indented, which inih gives to the handler as more of the same value;
 * they are joined again before anybody looks. inih's own line count is the count
 * of pieces; `lines` translates it.
 */
#include "conf/conf_ini.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"

struct span {
	const char *p;
	size_t n;
};

struct ini_ctx {
	const char *file;
	char *next, *end; /* rest of the text */
	char *piece;	  /* rest of a long line, or NULL */
	bool is_more;	  /* the piece last given out continues a line */
	/* white space at the last cut, which inih drops, and at the cut before the piece given out */
	struct span cut, glue;
	unsigned line;	 /* the text's line that was last given out */
	unsigned *lines; /* [piece] = line */
	size_t n_lines, cap_lines;
	/* the pair that pieces are collected for; it is complete when the next begins */
	bool pending;
	char *section, *name;
	unsigned pair_line;
	struct buf value;
	const struct conf_ini_ops *ops;
	void *arg;
	struct kata_err *err;
	int failed; /* first failure, or 0 */
	unsigned failed_line;
};

static int fail_at(struct ini_ctx *x, unsigned line, int r)
{
	if (!x->failed) {
		x->failed = err_ctx(x->err, "%s:%u", x->file, line);
		x->failed_line = line;
	}
	return r;
}

static int flush_pair(struct ini_ctx *x)
{
	struct conf_pair p = { x->file, x->pair_line, x->section, x->name, NULL };
	int r;

	if (!x->pending || x->failed)
		return x->failed;
	x->pending = false;
	p.value = buf_cstr(&x->value);
	r = x->ops->pair(x->arg, &p, x->err);
	return r < 0 ? fail_at(x, x->pair_line, r) : 0;
}

/* " ;" begins a comment, as inih has it; a line may also be nothing but one. */
static char *strip(char *line)
{
	size_t len;

	while (isspace((unsigned char)*line))
		line++;
	if (*line == ';' || *line == '#')
		return line + strlen(line);
	for (char *p = line; *p; p++)
		if (*p == ';' && p > line && isspace((unsigned char)p[-1])) {
			*p = 0;
			break;
		}
	for (len = strlen(line); len && isspace((unsigned char)line[len - 1]); len--)
		line[len - 1] = 0;
	return line;
}

/* The next line of the text, clean; NULL at its end or after a failure. */
static char *next_line(struct ini_ctx *x)
{
	char *line = x->next, *nl;
	size_t len;

	if (x->failed || line >= x->end)
		return NULL;
	x->line++;
	nl = memchr(line, '\n', (size_t)(x->end - line));
	len = (size_t)((nl ? nl : x->end) - line);
	x->next = nl ? nl + 1 : x->end;
	line[len] = 0; /* there is a NUL behind the text: fs_read_fd() */
	if (strlen(line) != len) {
		err_set(x->err, -EINVAL, "a NUL byte");
		fail_at(x, x->line, 0);
		return NULL;
	}
	if (len > CONF_LINE_MAX) {
		err_set(x->err, -E2BIG, "longer than %u bytes", CONF_LINE_MAX);
		fail_at(x, x->line, 0);
		return NULL;
	}
	if (x->line == 1 && str_has_prefix(line, "\xef\xbb\xbf"))
		line += 3;
	return strip(line);
}

/* inih takes white space off the end of a piece, and a comment's mark at its beginning for one. */
static bool can_cut(const char *s, size_t n, bool within_word)
{
	return !isspace((unsigned char)s[n]) && s[n] != ';' && s[n] != '#' &&
	       !(within_word && isspace((unsigned char)s[n - 1]));
}

/*
 * Where to cut a line that has more than @room bytes, behind the first @least: within a word if
 * there is one that is longer than a letter, else behind a space. 0 when there is no such place.
 */
static size_t cut_at(const char *s, size_t least, size_t room)
{
	for (size_t n = room; n > least; n--)
		if (can_cut(s, n, true))
			return n;
	for (size_t n = room; n > least; n--)
		if (can_cut(s, n, false))
			return n;
	return 0;
}

static struct span space_before(const char *end, const char *start)
{
	const char *p = end;

	while (p > start && isspace((unsigned char)p[-1]))
		p--;
	return (struct span){ p, (size_t)(end - p) };
}

static void note_line(struct ini_ctx *x)
{
	if (x->n_lines == x->cap_lines) {
		x->cap_lines = x->cap_lines ? 2 * x->cap_lines : 256;
		x->lines = mem_grow(x->lines, x->cap_lines, sizeof(*x->lines));
	}
	x->lines[x->n_lines++] = x->line;
}

/* inih's ini_reader: like fgets(). */
static char *read_piece(char *dst, int size, void *arg)
{
	struct ini_ctx *x = arg;
	bool more = x->piece != NULL;
	char *line = more ? x->piece : next_line(x);
	size_t room = (size_t)size - 4,
	       len; /* indent, newline, NUL, and one of inih's own */

	if (!line)
		return NULL;
	note_line(x);
	x->is_more = more;
	x->glue = x->cut;
	x->piece = NULL;
	len = strlen(line);
	if (len > room) {
		/* the key stays whole */
		len = cut_at(line, more ? 1 : strcspn(line, "=:"), room);
		if (!len) {
			err_set(x->err, -EINVAL, "too long without a place to cut it");
			fail_at(x, x->line, 0);
			return NULL;
		}
		x->piece = line + len;
		x->cut = space_before(line + len, line);
	}
	snprintf(dst, (size_t)size, "%s%.*s\n", more ? " " : "", (int)len, line);
	return dst;
}

/* inih's ini_handler: 0 = error. */
static int on_piece(void *arg, const char *section, const char *name, const char *value)
{
	struct ini_ctx *x = arg;

	if (x->failed)
		return 0;
	if (x->is_more && x->pending) {
		if (buf_len(&x->value))
			buf_add(&x->value, x->glue.p, x->glue.n);
		buf_add_str(&x->value, value ? value : "");
		return 1;
	}
	if (flush_pair(x) < 0)
		return 0;
	free(x->section);
	free(x->name);
	x->section = mem_strdup(section);
	x->name = mem_strdup(name);
	buf_consume(&x->value, buf_len(&x->value));
	buf_add_str(&x->value, value ? value : "");
	x->pair_line = x->line;
	x->pending = true;
	return 1;
}

/* An empty [section] never reaches the handler: it is looked at on its own. */
static int check_sections(struct ini_ctx *x, const char *text, size_t len)
{
	unsigned line = 0;

	for (const char *p = text, *end = text + len; p < end; line++) {
		size_t n = strcspn(p, "\n");
		const char *start = p + strspn(p, " \t\r\v\f"), *close;

		p += n + 1;
		close = *start == '[' ? memchr(start, ']', (size_t)(p - 1 - start))
				      : NULL;
		if (close) {
			AUTO_FREE char *name = mem_strndup(start + 1,
							   (size_t)(close - start - 1));
			int r = x->ops->section(x->arg, name, x->err);

			if (r < 0)
				return fail_at(x, line + 1, r);
		}
	}
	return 0;
}

static void ctx_done(struct ini_ctx *x)
{
	free(x->lines);
	free(x->section);
	free(x->name);
	buf_done(&x->value);
}

/*
 * inih goes on after a line that it cannot split, and tells of the first one at the end (or of
 * the line at which the handler gave up, which is never before the line that was wrong).
 */
static void check_syntax(struct ini_ctx *x, int bad)
{
	unsigned line = bad > 0 && (size_t)bad <= x->n_lines ? x->lines[bad - 1]
							     : x->line;

	if (bad == 0 || (x->failed && (bad < 0 || line >= x->failed_line)))
		return;
	x->failed = 0;
	err_set(x->err, -EINVAL,
		bad > 0 ? "neither [section] nor key = value" : "cannot be parsed");
	fail_at(x, line, 0);
}

int conf_ini_parse(const char *file, char *text, size_t len,
		   const struct conf_ini_ops *ops, void *arg, struct kata_err *err)
{
	struct ini_ctx x = { .file = file,
			     .next = text,
			     .end = text + len,
			     .ops = ops,
			     .arg = arg,
			     .err = err };
	int bad;

	if (check_sections(&x, text, len) < 0)
		return x.failed;
	bad = ini_parse_stream(read_piece, &x, on_piece, &x);
	if (!x.failed)
		(void)flush_pair(&x);
	check_syntax(&x, bad);
	ctx_done(&x);
	return x.failed;
}

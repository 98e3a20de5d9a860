// SPDX-License-Identifier: Apache-2.0
/*
 * list: all containers of a root. Directories that are not ours are skipped,
 * and so is a container that vanishes while we look. Columns are runc's.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "verb/verb.h"

enum { COL_ID, COL_PID, COL_STATUS, COL_BUNDLE, COL_CREATED, COL_OWNER, COLUMNS };

#define COLUMN_MIN 12 /* runc's tabwriter: minimal width, padding */
#define COLUMN_PAD 3

struct line {
	char pid[24];
	const char *cell[COLUMNS];
};

struct listing {
	struct verb_box *boxes;
	struct oci_state *states;
	size_t n;
};

static void listing_done(struct listing *l)
{
	for (size_t i = 0; i < l->n; i++)
		verb_box_done(&l->boxes[i]);
	free(l->boxes);
	free(l->states);
}

static void load_listing(const struct kata *k, const struct strv *ids, struct listing *l)
{
	struct kata_err ignored = { 0 };

	l->boxes = mem_zalloc((ids->n + 1) * sizeof(*l->boxes));
	l->states = mem_zalloc((ids->n + 1) * sizeof(*l->states));
	for (size_t i = 0; i < ids->n; i++) {
		struct verb_box *box = &l->boxes[l->n];

		if (verb_open(k, ids->v[i], false, box, &ignored) < 0) {
			log_debug("%s: %s", ids->v[i], ignored.msg);
			continue;
		}
		verb_state(&box->rec, verb_status(box), &l->states[l->n]);
		l->n++;
	}
}

static void print_json(const struct listing *l, FILE *out)
{
	struct buf b = { 0 };
	struct json_out o = { .buf = &b };

	json_out_begin_array(&o);
	for (size_t i = 0; i < l->n; i++)
		oci_state_write(&l->states[i], &o);
	json_out_end_array(&o);
	fprintf(out, "%s\n", buf_cstr(&b));
	buf_done(&b);
}

static void to_line(const struct oci_state *st, struct line *ln)
{
	snprintf(ln->pid, sizeof(ln->pid), "%d", (int)st->pid);
	ln->cell[COL_ID] = st->id;
	ln->cell[COL_PID] = ln->pid;
	ln->cell[COL_STATUS] = oci_status_names[st->status];
	ln->cell[COL_BUNDLE] = st->bundle;
	ln->cell[COL_CREATED] = st->created;
	ln->cell[COL_OWNER] = st->owner ? st->owner : "";
}

static void print_line(const struct line *ln, const int width[COLUMNS], FILE *out)
{
	for (int c = 0; c < COLUMNS - 1; c++)
		fprintf(out, "%-*s", width[c], ln->cell[c]);
	fprintf(out, "%s\n", ln->cell[COLUMNS - 1]);
}

static void print_table(const struct listing *l, FILE *out)
{
	static const struct line head = {
		.cell = { "ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER" },
	};
	struct line *lines = mem_zalloc((l->n + 1) * sizeof(*lines));
	int width[COLUMNS];

	for (size_t i = 0; i < l->n; i++)
		to_line(&l->states[i], &lines[i]);
	for (int c = 0; c < COLUMNS; c++) {
		width[c] = COLUMN_MIN;
		for (size_t i = 0; i < l->n; i++) {
			int len = (int)strlen(lines[i].cell[c]) + COLUMN_PAD;

			width[c] = len > width[c] ? len : width[c];
		}
	}
	print_line(&head, width, out);
	for (size_t i = 0; i < l->n; i++)
		print_line(&lines[i], width, out);
	free(lines);
}

static void print_quiet(const struct listing *l, FILE *out)
{
	for (size_t i = 0; i < l->n; i++)
		fprintf(out, "%s\n", l->states[i].id);
}

static void (*const printers[])(const struct listing *, FILE *) = {
	[KATA_LIST_TABLE] = print_table,
	[KATA_LIST_JSON] = print_json,
	[KATA_LIST_QUIET] = print_quiet,
};

int kata_list(const struct kata *k, enum kata_list_format format, FILE *out,
	      struct kata_err *err)
{
	AUTO_FREE char *root = verb_root(k);
	struct strv ids = { NULL, 0 };
	struct listing l = { 0 };
	int rc;

	rc = store_list(root, &ids, err);
	if (rc < 0 && (rc != -ENOENT || k->root_given))
		return rc;
	err_done(err);
	load_listing(k, &ids, &l);
	printers[format](&l, out);
	listing_done(&l);
	strv_done(&ids);
	return fflush(out) == EOF ? err_sys(err, "write") : 0;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * opts: the parser behind the tables. Knows no command and no option by name.
 */
#include "opts.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

/* One argument taken apart: "--name=value". */
struct flag {
	const char *name;  /* behind the dashes */
	size_t len;	   /* of the name */
	const char *value; /* behind '=', NULL without */
};

static struct flag split_flag(const char *arg)
{
	struct flag f = { .name = arg + 1 };
	const char *eq;

	if (*f.name == '-')
		f.name++;
	eq = strchr(f.name, '=');
	f.len = eq ? (size_t)(eq - f.name) : strlen(f.name);
	f.value = eq ? eq + 1 : NULL;
	return f;
}

static const struct opt *find_opt(const struct opts *o, const struct flag *f)
{
	for (size_t i = 0; i < o->n; i++) {
		const struct opt *op = &o->v[i];

		if (strlen(op->name) == f->len && memcmp(op->name, f->name, f->len) == 0)
			return op;
		if (f->len == 1 && op->letter && op->letter == f->name[0])
			return op;
	}
	return NULL;
}

static int unknown_opt(const struct opts *o, const struct flag *f, struct kata_err *err)
{
	AUTO_FREE char *name = mem_strndup(f->name, f->len);
	AUTO_FREE const char **names = mem_zalloc((o->n + 1) * sizeof(*names));
	const char *near;

	for (size_t i = 0; i < o->n; i++)
		names[i] = o->v[i].name;
	near = f->len > 1 ? str_nearest(name, names, o->n) : NULL;
	return err_set(err, -EINVAL, "unknown option %s%s of %s%s%s%s",
		       f->len > 1 ? "--" : "-", name, o->of,
		       near ? "; did you mean --" : "", near ? near : "",
		       near ? "?" : "");
}

static int store_choice(const struct opt *op, const char *value, int *into,
			struct kata_err *err)
{
	char list[128] = "";
	size_t len = 0;

	for (int i = 0; op->choices[i]; i++) {
		if (str_eq(op->choices[i], value)) {
			*into = i;
			return 0;
		}
		len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%s",
					i ? ", " : "", op->choices[i]);
		if (len >= sizeof(list))
			break;
	}
	return err_set(err, -EINVAL, "--%s: \"%s\" is none of: %s", op->name, value,
		       list);
}

static int store_switch(const struct opt *op, const char *value, bool *into,
			struct kata_err *err)
{
	bool on = true;

	if (value && str_to_bool(value, &on) < 0)
		return err_set(err, -EINVAL, "--%s: \"%s\" is neither true nor false",
			       op->name, value);
	*into = on;
	return 0;
}

static int store_count(const struct opt *op, const char *value, unsigned *into,
		       struct kata_err *err)
{
	uint64_t n;

	if (str_to_u64(value, 0, INT32_MAX, &n) < 0)
		return err_set(err, -EINVAL, "--%s: \"%s\" is no number", op->name,
			       value);
	*into = (unsigned)n;
	return 0;
}

static void store_list(const char *value, struct opts_list *into)
{
	into->v = mem_grow(into->v, into->n + 2, sizeof(*into->v));
	into->v[into->n++] = value;
	into->v[into->n] = NULL;
}

static int store_value(const struct opt *op, const char *value, char *into,
		       struct kata_err *err)
{
	void *member = into + op->offset;
	bool ignored;

	switch (op->kind) {
	case OPT_SWITCH:
		return store_switch(op, value, member, err);
	case OPT_STR:
		*(const char **)member = *value ? value : NULL;
		return 0;
	case OPT_COUNT:
		return store_count(op, value, member, err);
	case OPT_CHOICE:
		return store_choice(op, value, member, err);
	case OPT_LIST:
		store_list(value, member);
		return 0;
	case OPT_REFUSE:
		return err_set(err, -ENOTSUP, "--%s is not supported: %s", op->name,
			       op->doc);
	case OPT_IGNORE:
		return op->arg ? 0 : store_switch(op, value, &ignored, err);
	}
	return 0;
}

/* @i: index of the flag; moved over a value in an argument of its own. */
static int parse_flag(const struct opts *o, int argc, char **argv, int *i, void *into,
		      struct kata_err *err)
{
	struct flag f = split_flag(argv[*i]);
	const struct opt *op = find_opt(o, &f);
	const char *value = f.value;

	if (!op)
		return unknown_opt(o, &f, err);
	if (op->arg && !value) {
		if (*i + 1 >= argc)
			return err_set(err, -EINVAL, "flag needs an argument: --%s",
				       op->name);
		value = argv[++*i];
	}
	return store_value(op, value, into, err);
}

/* "-" alone is a word: update reads standard input by it. */
static bool is_flag(const char *arg)
{
	return arg[0] == '-' && arg[1] != '\0';
}

int opts_parse(const struct opts *o, int argc, char **argv, void *into,
	       struct opts_words *words, struct kata_err *err)
{
	bool options = true;

	words->n = 0;
	for (int i = 0; i < argc; i++) {
		int rc;

		if (!options || !is_flag(argv[i])) {
			words->v[words->n++] = argv[i];
			options = options && !o->stop_at_first;
			continue;
		}
		if (str_eq(argv[i], "--")) {
			options = false;
			continue;
		}
		rc = parse_flag(o, argc, argv, &i, into, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

void opts_done(const struct opts *o, void *into)
{
	for (size_t i = 0; i < o->n; i++) {
		struct opts_list *list = (void *)((char *)into + o->v[i].offset);

		if (o->v[i].kind != OPT_LIST)
			continue;
		free(list->v);
		*list = (struct opts_list){ 0 };
	}
}

static int synopsis(const struct opt *op, char *dst, size_t size)
{
	char letter[8] = "    ";

	if (op->letter)
		snprintf(letter, sizeof(letter), "-%c, ", op->letter);
	return snprintf(dst, size, "%s--%s%s%s", letter, op->name, op->arg ? " " : "",
			op->arg ? op->arg : "");
}

void opts_print(const struct opts *o, FILE *out)
{
	char text[96];
	int width = 0;

	for (size_t i = 0; i < o->n; i++) {
		int len = synopsis(&o->v[i], text, sizeof(text));

		width = len > width ? len : width;
	}
	for (size_t i = 0; i < o->n; i++) {
		synopsis(&o->v[i], text, sizeof(text));
		fprintf(out, "  %-*s  %s%s\n", width, text,
			o->v[i].kind == OPT_REFUSE ? "not supported: " : "", o->v[i].doc);
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/* conf_print: all settings as kata.conf, as JSON, and as the sample file. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "conf/conf_impl.h"
#include "conf/conf_paths.h"

/* The value of @k as it would stand in the file, with the space in front. */
static void value_write(const struct kata_conf *v, const struct conf_key *k,
			struct buf *out)
{
	const void *m = conf_member_const(v, k);
	const struct strv *list = m;
	char size[32];

	switch (k->kind) {
	case CONF_KEY_WORD:
	case CONF_KEY_PATH:
		buf_addf(out, " %s", *(const char *const *)m);
		break;
	case CONF_KEY_ENUM:
		buf_addf(out, " %s", k->names[*(const int *)m]);
		break;
	case CONF_KEY_LIST:
	case CONF_KEY_PATHS:
		for (size_t i = 0; i < list->n; i++)
			buf_addf(out, " %s", list->v[i]);
		break;
	case CONF_KEY_SIZE:
		conf_size_text(*(const uint64_t *)m, size, sizeof(size));
		buf_addf(out, " %s", size);
		break;
	case CONF_KEY_U32:
		buf_addf(out, " %u", *(const uint32_t *)m);
		break;
	case CONF_KEY_BOOL:
		buf_add_str(out, *(const bool *)m ? " yes" : " no");
		break;
	}
}

static bool first_of_section(size_t i)
{
	return i == 0 || !str_eq(conf_keys[i].section, conf_keys[i - 1].section);
}

/* A file's name may hold anything; a comment ends with the line. */
static void comment_write(const char *text, struct buf *out)
{
	buf_add_str(out, "# from ");
	for (; *text; text++)
		buf_add_u8(out, (unsigned char)*text < ' ' ? '?' : (uint8_t)*text);
	buf_add_u8(out, '\n');
}

void conf_write(const struct conf *c, bool origins, struct buf *out)
{
	for (size_t i = 0; i < CONF_KEYS; i++) {
		if (first_of_section(i))
			buf_addf(out, "%s[%s]\n", i ? "\n" : "", conf_keys[i].section);
		if (origins)
			comment_write(c->origin[i], out);
		buf_addf(out, "%s =", conf_keys[i].name);
		value_write(&c->v, &conf_keys[i], out);
		buf_add_u8(out, '\n');
	}
}

static void value_write_json(const struct kata_conf *v, const struct conf_key *k,
			     struct json_out *o)
{
	const void *m = conf_member_const(v, k);
	const struct strv *list = m;

	switch (k->kind) {
	case CONF_KEY_WORD:
	case CONF_KEY_PATH:
		json_out_str(o, *(const char *const *)m);
		break;
	case CONF_KEY_ENUM:
		json_out_str(o, k->names[*(const int *)m]);
		break;
	case CONF_KEY_LIST:
	case CONF_KEY_PATHS:
		json_out_begin_array(o);
		for (size_t i = 0; i < list->n; i++)
			json_out_str(o, list->v[i]);
		json_out_end_array(o);
		break;
	case CONF_KEY_SIZE:
		json_out_u64(o, *(const uint64_t *)m);
		break;
	case CONF_KEY_U32:
		json_out_u64(o, *(const uint32_t *)m);
		break;
	case CONF_KEY_BOOL:
		json_out_bool(o, *(const bool *)m);
		break;
	}
}

void conf_write_json(const struct conf *c, struct json_out *o)
{
	json_out_begin_object(o);
	for (size_t i = 0; i < CONF_KEYS; i++) {
		if (first_of_section(i)) {
			if (i)
				json_out_end_object(o);
			json_out_key(o, conf_keys[i].section);
			json_out_begin_object(o);
		}
		json_out_key(o, conf_keys[i].name);
		json_out_begin_object(o);
		json_out_key(o, "value");
		value_write_json(&c->v, &conf_keys[i], o);
		json_out_key(o, "origin");
		json_out_str(o, c->origin[i]);
		json_out_end_object(o);
	}
	json_out_end_object(o);
	json_out_end_object(o);
}

/* "auto, kvm or tcg", "64M to 1T": what a value may be */
static void domain_write(const struct conf_key *k, struct buf *out)
{
	char list[128], min[32], max[32];

	switch (k->kind) {
	case CONF_KEY_WORD:
	case CONF_KEY_ENUM:
		buf_addf(out, "# %s\n", conf_names_text(k->names, list, sizeof(list)));
		break;
	case CONF_KEY_SIZE:
	case CONF_KEY_U32:
		conf_size_text(k->min, min, sizeof(min));
		conf_size_text(k->max, max, sizeof(max));
		buf_addf(out, "# %s to %s\n", min, max);
		break;
	case CONF_KEY_BOOL:
		buf_add_str(out, "# yes or no\n");
		break;
	case CONF_KEY_LIST:
	case CONF_KEY_PATHS:
		buf_add_str(out, "# a list, separated by spaces\n");
		break;
	case CONF_KEY_PATH:
		break;
	}
}

void conf_write_template(struct buf *out)
{
	buf_addf(out,
		 "# %s: settings of kata-runtime. What stands here in comments\n"
		 "# is the default. Files in %s.d/ come after it and win.\n"
		 "# A comment behind a value begins with \" ;\". See kata.conf(5).\n",
		 KATA_CONF_FILE, KATA_CONF_FILE);
	for (size_t i = 0; i < CONF_KEYS; i++) {
		const struct conf_key *k = &conf_keys[i];

		if (first_of_section(i))
			buf_addf(out, "\n[%s]\n", k->section);
		buf_addf(out, "\n# %s\n", k->doc);
		domain_write(k, out);
		buf_addf(out, "#%s =%s%s\n", k->name, *k->def ? " " : "", k->def);
	}
}

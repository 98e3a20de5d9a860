/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf_impl: what the files of this directory share.
 *
 *   conf.c        which files are read, in which order
 *   conf_ini.c    their lines
 *   conf_table.c  the settings: what each is, may be and does
 *   conf_print.c  all settings as text, JSON and sample file
 */
#ifndef KATA_CONF_CONF_IMPL_H
#define KATA_CONF_CONF_IMPL_H

#include "conf/conf.h"

/** enum conf_kind - what a value is, in the file and in struct kata_conf. */
enum conf_kind {
	CONF_KEY_WORD,	/* const char *, one of names[] */
	CONF_KEY_ENUM,	/* int, index into names[] */
	CONF_KEY_PATH,	/* const char *, absolute */
	CONF_KEY_LIST,	/* struct strv */
	CONF_KEY_PATHS, /* struct strv of absolute patterns */
	CONF_KEY_SIZE,	/* uint64_t bytes in [min, max] */
	CONF_KEY_U32,	/* uint32_t in [min, max] */
	CONF_KEY_BOOL,	/* bool */
};

/** struct conf_key - one setting. */
struct conf_key {
	const char *section, *name;
	enum conf_kind kind;
	size_t offset;
	const char *def; /* default, as it would stand in the file */
	const char *doc;
	const char *const *names; /* CONF_KEY_WORD, CONF_KEY_ENUM: NULL-terminated */
	uint64_t min, max;
};

/** How many settings there are. */
#define CONF_KEYS 26

/** In the order of the file; the keys of a section stand together. */
extern const struct conf_key conf_keys[CONF_KEYS];

struct conf {
	struct kata_conf v;
	char *origin[CONF_KEYS];  /* "default" or "FILE:LINE" */
	unsigned pass[CONF_KEYS]; /* number of the file that set it last, for duplicates */
	unsigned passes;
};

/** conf_member() - where a setting is kept; its type follows from @k->kind. */
static inline void *conf_member(struct kata_conf *v, const struct conf_key *k)
{
	return (char *)v + k->offset;
}

static inline const void *conf_member_const(const struct kata_conf *v,
					    const struct conf_key *k)
{
	return (const char *)v + k->offset;
}

/** conf_key_set() - check and store; on failure the old value stays. Errors name the key. */
int conf_key_set(struct kata_conf *v, const struct conf_key *k, const char *value,
		 struct kata_err *err) MUST_CHECK;
/** conf_key_done() - free what the setting holds. */
void conf_key_done(struct kata_conf *v, const struct conf_key *k);

/** conf_key_find() - -EINVAL with the nearest name when there is none. Return: index in conf_keys[]. */
int conf_key_find(const char *section, const char *name, struct kata_err *err) MUST_CHECK;
/** conf_section_check() - is there such a section? */
int conf_section_check(const char *section, struct kata_err *err) MUST_CHECK;

/** conf_names_text() - "auto, kvm or tcg", into @dst. */
const char *conf_names_text(const char *const *names, char *dst, size_t size);
/** conf_size_text() - a size in the shortest form that is exact: "512M", "1T", "1000". */
void conf_size_text(uint64_t n, char *dst, size_t size);

#endif

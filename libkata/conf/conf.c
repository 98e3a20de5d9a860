/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf: which files are read, in which order, and who set what.
 *
 * Defaults go through the same parser as a file, so that a wrong one is found by
 * the first unit test. No value's file is touched: that is `check`'s business.
 */
#include "conf/conf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/fs.h"
#include "base/mem.h"
#include "conf/conf_impl.h"
#include "conf/conf_ini.h"
#include "conf/conf_paths.h"

/** One configuration file is at most this large. */
#define CONF_FILE_MAX (1u << 20)

/* What conf_ini.c calls for each "key = value". */
static int on_pair(void *arg, const struct conf_pair *p, struct kata_err *err)
{
	struct conf *c = arg;
	int i = conf_key_find(p->section, p->name, err), r;

	if (i < 0)
		return i;
	if (c->pass[i] == c->passes)
		return err_set(err, -EINVAL, "%s is there twice, first in %s", p->name,
			       c->origin[i]);
	r = conf_key_set(&c->v, &conf_keys[i], p->value, err);
	if (r < 0)
		return r;
	c->pass[i] = c->passes;
	free(c->origin[i]);
	c->origin[i] = mem_printf("%s:%u", p->file, p->line);
	return 0;
}

static int on_section(void *arg, const char *section, struct kata_err *err)
{
	(void)arg;
	return conf_section_check(section, err);
}

static int read_text(struct conf *c, const char *file, char *text, size_t len,
		     struct kata_err *err)
{
	static const struct conf_ini_ops ops = { .pair = on_pair, .section = on_section };

	c->passes++;
	return conf_ini_parse(file, text, len, &ops, c, err);
}

/* One file. Return: 1 read, 0 not there, -errno. */
static int read_file(struct conf *c, const char *path, struct kata_err *err)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	AUTO_FREE char *text = NULL;
	size_t len = 0;
	int r;

	if (fd < 0) {
		r = -errno;
		if (r == -ENOENT)
			return 0;
		return err_sys_code(err, r, "open %s", path);
	}
	r = fs_read_fd(fd, CONF_FILE_MAX, &text, &len);
	if (r == -E2BIG)
		return err_set(err, r, "%s: larger than %u bytes", path, CONF_FILE_MAX);
	if (r < 0)
		return err_sys_code(err, r, "read %s", path);
	r = read_text(c, path, text, len, err);
	return r < 0 ? r : 1;
}

static int is_drop_in(const struct dirent *d)
{
	return d->d_name[0] != '.' && str_has_suffix(d->d_name, ".conf");
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name,
		      (*b)->d_name); /* alphasort() would follow the locale */
}

/* kata.conf and then, in name order, kata.conf.d/<name>.conf beside it. */
static int read_system(struct conf *c, const char *path, struct kata_err *err)
{
	AUTO_FREE char *dir = mem_printf("%s.d", path);
	struct dirent **list = NULL;
	int r = read_file(c, path, err), n;

	if (r < 0)
		return r;
	n = scandir(dir, &list, is_drop_in, by_name);
	if (n < 0)
		return errno == ENOENT ? 0 : err_sys(err, "read directory %s", dir);
	for (int i = 0; i < n; i++) {
		AUTO_FREE char *file = mem_printf("%s/%s", dir, list[i]->d_name);

		if (r >= 0)
			r = read_file(c, file, err);
		free(list[i]);
	}
	free(list);
	return r < 0 ? r : 0;
}

/* A file that somebody named must exist. */
static int read_named(struct conf *c, const char *path, struct kata_err *err)
{
	int r = read_file(c, path, err);

	return r ? r : err_sys_code(err, -ENOENT, "open %s", path);
}

static struct conf *conf_defaults(void)
{
	struct conf *c = mem_zalloc(sizeof(*c));
	struct kata_err err = { 0 };

	for (size_t i = 0; i < CONF_KEYS; i++) {
		if (conf_key_set(&c->v, &conf_keys[i], conf_keys[i].def, &err) < 0)
			abort(); /* a wrong default is our own mistake; test_conf finds it */
		c->origin[i] = mem_strdup("default");
	}
	return c;
}

static const char *env_config(void)
{
	const char *path = secure_getenv("KATA_CONFIG");

	return path && *path ? path : NULL;
}

int conf_load_system(const char *path, struct conf **ret_conf, struct kata_err *err)
{
	AUTO(conf) *c = conf_defaults();
	int r = read_system(c, path, err);

	if (r < 0)
		return r;
	*ret_conf = TAKE_PTR(c);
	return 0;
}

int conf_load(const char *path, struct conf **ret_conf, struct kata_err *err)
{
	AUTO(conf) *c = NULL;
	int r;

	if (!path)
		path = env_config();
	if (!path)
		return conf_load_system(KATA_CONF_FILE, ret_conf, err);
	c = conf_defaults();
	r = read_named(c, path, err);
	if (r < 0)
		return r;
	*ret_conf = TAKE_PTR(c);
	return 0;
}

int conf_load_fd(int fd, struct conf **ret_conf, struct kata_err *err)
{
	AUTO(conf) *c = conf_defaults();
	AUTO_FREE char *text = NULL;
	size_t len = 0;
	int r = fs_read_fd(fd, CONF_FILE_MAX, &text, &len);

	if (r < 0)
		return err_sys_code(err, r, "read configuration from the caller");
	r = read_text(c, "caller's configuration", text, len, err);
	if (r < 0)
		return r;
	*ret_conf = TAKE_PTR(c);
	return 0;
}

void conf_free(struct conf *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < CONF_KEYS; i++) {
		conf_key_done(&c->v, &conf_keys[i]);
		free(c->origin[i]);
	}
	free(c);
}

const struct kata_conf *conf_get(const struct conf *c)
{
	return &c->v;
}

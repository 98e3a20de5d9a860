/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf: the configuration file, driven by one table.
 *
 * Each setting is one line of keys[]: where it stands in the file, where in
 * struct kata_conf, its kind, default and a sentence of documentation. Reading,
 * checking, printing, the commented sample file and "did you mean" come from
 * that line alone. Defaults go through the same parser as a file, so that a
 * wrong one is found by the first unit test.
 *
 * libinih splits lines into section, key and value (conf_ini.c feeds it); what they
 * mean is decided here. No value's file is touched: that is `check`'s business.
 */
#include "conf/conf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/fs.h"
#include "base/mem.h"
#include "conf/conf_ini.h"
#include "conf/conf_paths.h"

/** One configuration file is at most this large. */
#define CONF_FILE_MAX (1u << 20)
/** Elements of one list value. */
#define CONF_LIST_MAX 1024

enum key_kind {
	KEY_WORD,  /* const char *, one of names[] */
	KEY_ENUM,  /* int, index into names[] */
	KEY_PATH,  /* const char *, absolute */
	KEY_LIST,  /* struct strv */
	KEY_PATHS, /* struct strv of absolute patterns */
	KEY_SIZE,  /* uint64_t bytes in [min, max] */
	KEY_U32,   /* uint32_t in [min, max] */
	KEY_BOOL,  /* bool */
};

struct conf_key {
	const char *section, *name;
	enum key_kind kind;
	size_t offset;
	const char *def; /* default, as it would stand in the file */
	const char *doc;
	const char *const *names; /* KEY_WORD, KEY_ENUM: NULL-terminated */
	uint64_t min, max;
};

static const char *const driver_names[] = { "qemu", NULL };
static const char *const accel_names[] = { "auto", "kvm", "tcg", NULL };
static const char *const machine_names[] = { "auto", "microvm", "q35", "virt", NULL };
static const char *const vsock_names[] = { "auto", "vhost", "vhost-user", NULL };
static const char *const flavour_names[] = { "auto", "c", "rust", NULL };
static const char *const cache_names[] = { "auto", "always", "never", NULL };
static const char *const unsupported_names[] = { "warn", "refuse", NULL };

#define KEY(sect, key, k, member, dflt, text, ...)                                       \
	{                                                                                \
		.section = (sect), .name = (key), .kind = (k),                           \
		.offset = offsetof(struct kata_conf, member), .def = (dflt),             \
		.doc = (text), __VA_ARGS__                                               \
	}

/* In the order of the file; the keys of a section stand together. */
static const struct conf_key keys[] = {
	KEY("hypervisor", "driver", KEY_WORD, driver, "qemu", "which hypervisor",
	    .names = driver_names),
	KEY("hypervisor", "path", KEY_PATH, hypervisor, KATA_DEFAULT_QEMU, "its program"),
	KEY("hypervisor", "accel", KEY_ENUM, accel, "auto",
	    "hardware acceleration; auto: KVM where it works, else TCG (emulation)",
	    .names = accel_names),
	KEY("hypervisor", "machine", KEY_ENUM, machine, "auto",
	    "machine type; auto: microvm on x86-64, virt on arm64",
	    .names = machine_names),
	KEY("hypervisor", "vsock", KEY_ENUM, vsock, "auto",
	    "how the guest dials out; auto: vhost where /dev/vhost-vsock exists, else vhost-user",
	    .names = vsock_names),
	KEY("hypervisor", "vsock_device", KEY_PATH, vsock_device,
	    KATA_DEFAULT_VSOCK_DEVICE,
	    "vhost-device-vsock, used with vsock = vhost-user"),
	KEY("hypervisor", "extra_args", KEY_LIST, hypervisor_args, "",
	    "arguments appended to the hypervisor's command line"),

	KEY("guest", "kernel", KEY_PATH, kernel, KATA_DEFAULT_KERNEL,
	    "guest kernel: uncompressed vmlinux (x86-64) or Image (arm64)"),
	KEY("guest", "initrd", KEY_PATH, initrd, KATA_DEFAULT_INITRD,
	    "guest initramfs, with kata-agent as its /init"),
	KEY("guest", "kernel_params", KEY_LIST, kernel_params, "",
	    "parameters appended to the kernel's command line"),
	KEY("guest", "memory", KEY_SIZE, memory, "512M",
	    "memory of a VM unless the bundle says otherwise", .min = 64ull << 20,
	    .max = 1ull << 40),
	KEY("guest", "vcpus", KEY_U32, vcpus, "1",
	    "virtual CPUs of a VM unless the bundle says otherwise", .min = 1,
	    .max = 255),
	KEY("guest", "boot_timeout", KEY_U32, boot_timeout, "60",
	    "seconds until kata-agent must have dialled in", .min = 1, .max = 3600),
	KEY("guest", "console", KEY_BOOL, console, "no",
	    "write the guest's console to console.log in the container's state directory"),

	KEY("share", "virtiofsd", KEY_PATH, virtiofsd, KATA_DEFAULT_VIRTIOFSD,
	    "the file server between host and guest"),
	KEY("share", "flavour", KEY_ENUM, virtiofsd_flavour, "auto",
	    "whose options it takes; auto: told by its path", .names = flavour_names),
	KEY("share", "cache", KEY_ENUM, fs_cache, "auto",
	    "what the guest may cache; never: every look goes to the host",
	    .names = cache_names),

	KEY("runtime", "unsupported", KEY_ENUM, unsupported, "warn",
	    "what to do with properties of config.json that are not applied yet",
	    .names = unsupported_names),
	KEY("runtime", "allow_kernel", KEY_PATHS, allow_kernel, "",
	    "patterns of paths that a bundle's vm.kernel may name"),
	KEY("runtime", "allow_hypervisor", KEY_PATHS, allow_hypervisor, "",
	    "patterns of paths that a bundle's vm.hypervisor may name"),
	KEY("runtime", "allow_image", KEY_PATHS, allow_image, "",
	    "patterns of paths that a bundle's vm.image may name"),
	KEY("runtime", "allow_hypervisor_args", KEY_BOOL, allow_hypervisor_args, "no",
	    "may a bundle give vm.hypervisor.parameters? They can reach any file of the host"),
	KEY("runtime", "allow_kernel_params", KEY_BOOL, allow_kernel_params, "no",
	    "may a bundle give vm.kernel.parameters?"),
};

#define N_KEYS ARRAY_SIZE(keys)

struct conf {
	struct kata_conf v;
	char *origin[N_KEYS];  /* "default" or "FILE:LINE" */
	unsigned pass[N_KEYS]; /* number of the file that set it last, for duplicates */
	unsigned passes;
};

static void *member_of(struct kata_conf *v, const struct conf_key *k)
{
	return (char *)v + k->offset;
}

static const void *member_const(const struct kata_conf *v, const struct conf_key *k)
{
	return (const char *)v + k->offset;
}

/* "auto, kvm or tcg" */
static const char *names_text(const char *const *names, char *dst, size_t size)
{
	size_t n = 0, at = 0;

	while (names[n])
		n++;
	for (size_t i = 0; i < n && at < size; i++) {
		const char *sep = i == 0 ? "" : i + 1 == n ? " or " : ", ";
		int len = snprintf(dst + at, size - at, "%s%s", sep, names[i]);

		at += len > 0 ? (size_t)len : 0;
	}
	return dst;
}

static int names_index(const char *const *names, const char *value)
{
	for (int i = 0; names[i]; i++)
		if (str_eq(names[i], value))
			return i;
	return -1;
}

static int set_word(const struct conf_key *k, void *member, const char *value,
		    struct kata_err *err)
{
	int i = names_index(k->names, value);
	char list[128];

	if (i < 0)
		return err_set(err, -EINVAL, "%s = %s: must be %s", k->name, value,
			       names_text(k->names, list, sizeof(list)));
	if (k->kind == KEY_ENUM) {
		*(int *)member = i;
		return 0;
	}
	free(*(char **)member);
	*(char **)member = mem_strdup(value);
	return 0;
}

static int set_path(const struct conf_key *k, void *member, const char *value,
		    struct kata_err *err)
{
	if (value[0] != '/')
		return err_set(err, -EINVAL, "%s = %s: must be an absolute path", k->name,
			       value);
	free(*(char **)member);
	*(char **)member = mem_strdup(value);
	return 0;
}

static int set_list(const struct conf_key *k, void *member, const char *value,
		    struct kata_err *err)
{
	static const char space[] = " \t\r\n\v\f";
	struct strv *list = member;
	struct strv fresh = { 0 };

	while (*(value += strspn(value, space))) {
		size_t len = strcspn(value, space);
		AUTO_FREE char *word = mem_strndup(value, len);
		int r = 0;

		value += len;
		if (k->kind == KEY_PATHS && word[0] != '/')
			r = err_set(err, -EINVAL, "%s: %s: must be an absolute path",
				    k->name, word);
		else if (fresh.n == CONF_LIST_MAX)
			r = err_set(err, -E2BIG, "%s: more than %d values", k->name,
				    CONF_LIST_MAX);
		if (r < 0) {
			strv_done(&fresh);
			return r;
		}
		strv_add(&fresh, word);
	}
	strv_done(list);
	*list = fresh;
	return 0;
}

/* A size in the shortest form that is exact: "512M", "1T", "1000". */
static void size_text(uint64_t n, char *dst, size_t size)
{
	static const char unit[] = { 0, 'K', 'M', 'G', 'T' };
	size_t u = 0;

	while (n && n % 1024 == 0 && u + 1 < ARRAY_SIZE(unit)) {
		n /= 1024;
		u++;
	}
	snprintf(dst, size, "%llu%.1s", (unsigned long long)n, u ? &unit[u] : "");
}

static int set_number(const struct conf_key *k, void *member, const char *value,
		      struct kata_err *err)
{
	char min[32], max[32];
	uint64_t n;
	int r;

	if (k->kind == KEY_SIZE)
		r = str_to_size(value, k->min, k->max, &n);
	else
		r = str_to_u64(value, k->min, k->max, &n);
	if (r == -ERANGE) {
		size_text(k->min, min, sizeof(min));
		size_text(k->max, max, sizeof(max));
		return err_set(err, -EINVAL, "%s = %s: must be between %s and %s",
			       k->name, value, min, max);
	}
	if (r < 0)
		return err_set(err, -EINVAL, "%s = %s: %s", k->name, value,
			       k->kind == KEY_SIZE ? "not a size (examples: 512M, 2G)"
						   : "not a whole number");
	if (k->kind == KEY_SIZE)
		*(uint64_t *)member = n;
	else
		*(uint32_t *)member = (uint32_t)n;
	return 0;
}

static int set_bool(const struct conf_key *k, void *member, const char *value,
		    struct kata_err *err)
{
	if (str_to_bool(value, member) < 0)
		return err_set(err, -EINVAL, "%s = %s: must be yes or no", k->name,
			       value);
	return 0;
}

static int (*const setters[])(const struct conf_key *, void *, const char *,
			      struct kata_err *) = {
	[KEY_WORD] = set_word,	[KEY_ENUM] = set_word,	[KEY_PATH] = set_path,
	[KEY_LIST] = set_list,	[KEY_PATHS] = set_list, [KEY_SIZE] = set_number,
	[KEY_U32] = set_number, [KEY_BOOL] = set_bool,
};

static int key_set(struct conf *c, size_t i, const char *value, struct kata_err *err)
{
	const struct conf_key *k = &keys[i];

	/* an empty value would otherwise read as "not a size", "must be auto, ..." */
	if (!*value && k->kind != KEY_LIST && k->kind != KEY_PATHS)
		return err_set(err, -EINVAL, "%s has no value", k->name);
	/* with the usual space before it, it would be a comment */
	if (*value == ';')
		return err_set(err, -EINVAL, "%s: a value cannot begin with \";\"",
			       k->name);
	return setters[k->kind](k, member_of(&c->v, k), value, err);
}

/* " ; did you mean X?" from the candidates, or "" */
static const char *hint(const char *given, const char *const *candidates, size_t n,
			char *dst, size_t size)
{
	const char *near = str_nearest(given, candidates, n);

	if (near)
		snprintf(dst, size, "; did you mean \"%s\"?", near);
	else
		dst[0] = 0;
	return dst;
}

static int unknown_section(const char *section, struct kata_err *err)
{
	const char *names[N_KEYS];
	char text[96];
	size_t n = 0;

	for (size_t i = 0; i < N_KEYS; i++)
		if (!n || !str_eq(names[n - 1], keys[i].section))
			names[n++] = keys[i].section;
	return err_set(err, -EINVAL, "unknown section [%s]%s", section,
		       hint(section, names, n, text, sizeof(text)));
}

static int unknown_key(const char *section, const char *name, struct kata_err *err)
{
	const char *names[N_KEYS];
	char text[96];
	size_t n = 0;

	for (size_t i = 0; i < N_KEYS; i++)
		if (str_eq(keys[i].section, section))
			names[n++] = keys[i].name;
	if (!n && !*section)
		return err_set(err, -EINVAL, "a key before the first [section]");
	if (!n)
		return unknown_section(section, err);
	for (size_t i = 0; i < N_KEYS; i++)
		if (str_eq(keys[i].name, name))
			return err_set(err, -EINVAL,
				       "unknown key \"%s\" in [%s]; it belongs in [%s]",
				       name, section, keys[i].section);
	return err_set(err, -EINVAL, "unknown key \"%s\" in [%s]%s", name, section,
		       hint(name, names, n, text, sizeof(text)));
}

/* What conf_ini.c calls for each "key = value". */
static int on_pair(void *arg, const struct conf_pair *p, struct kata_err *err)
{
	struct conf *c = arg;
	int r;

	for (size_t i = 0; i < N_KEYS; i++) {
		if (!str_eq(keys[i].section, p->section) ||
		    !str_eq(keys[i].name, p->name))
			continue;
		if (c->pass[i] == c->passes)
			return err_set(err, -EINVAL, "%s is there twice, first in %s",
				       p->name, c->origin[i]);
		r = key_set(c, i, p->value, err);
		if (r < 0)
			return r;
		c->pass[i] = c->passes;
		free(c->origin[i]);
		c->origin[i] = mem_printf("%s:%u", p->file, p->line);
		return 0;
	}
	return unknown_key(p->section, p->name, err);
}

static int on_section(void *arg, const char *section, struct kata_err *err)
{
	(void)arg;
	for (size_t i = 0; i < N_KEYS; i++)
		if (str_eq(keys[i].section, section))
			return 0;
	return unknown_section(section, err);
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

	for (size_t i = 0; i < N_KEYS; i++) {
		if (key_set(c, i, keys[i].def, &err) < 0)
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
	for (size_t i = 0; i < N_KEYS; i++) {
		void *m = member_of(&c->v, &keys[i]);

		free(c->origin[i]);
		if (keys[i].kind == KEY_LIST || keys[i].kind == KEY_PATHS)
			strv_done(m);
		else if (keys[i].kind == KEY_WORD || keys[i].kind == KEY_PATH)
			free(*(char **)m);
	}
	free(c);
}

const struct kata_conf *conf_get(const struct conf *c)
{
	return &c->v;
}

/* The value of @k as it would stand in the file, with the space in front. */
static void value_write(const struct kata_conf *v, const struct conf_key *k,
			struct buf *out)
{
	const void *m = member_const(v, k);
	const struct strv *list = m;
	char size[32];

	switch (k->kind) {
	case KEY_WORD:
	case KEY_PATH:
		buf_addf(out, " %s", *(const char *const *)m);
		break;
	case KEY_ENUM:
		buf_addf(out, " %s", k->names[*(const int *)m]);
		break;
	case KEY_LIST:
	case KEY_PATHS:
		for (size_t i = 0; i < list->n; i++)
			buf_addf(out, " %s", list->v[i]);
		break;
	case KEY_SIZE:
		size_text(*(const uint64_t *)m, size, sizeof(size));
		buf_addf(out, " %s", size);
		break;
	case KEY_U32:
		buf_addf(out, " %u", *(const uint32_t *)m);
		break;
	case KEY_BOOL:
		buf_add_str(out, *(const bool *)m ? " yes" : " no");
		break;
	}
}

static bool first_of_section(size_t i)
{
	return i == 0 || !str_eq(keys[i].section, keys[i - 1].section);
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
	for (size_t i = 0; i < N_KEYS; i++) {
		if (first_of_section(i))
			buf_addf(out, "%s[%s]\n", i ? "\n" : "", keys[i].section);
		if (origins)
			comment_write(c->origin[i], out);
		buf_addf(out, "%s =", keys[i].name);
		value_write(&c->v, &keys[i], out);
		buf_add_u8(out, '\n');
	}
}

static void value_write_json(const struct kata_conf *v, const struct conf_key *k,
			     struct json_out *o)
{
	const void *m = member_const(v, k);
	const struct strv *list = m;

	switch (k->kind) {
	case KEY_WORD:
	case KEY_PATH:
		json_out_str(o, *(const char *const *)m);
		break;
	case KEY_ENUM:
		json_out_str(o, k->names[*(const int *)m]);
		break;
	case KEY_LIST:
	case KEY_PATHS:
		json_out_begin_array(o);
		for (size_t i = 0; i < list->n; i++)
			json_out_str(o, list->v[i]);
		json_out_end_array(o);
		break;
	case KEY_SIZE:
		json_out_u64(o, *(const uint64_t *)m);
		break;
	case KEY_U32:
		json_out_u64(o, *(const uint32_t *)m);
		break;
	case KEY_BOOL:
		json_out_bool(o, *(const bool *)m);
		break;
	}
}

void conf_write_json(const struct conf *c, struct json_out *o)
{
	json_out_begin_object(o);
	for (size_t i = 0; i < N_KEYS; i++) {
		if (first_of_section(i)) {
			if (i)
				json_out_end_object(o);
			json_out_key(o, keys[i].section);
			json_out_begin_object(o);
		}
		json_out_key(o, keys[i].name);
		json_out_begin_object(o);
		json_out_key(o, "value");
		value_write_json(&c->v, &keys[i], o);
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
	case KEY_WORD:
	case KEY_ENUM:
		buf_addf(out, "# %s\n", names_text(k->names, list, sizeof(list)));
		break;
	case KEY_SIZE:
	case KEY_U32:
		size_text(k->min, min, sizeof(min));
		size_text(k->max, max, sizeof(max));
		buf_addf(out, "# %s to %s\n", min, max);
		break;
	case KEY_BOOL:
		buf_add_str(out, "# yes or no\n");
		break;
	case KEY_LIST:
	case KEY_PATHS:
		buf_add_str(out, "# a list, separated by spaces\n");
		break;
	case KEY_PATH:
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
	for (size_t i = 0; i < N_KEYS; i++) {
		const struct conf_key *k = &keys[i];

		if (first_of_section(i))
			buf_addf(out, "\n[%s]\n", k->section);
		buf_addf(out, "\n# %s\n", k->doc);
		domain_write(k, out);
		buf_addf(out, "#%s =%s%s\n", k->name, *k->def ? " " : "", k->def);
	}
}

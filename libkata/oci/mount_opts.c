/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mount_opts: words of mounts[].options to what mount(2) and mount_setattr(2)
 * take. The set is the one of config.md's table, with runc's meanings; "acl" is
 * left to the filesystem, as MS_POSIXACL is the kernel's own flag (runc #3738).
 * It knows nothing of paths and touches nothing.
 */
#include "oci/mount_opts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#define SET(f) .kind = MOUNT_OPT_FLAG, .flag = (f)
#define CLEAR(f) .kind = MOUNT_OPT_FLAG, .flag = (f), .clear = true
#define ATTR(f) .kind = MOUNT_OPT_ATTR, .flag = (f)
#define UNATTR(f) .kind = MOUNT_OPT_ATTR, .flag = (f), .clear = true
#define PROPAGATE(f) .kind = MOUNT_OPT_PROPAGATION, .flag = (f)

/* sorted by name (bytes): looked up by bsearch, printed by `features` in this order */
const struct mount_opt mount_opts_table[] = {
	{ "async", CLEAR(MS_SYNCHRONOUS) },
	{ "atime", CLEAR(MS_NOATIME) },
	{ "bind", .kind = MOUNT_OPT_BIND, .flag = MS_BIND },
	{ "defaults", SET(0) },
	{ "dev", CLEAR(MS_NODEV) },
	{ "diratime", CLEAR(MS_NODIRATIME) },
	{ "dirsync", SET(MS_DIRSYNC) },
	{ "exec", CLEAR(MS_NOEXEC) },
	{ "idmap", .kind = MOUNT_OPT_IDMAP },
	{ "iversion", SET(MS_I_VERSION) },
	{ "lazytime", SET(MS_LAZYTIME) },
	{ "loud", CLEAR(MS_SILENT) },
	{ "mand", SET(MS_MANDLOCK) },
	{ "noatime", SET(MS_NOATIME) },
	{ "nodev", SET(MS_NODEV) },
	{ "nodiratime", SET(MS_NODIRATIME) },
	{ "noexec", SET(MS_NOEXEC) },
	{ "noiversion", CLEAR(MS_I_VERSION) },
	{ "nolazytime", CLEAR(MS_LAZYTIME) },
	{ "nomand", CLEAR(MS_MANDLOCK) },
	{ "norelatime", CLEAR(MS_RELATIME) },
	{ "nostrictatime", CLEAR(MS_STRICTATIME) },
	{ "nosuid", SET(MS_NOSUID) },
	{ "nosymfollow", SET(MS_NOSYMFOLLOW) },
	{ "private", PROPAGATE(MS_PRIVATE) },
	{ "ratime", UNATTR(MOUNT_ATTR_NOATIME) },
	{ "rbind", .kind = MOUNT_OPT_BIND, .flag = MS_BIND | MS_REC },
	{ "rdev", UNATTR(MOUNT_ATTR_NODEV) },
	{ "rdiratime", UNATTR(MOUNT_ATTR_NODIRATIME) },
	{ "relatime", SET(MS_RELATIME) },
	{ "remount", SET(MS_REMOUNT) },
	{ "rexec", UNATTR(MOUNT_ATTR_NOEXEC) },
	{ "ridmap", .kind = MOUNT_OPT_IDMAP },
	{ "rnoatime", ATTR(MOUNT_ATTR_NOATIME) },
	{ "rnodev", ATTR(MOUNT_ATTR_NODEV) },
	{ "rnodiratime", ATTR(MOUNT_ATTR_NODIRATIME) },
	{ "rnoexec", ATTR(MOUNT_ATTR_NOEXEC) },
	{ "rnorelatime", UNATTR(MOUNT_ATTR_RELATIME) },
	{ "rnostrictatime", UNATTR(MOUNT_ATTR_STRICTATIME) },
	{ "rnosuid", ATTR(MOUNT_ATTR_NOSUID) },
	{ "rnosymfollow", ATTR(MOUNT_ATTR_NOSYMFOLLOW) },
	{ "ro", SET(MS_RDONLY) },
	{ "rprivate", PROPAGATE(MS_PRIVATE | MS_REC) },
	{ "rrelatime", ATTR(MOUNT_ATTR_RELATIME) },
	{ "rro", ATTR(MOUNT_ATTR_RDONLY) },
	{ "rrw", UNATTR(MOUNT_ATTR_RDONLY) },
	{ "rshared", PROPAGATE(MS_SHARED | MS_REC) },
	{ "rslave", PROPAGATE(MS_SLAVE | MS_REC) },
	{ "rstrictatime", ATTR(MOUNT_ATTR_STRICTATIME) },
	{ "rsuid", UNATTR(MOUNT_ATTR_NOSUID) },
	{ "rsymfollow", UNATTR(MOUNT_ATTR_NOSYMFOLLOW) },
	{ "runbindable", PROPAGATE(MS_UNBINDABLE | MS_REC) },
	{ "rw", CLEAR(MS_RDONLY) },
	{ "shared", PROPAGATE(MS_SHARED) },
	{ "silent", SET(MS_SILENT) },
	{ "slave", PROPAGATE(MS_SLAVE) },
	{ "strictatime", SET(MS_STRICTATIME) },
	{ "suid", CLEAR(MS_NOSUID) },
	{ "symfollow", CLEAR(MS_NOSYMFOLLOW) },
	{ "sync", SET(MS_SYNCHRONOUS) },
	{ "tmpcopyup", .kind = MOUNT_OPT_COPYUP },
	{ "unbindable", PROPAGATE(MS_UNBINDABLE) },
};

const size_t mount_opts_count = ARRAY_SIZE(mount_opts_table);

static int by_name(const void *key, const void *element)
{
	const struct mount_opt *opt = element;

	return strcmp(key, opt->name);
}

const struct mount_opt *mount_opt_find(const char *name)
{
	return bsearch(name, mount_opts_table, mount_opts_count,
		       sizeof(mount_opts_table[0]), by_name);
}

unsigned long mount_opt_propagation(const char *name)
{
	const struct mount_opt *opt = mount_opt_find(name);

	return opt && opt->kind == MOUNT_OPT_PROPAGATION ? opt->flag : 0;
}

static void add_flag(struct mount_opts *m, const struct mount_opt *opt)
{
	if (opt->clear) {
		m->flags &= ~opt->flag;
		m->cleared |= opt->flag;
	} else {
		m->flags |= opt->flag;
		m->cleared &= ~opt->flag;
	}
}

static void add_attr(struct mount_opts *m, const struct mount_opt *opt)
{
	bool atime = (opt->flag & MOUNT_ATTR__ATIME) == opt->flag; /* relatime is 0 */

	/* the atime bits are one value in three bits, not three flags */
	if (atime) {
		m->attr_set &= ~(uint64_t)MOUNT_ATTR__ATIME;
		m->attr_clr |= MOUNT_ATTR__ATIME;
	}
	if (opt->clear) {
		m->attr_set &= ~opt->flag;
		m->attr_clr |= opt->flag;
	} else {
		m->attr_set |= opt->flag;
		m->attr_clr &= ~(atime ? 0 : opt->flag);
	}
}

static const char *join(const char *const *words, size_t n, struct arena *a)
{
	size_t size = 1;
	char *text, *end;

	for (size_t i = 0; i < n; i++)
		size += strlen(words[i]) + 1;
	text = end = arena_alloc(a, size);
	for (size_t i = 0; i < n; i++) {
		if (i)
			*end++ = ',';
		end = stpcpy(end, words[i]);
	}
	return text;
}

int mount_opts_parse(const struct jt_strv *options, struct arena *a,
		     struct mount_opts *ret, struct kata_err *err)
{
	struct mount_opts m = { 0 };
	const char **data = arena_array(a, options->n + 1, sizeof(*data));
	unsigned long *propagation = arena_array(a, options->n + 1, sizeof(*propagation));
	size_t n_data = 0;

	for (size_t i = 0; i < options->n; i++) {
		const struct mount_opt *opt = mount_opt_find(options->v[i]);

		if (!opt) {
			data[n_data++] = options->v[i];
			continue;
		}
		switch (opt->kind) {
		case MOUNT_OPT_FLAG:
		case MOUNT_OPT_BIND:
			add_flag(&m, opt);
			break;
		case MOUNT_OPT_PROPAGATION:
			propagation[m.n_propagation++] = opt->flag;
			break;
		case MOUNT_OPT_ATTR:
			add_attr(&m, opt);
			break;
		case MOUNT_OPT_COPYUP:
			m.copyup = true;
			break;
		case MOUNT_OPT_IDMAP:
			return err_set(
				err, -ENOTSUP,
				"mount option \"%s\": id-mapped mounts are not supported",
				opt->name);
		}
	}
	m.propagation = propagation;
	m.data = join(data, n_data, a);
	*ret = m;
	return 0;
}

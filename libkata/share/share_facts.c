// SPDX-License-Identifier: Apache-2.0
/*
 * share_facts: what is mounted in the shared tree, from mountinfo: proto/shared.h says what the guest
 * does with it. Late mounts of the host are not in there; the guest meets them as they are found.
 */
#include "share/share.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "proto/shared.h"

#define MOUNTINFO_MAX (16u << 20)

/* Fields of a line: id, parent, device, root, mount point, options */
enum { FIELD_POINT = 4, FIELD_OPTIONS };

static const struct {
	const char *word;
	uint64_t attr;
} words[] = {
	{ "ro", MOUNT_ATTR_RDONLY },	     { "nosuid", MOUNT_ATTR_NOSUID },
	{ "nodev", MOUNT_ATTR_NODEV },	     { "noexec", MOUNT_ATTR_NOEXEC },
	{ "noatime", MOUNT_ATTR_NOATIME },   { "nodiratime", MOUNT_ATTR_NODIRATIME },
	{ "relatime", MOUNT_ATTR_RELATIME }, { "nosymfollow", MOUNT_ATTR_NOSYMFOLLOW },
};

static bool has_word(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (; *list; list += strcspn(list, ","), list += *list == ',')
		if (strcspn(list, ",") == n && memcmp(list, word, n) == 0)
			return true;
	return false;
}

static uint64_t attrs_of(const char *options)
{
	uint64_t attrs = 0;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (has_word(options, words[i].word))
			attrs |= words[i].attr;
	/* the three are one value, and relatime's is 0 */
	if (!has_word(options, "noatime") && !has_word(options, "relatime"))
		attrs |= MOUNT_ATTR_STRICTATIME;
	return attrs;
}

/* Octal escapes of proc_pid_mountinfo(5), in place. */
static void unescape(char *s)
{
	char *out = s;

	for (; *s; s++) {
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] && s[3]) {
			*out++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 |
					(s[3] - '0'));
			s += 3;
		} else {
			*out++ = *s;
		}
	}
	*out = '\0';
}

/* "c7/m3/sub" of "<dir>/c7/m3/sub"; NULL for all that is none of container @number's. */
static const char *inside(const char *point, const char *dir, const char *own)
{
	size_t n = strlen(dir);

	if (!fs_is_below(point, dir) || point[n] != '/')
		return NULL;
	return str_has_prefix(point + n + 1, own) ? point + n + 1 : NULL;
}

/* Nothing to tell of a mount at the top without attributes: that is how the guest mounts it. */
static bool is_worth_it(const struct shared_mount *m, const char *own)
{
	return m->attrs || strchr(m->path + strlen(own), '/');
}

/* One line, split in place. */
static void split(char *line, char *fields[FIELD_OPTIONS + 1])
{
	char *end = line + strlen(line);

	for (int i = 0; i <= FIELD_OPTIONS; i++) {
		fields[i] = strsep(&line, " ");
		if (!fields[i])
			fields[i] = end;
	}
}

int share_facts_parse(char *mountinfo, const char *dir, unsigned number, struct arena *a,
		      struct jt_objv *ret, struct kata_err *err)
{
	const char *own = arena_printf(a, "c%u/", number);
	struct shared_mount *v = arena_array(a, SHARED_MAX, sizeof(*v));
	size_t n = 0;
	char *line;

	while ((line = strsep(&mountinfo, "\n"))) {
		char *fields[FIELD_OPTIONS + 1];
		struct shared_mount m;

		split(line, fields);
		unescape(fields[FIELD_POINT]);
		m.path = inside(fields[FIELD_POINT], dir, own);
		m.attrs = attrs_of(fields[FIELD_OPTIONS]);
		if (!m.path || !is_worth_it(&m, own))
			continue;
		if (n == SHARED_MAX)
			return err_set(err, -E2BIG,
				       "mounts: more than %u mounts of the host below "
				       "binds; use \"bind\" for \"rbind\"",
				       SHARED_MAX);
		v[n++] = (struct shared_mount){ arena_strdup(a, m.path), m.attrs };
	}
	*ret = (struct jt_objv){ v, n };
	return 0;
}

int share_facts(int sharefd, unsigned number, struct arena *a, struct jt_objv *ret,
		struct kata_err *err)
{
	AUTO_FREE char *text = NULL;
	char dir[PATH_MAX];
	int r = fs_fd_path(sharefd, dir);

	if (r == 0)
		r = fs_read_at(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_MAX, &text,
			       NULL);
	if (r < 0)
		return err_sys_code(err, r, "read /proc/self/mountinfo");
	return share_facts_parse(text, dir, number, a, ret, err);
}

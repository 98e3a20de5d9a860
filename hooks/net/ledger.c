// SPDX-License-Identifier: Apache-2.0
/*
 * ledger: the lists, and the file.
 *
 * The lock is flock() on the directory itself, so nothing but the file is in it and both
 * go with the last container. Whoever gets the lock looks whether the directory is still
 * the one of that name.
 */
#include "ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/str.h"

#define LEDGER_NAME "ledger.json"
#define LEDGER_TEMP "ledger.new" /* always the same: only who holds the lock writes */
#define LEDGER_MAX                                                                       \
	(8u                                                                              \
	 << 20) /* SUBNET_HOST_MAX containers with short names; far more than fit a host */

static const char *const resolv_names[RESOLV_KINDS + 1] = {
	[RESOLV_KEPT] = "kept",
	[RESOLV_WAS_ABSENT] = "absent",
	[RESOLV_WAS_EMPTY] = "empty",
};

static const struct jt_field net_fields[] = {
	JT(struct ledger_net, bridge, JT_STR, .flags = JT_REQUIRED | JT_NONEMPTY),
	JT(struct ledger_net, subnet, JT_STR, .flags = JT_REQUIRED),
	JT(struct ledger_net, subnet6, JT_STR),
	JT(struct ledger_net, mtu, JT_U32, .flags = JT_REQUIRED),
	JT(struct ledger_net, nat, JT_BOOL),
};

static const struct jtab net_tab = {
	.what = "net",
	.size = sizeof(struct ledger_net),
	.fields = net_fields,
	.n_fields = ARRAY_SIZE(net_fields),
};

static const struct jt_field user_fields[] = {
	JT(struct ledger_user, id, JT_STR, .flags = JT_REQUIRED | JT_NONEMPTY),
	JT(struct ledger_user, bundle, JT_STR, .flags = JT_REQUIRED),
	JT(struct ledger_user, pid, JT_I64, .flags = JT_REQUIRED, .min = 1,
	   .max = INT32_MAX),
	JT(struct ledger_user, start, JT_U64, .flags = JT_REQUIRED),
	JT(struct ledger_user, bridge, JT_STR, .flags = JT_REQUIRED),
	JT(struct ledger_user, host, JT_U32, .flags = JT_REQUIRED, .min = 2,
	   .max = SUBNET_HOST_MAX),
	JT(struct ledger_user, publish, JT_STRV),
	JT(struct ledger_user, rootfs, JT_STR),
	JT(struct ledger_user, resolv, JT_ENUM, .flags = JT_REQUIRED,
	   .names = resolv_names),
};

static const struct jtab user_tab = {
	.what = "user",
	.size = sizeof(struct ledger_user),
	.fields = user_fields,
	.n_fields = ARRAY_SIZE(user_fields),
};

/* Everybody's bridge is there: removal follows it. */
static int check(const void *obj, const char *path, struct kata_err *err)
{
	const struct ledger *l = obj;

	(void)path;
	for (size_t i = 0; i < l->users.n; i++) {
		const struct ledger_user *u = &ledger_users(l)[i];

		if (!ledger_net(l, u->bridge))
			return err_set(err, -EINVAL,
				       "users[%zu].bridge: no net is called %s", i,
				       u->bridge);
	}
	return 0;
}

static const struct jt_field ledger_fields[] = {
	JT(struct ledger, version, JT_U32, .flags = JT_REQUIRED),
	JT(struct ledger, forward4, JT_BOOL),
	JT(struct ledger, forward6, JT_BOOL),
	JT(struct ledger, nets, JT_OBJV, .sub = &net_tab),
	JT(struct ledger, users, JT_OBJV, .sub = &user_tab),
};

const struct jtab ledger_tab = {
	.what = "ledger",
	.size = sizeof(struct ledger),
	.fields = ledger_fields,
	.n_fields = ARRAY_SIZE(ledger_fields),
	.check = check,
};

/* --- lists ----------------------------------------------------------------------------------- */

const struct ledger_net *ledger_net(const struct ledger *l, const char *bridge)
{
	for (size_t i = 0; i < l->nets.n; i++) {
		if (str_eq(ledger_nets(l)[i].bridge, bridge))
			return &ledger_nets(l)[i];
	}
	return NULL;
}

const struct ledger_user *ledger_user(const struct ledger *l, const char *id)
{
	for (size_t i = 0; i < l->users.n; i++) {
		if (str_eq(ledger_users(l)[i].id, id))
			return &ledger_users(l)[i];
	}
	return NULL;
}

size_t ledger_count(const struct ledger *l, const char *bridge)
{
	size_t n = 0;

	for (size_t i = 0; i < l->users.n; i++)
		n += str_eq(ledger_users(l)[i].bridge, bridge);
	return n;
}

static void append(struct jt_objv *list, struct arena *a, const void *item, size_t size)
{
	char *v = arena_array(a, list->n + 1, size);

	if (list->n)
		memcpy(v, list->v, list->n * size);
	memcpy(v + list->n * size, item, size);
	list->v = v;
	list->n++;
}

void ledger_add_net(struct ledger *l, struct arena *a, const struct ledger_net *net)
{
	append(&l->nets, a, net, sizeof(*net));
}

void ledger_add_user(struct ledger *l, struct arena *a, const struct ledger_user *user)
{
	append(&l->users, a, user, sizeof(*user));
}

void ledger_drop_user(struct ledger *l, struct arena *a, const char *id)
{
	struct ledger left = *l;

	left.users = left.nets = (struct jt_objv){ 0 };
	for (size_t i = 0; i < l->users.n; i++) {
		if (!str_eq(ledger_users(l)[i].id, id))
			ledger_add_user(&left, a, &ledger_users(l)[i]);
	}
	for (size_t i = 0; i < l->nets.n; i++) {
		if (ledger_count(&left, ledger_nets(l)[i].bridge))
			ledger_add_net(&left, a, &ledger_nets(l)[i]);
	}
	*l = left;
}

/* --- the directory --------------------------------------------------------------------------- */

static int lock_wait(int fd)
{
	while (flock(fd, LOCK_EX) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	return 0;
}

/* -EAGAIN when the directory was removed meanwhile. */
static int lock_dir(const char *path, int *ret_fd, struct kata_err *err)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	struct stat ours, there;
	int rc;

	if (fd < 0)
		return err_sys(err, "open %s", path);
	rc = lock_wait(fd);
	if (rc < 0)
		return err_sys_code(err, rc, "lock %s", path);
	if (fstat(fd, &ours) < 0)
		return err_sys(err, "%s", path);
	if (stat(path, &there) < 0 || ours.st_ino != there.st_ino ||
	    ours.st_dev != there.st_dev)
		return err_set(err, -EAGAIN, "%s was removed meanwhile", path);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int ledger_open(const char *path, bool make, struct ledger_dir *ret, struct kata_err *err)
{
	int fd, rc;

	do {
		rc = make ? fs_mkdir_p(path, 0700, err) : 0;
		if (rc < 0)
			return rc;
		rc = lock_dir(path, &fd, err);
	} while (rc == -EAGAIN || (rc == -ENOENT && make));
	if (rc < 0)
		return rc;
	*ret = (struct ledger_dir){ .path = path, .fd = fd };
	return 0;
}

void ledger_close(struct ledger_dir *d)
{
	fd_drop(&d->fd);
}

/* --- the file -------------------------------------------------------------------------------- */

static int decode(const char *text, size_t len, struct arena *a, struct ledger *ret,
		  struct kata_err *err)
{
	const struct json *j;
	struct ledger l;
	int rc = json_parse(text, len, &json_limits_default, a, &j, err);

	if (rc == 0)
		rc = jtab_decode(&ledger_tab, j, a, "", &l, err);
	if (rc < 0)
		return rc;
	if (l.version != LEDGER_VERSION)
		return err_set(err, -EPROTO,
			       "version %u is not known to this kata-hook-net",
			       l.version);
	*ret = l;
	return 0;
}

int ledger_load(const struct ledger_dir *d, struct arena *a, struct ledger *ret,
		struct kata_err *err)
{
	AUTO_FREE char *text = NULL;
	size_t len;
	int rc = fs_read_at(d->fd, LEDGER_NAME, LEDGER_MAX, &text, &len);

	if (rc == -ENOENT) {
		*ret = (struct ledger){ .version = LEDGER_VERSION };
		return 0;
	}
	if (rc < 0)
		return err_sys_code(err, rc, "read %s/" LEDGER_NAME, d->path);
	rc = decode(text, len, a, ret, err);
	return rc < 0 ? err_ctx(err, "%s/" LEDGER_NAME, d->path) : 0;
}

/* Only our own files are expected there; a directory with more in it stays. */
static int remove_all(const struct ledger_dir *d, struct kata_err *err)
{
	if (unlinkat(d->fd, LEDGER_TEMP, 0) < 0 && errno != ENOENT)
		return err_sys(err, "remove %s/" LEDGER_TEMP, d->path);
	if (unlinkat(d->fd, LEDGER_NAME, 0) < 0 && errno != ENOENT)
		return err_sys(err, "remove %s/" LEDGER_NAME, d->path);
	if (rmdir(d->path) < 0 && errno != ENOTEMPTY && errno != EBUSY)
		return err_sys(err, "remove %s", d->path);
	return 0;
}

static int replace(int dirfd, const struct buf *b)
{
	AUTO_CLOSE int fd = openat(dirfd, LEDGER_TEMP,
				   O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
				   0600);
	int rc = fd < 0 ? -errno : fs_write_all(fd, buf_ptr(b), buf_len(b));

	if (rc == 0 && renameat(dirfd, LEDGER_TEMP, dirfd, LEDGER_NAME) < 0)
		rc = -errno;
	return rc;
}

int ledger_save(const struct ledger_dir *d, const struct ledger *l, struct kata_err *err)
{
	struct buf b = { 0 };
	struct json_out o = { .buf = &b, .pretty = true };
	int rc;

	if (!l->nets.n)
		return remove_all(d, err);
	jtab_encode(&ledger_tab, l, &o);
	rc = replace(d->fd, &b);
	buf_done(&b);
	return rc < 0 ? err_sys_code(err, rc, "write %s/" LEDGER_NAME, d->path) : 0;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * resolv: the text, then the file. The rootfs may have been written by a hostile container:
 * etc is opened inside the root, the file never through a link, and only what begins
 * with our first line is changed again.
 */
#include "resolv.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/str.h"

#define MARK "# made by kata-hook-net(8), goes with the container\n"
#define HOST_MAX (64u << 10)

/* systemd-resolved's own list, for where the first names its stub on loopback */
static const char *const host_files[] = {
	"/etc/resolv.conf",
	"/run/systemd/resolve/resolv.conf",
};

/* --- the text -------------------------------------------------------------------------------- */

/* Return: is it a server that a container can reach? A zone (%eth0) means nothing there. */
static bool is_server(const char *line)
{
	static const char key[] = "nameserver";
	char addr[IP_TEXT];
	struct ip ip;
	size_t len;

	if (!str_has_prefix(line, key))
		return false;
	line += strlen(key);
	line += strspn(line, " \t");
	len = strcspn(line, " \t");
	if (len >= sizeof(addr))
		return false;
	str_copy(addr, len + 1, line); /* the rest of the line is cut off on purpose */
	return ip_parse(addr, &ip) == 0 && !ip_is_loopback(&ip);
}

static bool is_kept(const char *line)
{
	return str_has_prefix(line, "search ") || str_has_prefix(line, "domain ") ||
	       str_has_prefix(line, "options ");
}

/* Return: was there a server in it? */
static bool take_host(const char *text, struct buf *out)
{
	bool found = false;

	while (*text) {
		size_t len = strcspn(text, "\n");
		AUTO_FREE char *line = mem_strndup(text, len);
		bool server = is_server(line);

		if (server || is_kept(line))
			buf_addf(out, "%s\n", line);
		found = found || server;
		text += len + (text[len] == '\n');
	}
	return found;
}

int resolv_text(const struct options *o, const char *const *hosts, size_t n,
		struct buf *out, struct kata_err *err)
{
	for (size_t i = 0; i < n && !o->dns.n; i++) {
		struct buf b = { 0 };
		bool found = take_host(hosts[i], &b);

		if (found)
			buf_addf(out, MARK "%s", buf_cstr(&b));
		buf_done(&b);
		if (found)
			return 0;
	}
	if (!o->dns.n)
		return err_set(err, -ENOENT,
			       "%s names no server that a container can reach: name one "
			       "with --dns, or do without by --no-dns",
			       host_files[0]);
	buf_add_str(out, MARK);
	for (size_t i = 0; i < o->dns.n; i++)
		buf_addf(out, "nameserver %s\n", o->dns.v[i]);
	return 0;
}

int resolv_compose(const struct options *o, struct buf *out, struct kata_err *err)
{
	char *texts[ARRAY_SIZE(host_files)];
	size_t n = 0;
	int rc;

	for (size_t i = 0; i < ARRAY_SIZE(host_files); i++) {
		if (fs_read_at(AT_FDCWD, host_files[i], HOST_MAX, &texts[n], NULL) == 0)
			n++;
	}
	rc = resolv_text(o, (const char *const *)texts, n, out, err);
	while (n > 0)
		free(texts[--n]);
	return rc;
}

/* --- the file -------------------------------------------------------------------------------- */

/* -ENOENT: no rootfs, or no etc in it and not to @make it. */
static int open_etc(const char *rootfs, bool make, struct kata_err *err)
{
	AUTO_CLOSE int root = open(rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int fd;

	if (root < 0)
		return err_sys(err, "rootfs %s", rootfs);
	fd = make ? fs_mkdir_in_root(root, "etc", 0755)
		  : fs_open_in_root(root, "etc", O_PATH | O_DIRECTORY, 0);
	return fd < 0 ? err_sys_code(err, fd, "%s/etc", rootfs) : fd;
}

static bool is_ours(const char *text)
{
	return *text == '\0' || str_has_prefix(text, MARK);
}

/* Return: 1 and its text; 0 when there is none. */
static int read_file(int etc, const char *rootfs, char **ret_text, struct kata_err *err)
{
	AUTO_CLOSE int fd = -1;
	struct stat st;
	int rc;

	if (fstatat(etc, "resolv.conf", &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_sys(err, "%s/etc/resolv.conf", rootfs);
	if (!S_ISREG(st.st_mode))
		return err_set(err, -EINVAL,
			       "%s/etc/resolv.conf is no file but a link or the like: "
			       "mount one over it in config.json and give --no-dns",
			       rootfs);
	fd = openat(etc, "resolv.conf", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "open %s/etc/resolv.conf", rootfs);
	rc = fs_read_fd(fd, HOST_MAX, ret_text, NULL);
	return rc < 0 ? err_sys_code(err, rc, "read %s/etc/resolv.conf", rootfs) : 1;
}

int resolv_look(const char *rootfs, enum ledger_resolv *ret, struct kata_err *err)
{
	AUTO_CLOSE int etc = open_etc(rootfs, false, err);
	AUTO_FREE char *text = NULL;
	int rc;

	*ret = RESOLV_WAS_ABSENT;
	if (etc == -ENOENT)
		return access(rootfs, F_OK) < 0 ? etc : 0;
	if (etc < 0)
		return etc;
	rc = read_file(etc, rootfs, &text, err);
	if (rc > 0 && *text == '\0')
		*ret = RESOLV_WAS_EMPTY;
	else if (rc > 0 && !is_ours(text))
		*ret = RESOLV_KEPT;
	return rc < 0 ? rc : 0;
}

int resolv_write(const char *rootfs, const struct buf *text, struct kata_err *err)
{
	AUTO_CLOSE int etc = open_etc(rootfs, true, err);
	AUTO_CLOSE int fd = -1;
	int rc;

	if (etc < 0)
		return etc;
	fd = openat(etc, "resolv.conf",
		    O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	rc = fd < 0 ? -errno : fs_write_all(fd, buf_ptr(text), buf_len(text));
	if (rc == 0)
		return 0;
	return err_sys_code(err, rc,
			    "write %s/etc/resolv.conf (mount one in config.json and give "
			    "--no-dns?)",
			    rootfs);
}

static int put_back(int etc, enum ledger_resolv was)
{
	AUTO_CLOSE int fd = -1;

	if (was == RESOLV_WAS_ABSENT)
		return unlinkat(etc, "resolv.conf", 0) < 0 ? -errno : 0;
	fd = openat(etc, "resolv.conf", O_WRONLY | O_TRUNC | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : 0;
}

int resolv_restore(const char *rootfs, enum ledger_resolv was, struct kata_err *err)
{
	struct kata_err ignored = { 0 };
	AUTO_CLOSE int etc = open_etc(rootfs, false, err);
	AUTO_FREE char *text = NULL;
	int rc;

	if (etc == -ENOENT)
		return 0;
	if (etc < 0)
		return etc;
	/* whatever the container put there instead is none of ours */
	if (read_file(etc, rootfs, &text, &ignored) <= 0 || !is_ours(text))
		return 0;
	rc = put_back(etc, was);
	return rc < 0 ? err_sys_code(err, rc, "restore %s/etc/resolv.conf", rootfs) : 0;
}

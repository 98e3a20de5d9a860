/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtiofsd: the command line of the file server, in the dialect of its two
 * implementations: QEMU's in C (up to QEMU 7.2; Debian 12) and the one in Rust.
 * Pure.
 *
 * Both get a listening socket by number, serve one connection and end with it.
 */
#include <stddef.h>

#include "base/mem.h"
#include "share/share.h"

/* The C one was part of QEMU and lies with it; the Rust one is a program of its own. */
bool virtiofsd_is_rust(const struct kata_conf *conf)
{
	if (conf->virtiofsd_flavour != CONF_VIRTIOFSD_AUTO)
		return conf->virtiofsd_flavour == CONF_VIRTIOFSD_RUST;
	return !str_has_suffix(conf->virtiofsd, "/qemu/virtiofsd");
}

/* A value of "-o" ends with a comma; a backslash takes that from it (libfuse's option parser). */
static char *escape(const char *s)
{
	char *out = mem_alloc(2 * __builtin_strlen(s) + 1), *p = out;

	for (; *s; s++) {
		if (*s == ',' || *s == '\\')
			*p++ = '\\';
		*p++ = *s;
	}
	*p = 0;
	return out;
}

/*
 * xattr: file capabilities and what images carry. announce_submounts: binds come from several
 * file systems, and inode numbers are unique only within one.
 *
 * auto: cache=auto of the server has the guest drop a file's pages at every open, so each exec of
 * a program reads it anew and under TCG is translated anew. With cache=always they are dropped
 * when size or time of change differ; timeout is how many seconds the guest may go without asking for
 * those: as many as with the server's auto.
 */
static void argv_c(const struct kata_conf *conf, int listen_fd, const char *dir,
		   struct strv *ret)
{
	static const char *const cache[] = { [CONF_FS_CACHE_AUTO] = "always,timeout=1",
					     [CONF_FS_CACHE_ALWAYS] = "always",
					     [CONF_FS_CACHE_NEVER] = "none" };
	static const char *const fixed[] = {
		"-f", "-o", "xattr", "-o", "announce_submounts", "-o", "log_level=err"
	};

	AUTO_FREE char *source = escape(dir);

	strv_addf(ret, "--fd=%d", listen_fd);
	strv_add(ret, "-o");
	strv_addf(ret, "source=%s", source);
	strv_add(ret, "-o");
	strv_addf(ret, "cache=%s", cache[conf->fs_cache]);
	for (size_t i = 0; i < ARRAY_SIZE(fixed); i++)
		strv_add(ret, fixed[i]);
}

static void argv_rust(const struct kata_conf *conf, int listen_fd, const char *dir,
		      struct strv *ret)
{
	static const char *const cache[] = { [CONF_FS_CACHE_AUTO] = "auto",
					     [CONF_FS_CACHE_ALWAYS] = "always",
					     [CONF_FS_CACHE_NEVER] = "never" };
	static const char *const fixed[] = { "--xattr", "--announce-submounts",
					     "--log-level=error" };

	strv_addf(ret, "--fd=%d", listen_fd);
	strv_add(ret, "--shared-dir");
	strv_add(ret, dir);
	strv_add(ret, "--cache");
	strv_add(ret, cache[conf->fs_cache]);
	for (size_t i = 0; i < ARRAY_SIZE(fixed); i++)
		strv_add(ret, fixed[i]);
}

void virtiofsd_argv(const struct kata_conf *conf, int listen_fd, const char *dir,
		    struct strv *ret)
{
	strv_add(ret, conf->virtiofsd);
	(virtiofsd_is_rust(conf) ? argv_rust : argv_c)(conf, listen_fd, dir, ret);
}

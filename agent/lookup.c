// SPDX-License-Identifier: Apache-2.0
/*
 * lookup: engines match on the texts (CONTRACT 1.7), so rules and words are those of Go's
 * exec.LookPath, which runc uses: a name with a slash is taken as it is; otherwise each
 * directory of PATH is tried and what is not executable there does not count. Relative
 * directories in PATH are skipped: Go refuses what it finds there.
 */
#include "lookup.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"

enum { STATUS_NOT_EXECUTABLE = 126, STATUS_NOT_FOUND = 127 };

static size_t name_len(const char *entry)
{
	return strcspn(entry, "=");
}

static bool same_name(const char *a, const char *b)
{
	size_t n = name_len(a);

	return n == name_len(b) && strncmp(a, b, n) == 0;
}

const char *env_get(const struct jt_strv *env, const char *name)
{
	for (size_t i = env->n; i-- > 0;) {
		if (same_name(env->v[i], name) && env->v[i][name_len(name)] == '=')
			return env->v[i] + name_len(name) + 1;
	}
	return NULL;
}

/* Does another of its name follow? */
static bool is_replaced(const struct jt_strv *env, size_t i)
{
	for (size_t k = i + 1; k < env->n; k++) {
		if (same_name(env->v[k], env->v[i]))
			return true;
	}
	return false;
}

char **env_make(const struct jt_strv *env, const char *home, struct arena *a)
{
	const char **out = arena_array(a, env->n + 2, sizeof(*out));
	const char *own = env_get(env, "HOME");
	bool add_home = !own || !*own;
	size_t n = 0;

	for (size_t i = 0; i < env->n; i++) {
		if (!is_replaced(env, i) && !(add_home && same_name(env->v[i], "HOME")))
			out[n++] = env->v[i];
	}
	if (add_home)
		out[n++] = arena_printf(a, "HOME=%s", home);
	out[n] = NULL;
	return (char **)out;
}

/* Go's findExecutable(). Return: 0 or -errno, -EISDIR for a directory. */
static int check_executable(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0)
		return -errno;
	return st.st_mode & 0111 ? 0 : -EACCES;
}

static int check_given(const char *name, struct kata_err *err)
{
	struct stat st;
	int r;

	if (stat(name, &st) < 0) {
		r = err_sys(err, "exec: \"%s\": stat %s", name, name);
		err->status = r == -EACCES ? STATUS_NOT_EXECUTABLE : STATUS_NOT_FOUND;
		return r;
	}
	r = check_executable(name);
	/* docker 20.10 knows the second half for 126, later ones the first */
	if (r == -EISDIR)
		err_set(err, r, "exec: \"%s\": is a directory: permission denied", name);
	else if (r < 0)
		err_sys_code(err, r, "exec: \"%s\"", name);
	if (r < 0)
		err->status = STATUS_NOT_EXECUTABLE;
	return r;
}

int lookup_program(const char *name, const char *path_env, struct arena *a,
		   const char **ret_path, struct kata_err *err)
{
	const char *dir = path_env ? path_env : "";
	int r;

	if (strchr(name, '/')) {
		r = check_given(name, err);
		*ret_path = name;
		return r;
	}
	while (*name && *dir) {
		size_t n = strcspn(dir, ":");

		if (n > 0 && dir[0] == '/') {
			const char *path = arena_printf(a, "%.*s/%s", (int)n, dir, name);

			if (check_executable(path) == 0) {
				*ret_path = path;
				return 0;
			}
		}
		dir += n + (dir[n] == ':');
	}
	r = err_set(err, -ENOENT, "exec: \"%s\": executable file not found in $PATH",
		    name);
	err->status = STATUS_NOT_FOUND;
	return r;
}

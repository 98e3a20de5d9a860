// SPDX-License-Identifier: Apache-2.0
/*
 * exec_process: what `exec` runs: a process document as given, or the container's own process with
 * the options laid over it, as runc does.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/fs.h"
#include "verb/exec.h"
#include "verb/unsupported.h"

#define DOCUMENT_MAX (16u << 20)

static struct jt_strv joined(const struct jt_strv *a, const char *const *more,
			     struct arena *arena)
{
	struct jt_strv all = { 0 };
	const char **v;
	size_t n = 0;

	while (more && more[n])
		n++;
	v = arena_array(arena, a->n + n + 1, sizeof(*v));
	for (size_t i = 0; i < a->n; i++)
		v[all.n++] = a->v[i];
	for (size_t i = 0; i < n; i++)
		v[all.n++] = more[i];
	v[all.n] = NULL;
	all.v = v;
	return all;
}

/* "uid[:gid]", numbers: names are the image's, which the host does not read. */
static int lay_user(const struct kata_exec_args *args, struct oci_user *u,
		    struct kata_err *err)
{
	AUTO_FREE char *text = mem_strdup(args->user);
	char *colon = strchr(text, ':');
	uint64_t uid, gid = u->gid;

	if (colon)
		*colon = '\0';
	if (str_to_u64(text, 0, UINT32_MAX - 1, &uid) < 0 ||
	    (colon && str_to_u64(colon + 1, 0, UINT32_MAX - 1, &gid) < 0))
		return err_set(err, -EINVAL,
			       "--user: \"%s\" is not of the form uid[:gid], in numbers",
			       args->user);
	u->uid = (uint32_t)uid;
	u->gid = (uint32_t)gid;
	return 0;
}

static int lay_gids(const struct kata_exec_args *args, struct oci_user *u,
		    struct arena *a, struct kata_err *err)
{
	const uint32_t *old = u->additionalGids.v;
	size_t n = 0;
	uint32_t *v;

	while (args->additional_gids && args->additional_gids[n])
		n++;
	if (!n)
		return 0;
	v = arena_array(a, u->additionalGids.n + n, sizeof(*v));
	for (size_t i = 0; i < u->additionalGids.n; i++)
		v[i] = old[i];
	for (size_t i = 0; i < n; i++) {
		uint64_t gid;

		if (str_to_u64(args->additional_gids[i], 0, UINT32_MAX - 1, &gid) < 0)
			return err_set(err, -EINVAL,
				       "--additional-gids: \"%s\" is no group number",
				       args->additional_gids[i]);
		v[u->additionalGids.n + i] = (uint32_t)gid;
	}
	u->additionalGids.v = v;
	u->additionalGids.n += n;
	return 0;
}

/* runc's rule: ambient only where the container has inheritable ones already. */
static void lay_caps(const struct kata_exec_args *args, struct oci_process *p,
		     struct arena *a)
{
	struct oci_caps *caps = arena_alloc(a, sizeof(*caps));

	if (!args->caps || !args->caps[0])
		return;
	if (p->capabilities)
		*caps = *p->capabilities;
	caps->bounding = joined(&caps->bounding, args->caps, a);
	caps->effective = joined(&caps->effective, args->caps, a);
	caps->permitted = joined(&caps->permitted, args->caps, a);
	if (caps->inheritable.n)
		caps->ambient = joined(&caps->ambient, args->caps, a);
	p->capabilities = caps;
}

static int lay_over(const struct kata_exec_args *args, struct oci_process *p,
		    struct arena *a, struct kata_err *err)
{
	const struct jt_strv none = { 0 };
	struct oci_user *user = arena_alloc(a, sizeof(*user));
	int rc;

	*user = *p->user;
	p->user = user;
	p->args = joined(&none, args->argv, a);
	p->env = joined(&p->env, args->env, a);
	p->terminal = args->tty;
	p->cwd = args->cwd ? args->cwd : p->cwd;
	p->noNewPrivileges = p->noNewPrivileges || args->no_new_privs;
	if (args->process_label)
		p->selinuxLabel = args->process_label;
	if (args->apparmor)
		p->apparmorProfile = args->apparmor;
	lay_caps(args, p, a);
	rc = args->user ? lay_user(args, user, err) : 0;
	return rc < 0 ? rc : lay_gids(args, user, a, err);
}

static int from_file(const struct execution *x, const struct oci_process **ret,
		     struct kata_err *err)
{
	const char *path = x->args->process_file;
	AUTO_FREE char *text = NULL;
	size_t len;
	int rc = fs_read_at(AT_FDCWD, path, DOCUMENT_MAX, &text, &len);

	if (rc < 0)
		return err_sys_code(err, rc, "read %s", path);
	rc = oci_process_load(text, len, x->box.arena, ret, err);
	return rc < 0 ? err_ctx(err, "%s", path) : 0;
}

static int from_container(const struct execution *x, const struct oci_process **ret,
			  struct kata_err *err)
{
	struct arena *a = x->box.arena;
	struct oci_process *p = arena_alloc(a, sizeof(*p));
	AUTO_FREE char *text = NULL;
	const struct oci_spec *spec;
	size_t len;
	int rc;

	if (!x->args->argv || !x->args->argv[0])
		return err_set(err, -EINVAL,
			       "process args cannot be empty: name a program, or a "
			       "document with --process");
	rc = fs_read_at(x->box.dir.fd, "config.json", DOCUMENT_MAX, &text, &len);
	if (rc < 0)
		return err_sys_code(err, rc, "read %s/config.json", x->box.dir.path);
	rc = oci_spec_load(text, len, a, &spec, err);
	if (rc < 0)
		return rc;
	if (!spec->process)
		return err_set(err, -EINVAL,
			       "the container's config.json has no process; use "
			       "--process");
	*p = *spec->process;
	*ret = p;
	return lay_over(x->args, p, a, err);
}

/* In the foreground the terminal is the caller's, and a program may ask for its size at once. */
static void take_callers_size(struct execution *x)
{
	struct oci_process *p;
	struct oci_box *box;
	struct winsize ws;

	if (x->args->detach || !x->process->terminal ||
	    ioctl(STDIN_FILENO, TIOCGWINSZ, &ws) < 0 || !ws.ws_row || !ws.ws_col)
		return;
	p = arena_alloc(x->box.arena, sizeof(*p));
	box = arena_alloc(x->box.arena, sizeof(*box));
	*box = (struct oci_box){ .height = ws.ws_row, .width = ws.ws_col };
	*p = *x->process;
	p->consoleSize = box;
	x->process = p;
}

int exec_process(struct execution *x, struct kata_err *err)
{
	int rc = x->args->process_file ? from_file(x, &x->process, err)
				       : from_container(x, &x->process, err);

	/* what it has from the container's own config.json was looked at by create */
	if (rc == 0 &&
	    (x->args->process_file || x->args->apparmor || x->args->process_label))
		rc = unsupported_process(x->k->config, x->process, err);
	if (rc == 0)
		take_callers_size(x);
	return rc;
}

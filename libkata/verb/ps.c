// SPDX-License-Identifier: Apache-2.0
/*
 * ps: the container's processes as the host has them: its shims. Engines look the pids up in the
 * host's /proc (docker top), so the guest's own would mean nothing to them.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/proc.h"
#include "verb/verb.h"

#define REPLY_MAX (1u << 20)
#define PS_OUTPUT_MAX (64u << 20)
#define PIDS_MAX 65536

struct pids {
	int64_t *v;
	size_t n;
};

static void add_pid(struct pids *p, int64_t pid)
{
	p->v = mem_grow(p->v, p->n + 1, sizeof(*p->v));
	p->v[p->n++] = pid;
}

static int add_execs(const struct verb_box *box, struct pids *p, struct kata_err *err)
{
	AUTO_CLOSE int fd = -1;
	struct ctl_ask ask = {
		.m = { .type = CTL_PS },
		.timeout_ms = VERB_CALL_MS,
		.ret_fd = &fd,
	};
	AUTO_FREE char *text = NULL;
	const struct json *j;
	size_t len;
	int rc = verb_ask(box, &ask, err);

	/* it ended meanwhile */
	if (rc == -ESRCH || (rc < 0 && verb_is_gone(rc))) {
		err_done(err);
		return 0;
	}
	if (rc == 0)
		rc = fs_read_fd(fd, REPLY_MAX, &text, &len);
	if (rc < 0)
		return err->code ? rc
				 : err_sys_code(err, rc, "read kata-sandbox's reply");
	rc = json_parse(text, len, &json_limits_default, box->arena, &j, err);
	for (size_t i = 0; rc == 0 && j->type == JSON_ARRAY && i < j->len && i < PIDS_MAX;
	     i++) {
		int64_t pid;

		if (json_to_i64(j->items[i], 1, INT32_MAX, &pid) == 0)
			add_pid(p, pid);
	}
	return rc;
}

static int find_pids(const struct kata *k, const char *id, struct pids *p,
		     struct kata_err *err)
{
	struct verb_box box = VERB_BOX_INIT;
	int rc = verb_open(k, id, false, &box, err);

	if (rc == 0 && verb_status(&box) != OCI_STOPPED && box.rec.shim) {
		add_pid(p, box.rec.shim->pid);
		rc = add_execs(&box, p, err);
	}
	verb_box_done(&box);
	return rc;
}

static int print_json(const struct pids *p, FILE *out, struct kata_err *err)
{
	struct buf b = { 0 };
	struct json_out o = { .buf = &b };
	int rc;

	json_out_begin_array(&o);
	for (size_t i = 0; i < p->n; i++)
		json_out_i64(&o, p->v[i]);
	json_out_end_array(&o);
	rc = verb_print(out, (const char *)buf_ptr(&b), buf_len(&b), err);
	buf_done(&b);
	return rc;
}

/* --- ps(1) -------------------------------------------------------------------------------- */

static const char *find_ps(void)
{
	static const char *const paths[] = { "/usr/bin/ps", "/bin/ps" };

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		if (access(paths[i], X_OK) == 0)
			return paths[i];
	}
	return NULL;
}

static int spawn_ps(const char *const *args, int out, struct proc *ret,
		    struct kata_err *err)
{
	const struct proc_fd fds[] = { { out, 1 }, { 2, 2 } };
	struct proc_spawn sp = PROC_SPAWN_INIT;
	struct strv argv = { NULL, 0 };
	int rc;

	sp.path = find_ps();
	if (!sp.path)
		return err_set(
			err, -ENOENT,
			"ps: not found in /usr/bin and /bin; install procps, or use "
			"--format json");
	strv_add(&argv, "ps");
	for (size_t i = 0; args && args[i]; i++)
		strv_add(&argv, args[i]);
	if (argv.n == 1)
		strv_add(&argv, "-ef");
	sp.argv = argv.v;
	sp.fds = fds;
	sp.n_fds = ARRAY_SIZE(fds);
	rc = proc_spawn(&sp, ret, err);
	strv_done(&argv);
	return rc;
}

/* All it prints. */
static int run_ps(const char *const *args, char **ret_text, struct kata_err *err)
{
	struct proc ps = PROC_INIT;
	int ends[2], rc;
	size_t len;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(err, "pipe");
	rc = spawn_ps(args, ends[1], &ps, err);
	close(ends[1]);
	if (rc == 0) {
		rc = fs_read_fd(ends[0], PS_OUTPUT_MAX, ret_text, &len);
		if (rc < 0)
			err_sys_code(err, rc, "read from ps");
	}
	close(ends[0]);
	if (ps.pidfd >= 0 && proc_wait(&ps) > 0 && rc == 0)
		rc = err_set(err, -EINVAL, "ps failed");
	proc_done(&ps);
	return rc;
}

/* The word of @line at index @column, as runc splits it; NULL when it is shorter. */
static const char *word_at(const char *line, int column, size_t *ret_len)
{
	for (int i = 0;; i++) {
		line += strspn(line, " \t");
		*ret_len = strcspn(line, " \t");
		if (*ret_len == 0)
			return NULL;
		if (i == column)
			return line;
		line += *ret_len;
	}
}

static int pid_column(const char *head)
{
	const char *word;
	size_t len;

	for (int i = 0; (word = word_at(head, i, &len)); i++) {
		if (len == 3 && strncmp(word, "PID", 3) == 0)
			return i;
	}
	return -1;
}

static bool is_about(const char *line, int column, const struct pids *p)
{
	size_t len;
	const char *word = word_at(line, column, &len);
	AUTO_FREE char *text = word ? mem_strndup(word, len) : NULL;
	int64_t pid;

	if (!text || str_to_i64(text, 1, INT32_MAX, &pid) < 0)
		return false;
	for (size_t i = 0; i < p->n; i++) {
		if (p->v[i] == pid)
			return true;
	}
	return false;
}

static int print_table(const struct pids *p, const char *const *args, FILE *out,
		       struct kata_err *err)
{
	AUTO_FREE char *text = NULL;
	char *rest, *line;
	int column, rc = run_ps(args, &text, err);

	if (rc < 0)
		return rc;
	rest = text;
	line = strsep(&rest, "\n");
	column = pid_column(line);
	if (column < 0)
		return err_set(err, -EINVAL,
			       "couldn't find PID field in ps output; its options have "
			       "to include it");
	fprintf(out, "%s\n", line);
	while ((line = strsep(&rest, "\n"))) {
		if (is_about(line, column, p))
			fprintf(out, "%s\n", line);
	}
	return fflush(out) == EOF ? err_sys(err, "write") : 0;
}

int kata_ps(const struct kata *k, const char *id, bool json, const char *const *ps_args,
	    FILE *out, struct kata_err *err)
{
	struct pids p = { NULL, 0 };
	int rc = find_pids(k, id, &p, err);

	if (rc == 0)
		rc = json ? print_json(&p, out, err) : print_table(&p, ps_args, out, err);
	free(p.v);
	return rc;
}

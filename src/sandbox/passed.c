/* SPDX-License-Identifier: Apache-2.0 */
/*
 * passed: descriptors that a process gets behind its stdio. kata-runtime has found out what they
 * are; files came as mounts and go into the shared tree, pipes and sockets are the shim's and get
 * streams.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"
#include "sandbox.h"

#define DOCUMENT_MAX (64u << 10)

/** struct passed - @fds: in the arena; @tree: of its files, -1 = none or given away. */
struct passed {
	struct arena *arena;
	struct passed_fd *fds;
	size_t n;
	int tree[PROTO_PASSED_MAX];
	bool shared;
};

void passed_free(struct passed *x)
{
	if (!x)
		return;
	for (size_t i = 0; i < PROTO_PASSED_MAX; i++)
		fd_drop(&x->tree[i]);
	arena_free(x->arena);
	free(x);
}

static int decode(struct passed *x, int fd, struct kata_err *err)
{
	struct passed_list list;
	AUTO_FREE char *text = NULL;
	const struct json *j;
	size_t len;
	int r = fs_read_fd(fd, DOCUMENT_MAX, &text, &len);

	if (r < 0)
		return err_sys_code(err, r, "read passed.json");
	r = json_parse(text, len, &json_limits_default, x->arena, &j, err);
	if (r == 0)
		r = jtab_decode(&passed_list_tab, j, x->arena, "", &list, err);
	if (r < 0)
		return r;
	if (list.fds.n > PROTO_PASSED_MAX)
		return err_set(err, -EPROTO, "passed.json has %zu descriptors",
			       list.fds.n);
	x->n = list.fds.n;
	x->fds = arena_array(x->arena, x->n, sizeof(*x->fds));
	for (size_t i = 0; i < x->n; i++)
		x->fds[i] = ((const struct passed_fd *)list.fds.v)[i];
	return 0;
}

static int take_trees(struct passed *x, int *trees, size_t n, struct kata_err *err)
{
	size_t used = 0;

	for (size_t i = 0; i < x->n; i++) {
		if (x->fds[i].kind != PASSED_FILE)
			continue;
		if (used == n)
			return err_set(err, -EPROTO, "a passed file is missing");
		x->tree[i] = TAKE_FD(trees[used]);
		used++;
	}
	return 0;
}

int passed_load(int *fds, size_t n, struct passed **ret, struct kata_err *err)
{
	struct passed *x = mem_zalloc(sizeof(*x));
	int r;

	x->arena = arena_new();
	memset(x->tree, -1, sizeof(x->tree));
	r = decode(x, fds[0], err);
	if (r == 0)
		r = take_trees(x, fds + 1, n - 1, err);
	if (r < 0)
		passed_free(x);
	else
		*ret = x;
	return r;
}

int passed_share(struct process *p, struct kata_err *err)
{
	struct share_tree trees[PROTO_PASSED_MAX];
	struct passed *x = p->passed;
	size_t n = 0;
	int r;

	if (!x)
		return 0;
	for (size_t i = 0; i < x->n; i++) {
		struct passed_fd *f = &x->fds[i];

		if (f->kind != PASSED_FILE)
			continue;
		f->path = arena_printf(x->arena, "c%u/x%u-%zu", p->ct->number, p->number,
				       i);
		trees[n++] = (struct share_tree){ x->tree[i], f->path, f->directory };
	}
	x->shared = true;
	r = share_add(p->ct->sb->host.share_fd, trees, n, err);
	for (size_t i = 0; i < x->n; i++)
		fd_drop(&x->tree[i]);
	return r;
}

/* The init's go with all of the container's files. */
void passed_unshare(struct process *p)
{
	const struct passed *x = p->passed;

	if (!x || !x->shared || p->number == 0)
		return;
	for (size_t i = 0; i < x->n; i++) {
		if (x->fds[i].kind == PASSED_FILE &&
		    share_drop(p->ct->sb->host.share_fd, x->fds[i].path) < 0)
			log_debug("%s stays shared", x->fds[i].path);
	}
}

bool passed_is_listener(const struct process *p, uint32_t i)
{
	return p->passed && i < p->passed->n && p->passed->fds[i].kind == PASSED_LISTENER;
}

static int expect(struct process *p, unsigned stream, const char **ret_token)
{
	const struct agent_stream want = { p->ct->number, p->number, stream };
	uint64_t token = agent_expect(p->ct->sb->agent, &want);

	*ret_token = arena_printf(p->passed->arena, "%llu", (unsigned long long)token);
	return token ? 0 : -EMFILE;
}

int passed_streams(struct process *p, struct guest_streams *st)
{
	struct passed *x = p->passed;
	int r = 0;

	for (unsigned i = 0; x && i < x->n && r == 0; i++) {
		struct passed_fd *f = &x->fds[i];

		if (passed_has_in(f))
			r = expect(p, stream_passed_in(i), &f->in);
		if (r == 0 && passed_has_out(f))
			r = expect(p, stream_passed_out(i), &f->out);
	}
	st->fds = x ? x->fds : NULL;
	st->n_fds = x ? x->n : 0;
	return r;
}

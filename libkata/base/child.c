/* SPDX-License-Identifier: Apache-2.0 */
/*
 * child: start, watch and stop one helper process. Its stderr is a pipe whose
 * tail is kept in a fixed buffer: a helper that floods it costs nothing.
 */
#include "base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/mem.h"

static void keep_tail(struct child *c, const char *data, size_t n)
{
	if (n > sizeof(c->words)) {
		data += n - sizeof(c->words);
		n = sizeof(c->words);
	}
	if (c->n_words + n > sizeof(c->words)) {
		size_t drop = c->n_words + n - sizeof(c->words);

		memmove(c->words, c->words + drop, c->n_words - drop);
		c->n_words -= drop;
	}
	memcpy(c->words + c->n_words, data, n);
	c->n_words += n;
}

/* Read what is there; the bound keeps a flooding helper from holding the loop. */
static bool read_words(struct child *c)
{
	char chunk[1024];

	for (int i = 0; i < 16; i++) {
		ssize_t n = read(c->err_fd, chunk, sizeof(chunk));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 && errno == EAGAIN;
		keep_tail(c, chunk, (size_t)n);
	}
	return true;
}

static void close_words(struct child *c)
{
	loop_del(&c->err_src);
	if (c->err_fd >= 0)
		close(c->err_fd);
	c->err_fd = -1;
}

static void on_words(struct loop_src *src, uint32_t events)
{
	struct child *c = CONTAINER_OF(src, struct child, err_src);

	(void)events;
	if (!read_words(c))
		close_words(c);
}

/* The last line with something in it, made printable. */
static const char *last_line(struct child *c, char out[CHILD_WORDS + 1])
{
	size_t end = c->n_words, start;

	while (end > 0 && (unsigned char)c->words[end - 1] <= ' ')
		end--;
	for (start = end; start > 0 && c->words[start - 1] != '\n'; start--)
		;
	for (size_t i = start; i < end; i++) {
		unsigned char ch = (unsigned char)c->words[i];

		out[i - start] = ch < ' ' || ch == 0x7f ? '?' : (char)ch;
	}
	out[end - start] = '\0';
	return out;
}

/* Reap it, and a sentence on how it ended. */
static char *reap(struct child *c)
{
	char line[CHILD_WORDS + 1];
	int status = proc_wait(&c->proc);
	const char *sep;

	if (c->err_fd >= 0)
		read_words(c);
	sep = *last_line(c, line) ? ": " : "";
	loop_del(&c->pid_src);
	close_words(c);
	proc_done(&c->proc);
	c->proc = (struct proc)PROC_INIT;
	c->status = status;
	if (status > 128)
		return mem_printf("%s was killed by signal %d%s%s", c->name, status - 128,
				  sep, line);
	return mem_printf("%s exited with status %d%s%s", c->name, status, sep, line);
}

static void on_ended(struct loop_src *src, uint32_t events)
{
	struct child *c = CONTAINER_OF(src, struct child, pid_src);
	AUTO_FREE char *why = reap(c);

	(void)events;
	c->on_end(c, why);
}

int child_why(struct child *c, struct kata_err *err)
{
	AUTO_FREE char *why = reap(c);

	return err_set(err, -ECHILD, "%s", why);
}

static int watch(struct child *c, struct loop *l, struct kata_err *err)
{
	int r;

	c->pid_src.fn = on_ended;
	c->err_src.fn = on_words;
	r = loop_add(l, &c->pid_src, c->proc.pidfd, EPOLLIN);
	if (r == 0)
		r = loop_add(l, &c->err_src, c->err_fd, EPOLLIN);
	if (r < 0)
		return err_sys_code(err, r, "watch %s", c->name);
	return 0;
}

int child_start(struct child *c, struct loop *l, const struct proc_spawn *sp,
		struct kata_err *err)
{
	struct proc_fd fds[CHILD_MAX_FDS + 1];
	struct proc_spawn with_err = *sp;
	int pipe_fd[2];
	int r;

	if (sp->n_fds > CHILD_MAX_FDS)
		return err_set(err, -E2BIG, "start %s: too many descriptors", c->name);
	if (pipe2(pipe_fd, O_CLOEXEC) < 0)
		return err_sys(err, "start %s: pipe", c->name);
	memcpy(fds, sp->fds, sp->n_fds * sizeof(fds[0]));
	fds[sp->n_fds] = (struct proc_fd){ pipe_fd[1], STDERR_FILENO };
	with_err.fds = fds;
	with_err.n_fds = sp->n_fds + 1;
	r = proc_spawn(&with_err, &c->proc, err);
	close(pipe_fd[1]);
	c->err_fd = pipe_fd[0];
	/* only our end: the child's is another open file description and stays blocking */
	if (r == 0 && fcntl(c->err_fd, F_SETFL, O_NONBLOCK) < 0)
		r = err_sys(err, "start %s", c->name);
	if (r == 0)
		r = watch(c, l, err);
	if (r < 0)
		child_stop(c);
	return r;
}

void child_stop(struct child *c)
{
	loop_del(&c->pid_src);
	close_words(c);
	if (c->proc.pidfd >= 0 && proc_kill(c->proc.pidfd, SIGKILL) == 0 &&
	    proc_wait(&c->proc) < 0)
		c->n_words = 0; /* reaped by someone else: nothing more to learn */
	proc_done(&c->proc);
	c->proc = (struct proc)PROC_INIT;
}

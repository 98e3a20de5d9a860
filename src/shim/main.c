// SPDX-License-Identifier: Apache-2.0
/*
 * kata-shim: the container's process as engines see it. They hold its pid,
 * signal it, wait for it, and look at the container through its /proc entry;
 * the program itself runs in the guest. Started by kata-runtime (`exec` in the
 * foreground turns into it), one per guest process:
 *
 *   0, 1, 2  the caller's stdio, or the slave of a pty that is our terminal
 *   3        connection to kata-sandbox (sandbox/ctl.h)
 *   4        the rootfs, O_PATH, when KATA_SHIM_MOUNTS is "1"
 *   5 ...    passed descriptors that are relayed, as KATA_SHIM_PASSED has them
 *   behind   what a user namespace takes, as KATA_SHIM_USERNS has it
 *   argv     the process's own command line, never read here
 *
 * One thread, one loop, no memory of the past: the state of the container is
 * kata-sandbox's. It ends with _exit(), because pid 1 of a pid namespace
 * cannot die of a signal of its own, and callers see 128 + n either way.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/proc.h"
#include "base/raw_tty.h"
#include "base/str.h"
#include "plan.h"
#include "proto/msg.h"
#include "shim.h"
#include "signals.h"
#include "twin.h"

/* Without a root of our own SHIM_FD_ROOTFS is just a number, and soon that of something else. */
static int drop_strangers(const struct shim_plan *plan, struct kata_err *err)
{
	int keep[PROTO_PASSED_MAX + 1], rc;
	size_t n = 0;

	for (int i = 0; plan->passed[i]; i++) {
		if (plan->passed[i] != SHIM_PASSED_NOT)
			keep[n++] = SHIM_FD_PASSED + i;
	}
	if (*plan->userns)
		keep[n++] = SHIM_FD_USERNS;
	rc = proc_close_from(plan->own_root ? SHIM_FD_FIRST_FREE : SHIM_FD_ROOTFS, keep,
			     n);

	return rc < 0 ? err_sys_code(err, rc, "close inherited descriptors") : 0;
}

static int open_stdio(struct end stdio[SHIM_STDIO], struct kata_err *err)
{
	for (int i = 0; i < SHIM_STDIO; i++) {
		int rc = end_open(&stdio[i], i, err);

		if (rc < 0)
			return rc;
	}
	return 0;
}

static int open_relay(struct shim_relay *r, int fd, char kind, struct kata_err *err)
{
	int rc = 0;

	*r = (struct shim_relay){ END_INIT, END_INIT, kind == SHIM_PASSED_SOCKET, -1 };
	if (kind == SHIM_PASSED_NOT)
		return 0;
	if (kind == SHIM_PASSED_LISTENER) {
		r->listener = fcntl(fd, F_DUPFD_CLOEXEC, SHIM_FD_FIRST_FREE);
		rc = r->listener < 0 ? err_sys(err, "duplicate descriptor %d", fd) : 0;
		close(fd);
		return rc;
	}
	if (kind != SHIM_PASSED_WRITE)
		rc = end_open(&r->in, fd, err);
	if (rc >= 0 && kind != SHIM_PASSED_READ)
		rc = end_open(&r->out, fd, err);
	close(fd);
	return rc;
}

static int open_relays(const char *kinds, struct shim_start *start, struct kata_err *err)
{
	for (; kinds[start->n_relays]; start->n_relays++) {
		size_t i = start->n_relays;
		int rc = open_relay(&start->relays[i], SHIM_FD_PASSED + (int)i, kinds[i],
				    err);

		if (rc < 0)
			return rc;
	}
	return 0;
}

/*
 * From here on the caller's stdio is held by the ends alone, so that closing
 * one is seen at the other side; 0 to 2 stay taken, by nothing.
 */
static int release_stdio(int null, struct kata_err *err)
{
	for (int i = 0; i < SHIM_STDIO; i++) {
		if (dup2(null, i) < 0)
			return err_sys(err, "release descriptor %d", i);
	}
	return 0;
}

/* The guest's terminal interprets keys; the caller's is raw meanwhile. */
static int enter_raw(struct raw_tty *tty, struct kata_err *err)
{
	int fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, SHIM_FD_FIRST_FREE);

	if (fd < 0)
		return err_sys(err, "duplicate the terminal");
	raw_tty_enter(tty, fd);
	return 0;
}

/* Everything that needs the host's paths or the caller's descriptors as they came. */
static int become_stand_in(struct shim *s, const struct shim_plan *plan,
			   struct raw_tty *tty, struct kata_err *err)
{
	struct shim_relay relays[PROTO_PASSED_MAX];
	struct shim_start start = {
		.terminal = plan->terminal,
		.stdio = { END_INIT, END_INIT, END_INIT },
		.relays = relays,
		.ctl = SHIM_FD_CTL,
	};
	AUTO_CLOSE int null = -1;
	int rc;

	rc = drop_strangers(plan, err);
	if (rc < 0)
		return rc;
	start.signals = signals_open(err);
	if (start.signals < 0)
		return start.signals;
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0)
		return err_sys(err, "open /dev/null");
	rc = open_stdio(start.stdio, err);
	if (rc >= 0)
		rc = open_relays(plan->passed, &start, err);
	if (rc < 0)
		return rc;
	rc = shim_twin(plan, SHIM_FD_ROOTFS, err);
	if (rc < 0)
		return rc;
	if (plan->own_root)
		close(SHIM_FD_ROOTFS);
	rc = shim_twin_user(plan, SHIM_FD_USERNS, err);
	if (rc < 0)
		return rc;
	rc = shim_init(s, &start, err);
	if (rc < 0)
		return rc;
	s->callers_tty = plan->callers_tty;
	if (plan->callers_tty && plan->terminal)
		rc = enter_raw(tty, err);
	if (rc < 0)
		return rc;
	return release_stdio(null, err);
}

/*
 * The guest process does not run yet: stderr is not its, but in a container's case its reader takes it
 * for that. Whoever makes the container is told instead.
 */
static void say_why(const struct shim_plan *plan, const struct kata_err *err)
{
	struct ctl_msg m = { .type = CTL_FAILED, .code = err->code };

	str_copy(m.text, sizeof(m.text), err->msg);
	if (!plan->own_root || ctl_send(SHIM_FD_CTL, &m, NULL, 0) < 0)
		dprintf(STDERR_FILENO, "kata-shim: %s\n", err->msg);
}

int main(void)
{
	struct raw_tty tty = RAW_TTY_INIT;
	struct shim_plan plan = { 0 };
	struct kata_err err = { 0 };
	struct shim shim;
	int status, rc = shim_plan_load(&plan, &err);

	if (rc >= 0)
		rc = become_stand_in(&shim, &plan, &tty, &err);
	if (rc < 0) {
		raw_tty_leave(&tty);
		say_why(&plan, &err);
		_exit(1);
	}
	status = shim_run(&shim);
	raw_tty_leave(&tty);
	_exit(status);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qemu: the QEMU driver: process + control channel = one VM.
 *
 * QEMU has two ways to be gone: its process ends, or its control channel breaks.
 * The second alone is not believed to be harmless: the process is killed, so that "gone"
 * always means that no process is left, and on_gone is called from one
 * place, when the process has ended. Of the reasons at hand the most telling one is
 * given: what QEMU said the guest did, what was wrong with the channel, how the process
 * ended with its last words.
 */
#include "vmm/qemu.h"

#include <errno.h>
#include <string.h>

#include "base/child.h"
#include "base/json.h"
#include "base/sock.h"
#include "conf/conf_paths.h"
#include "vmm/qmp.h"

struct vmm {
	struct child child;
	char *name; /* of the program, for messages */
	struct qmp *qmp;
	struct vmm_events ev;
	const char *guest_did; /* QEMU's word on the guest's end, or NULL */
	char *channel_why;     /* what broke the channel, when that came first */
};

/* QMP's RunState-independent reasons for SHUTDOWN (qapi/run-state.json, ShutdownCause). */
static const char *shutdown_text(const char *reason)
{
	static const struct {
		const char *reason, *text;
	} table[] = {
		{ "guest-shutdown", "the guest powered off" },
		{ "guest-reset", "the guest's kernel reset; a panic does that" },
		{ "guest-panic", "the guest's kernel panicked" },
		{ "subsystem-reset", "the guest's kernel reset" },
		{ "host-signal", "the VMM was asked to end by a signal" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (str_eq(table[i].reason, reason))
			return table[i].text;
	return "the VM was shut down";
}

static void on_event(void *arg, const char *name, const struct json *data)
{
	struct vmm *v = arg;

	if (str_eq(name, "SHUTDOWN") && !v->guest_did)
		v->guest_did = shutdown_text(data ? json_get_str(data, "reason") : NULL);
	else if (str_eq(name, "GUEST_PANICKED"))
		v->guest_did = "the guest's kernel panicked";
}

static void on_channel_gone(void *arg, const char *why)
{
	struct vmm *v = arg;

	if (!v->channel_why)
		v->channel_why = mem_strdup(why);
	/* ended already: the same exit closed the channel, and its status stays */
	if (child_is_running(&v->child) && proc_kill(v->child.proc.pidfd, SIGKILL) < 0)
		return;
}

/* "killed by signal 9" of our own hand says nothing: then the channel's trouble does. */
static void on_process_end(struct child *c, const char *why)
{
	struct vmm *v = CONTAINER_OF(c, struct vmm, child);
	AUTO_FREE char *text = NULL;

	if (v->qmp)
		qmp_drain(v->qmp);
	if (v->guest_did)
		text = mem_strdup(v->guest_did);
	else if (v->channel_why && strstr(why, "killed by signal 9"))
		text = mem_printf("%s %s", c->name, v->channel_why);
	else
		text = mem_strdup(why);
	qmp_free(TAKE_PTR(v->qmp));
	v->ev.on_gone(v->ev.arg, text);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

#define MAX_FDS (3 + VM_MAX_CARDS * VM_MAX_QUEUES * 2)

static size_t list_card(const struct vm_plan *plan, const struct vmm_fds *fds, unsigned i,
			struct proc_fd *list)
{
	const struct vm_card *c = &plan->cards[i];
	int to = qemu_card_fd(plan, i);
	size_t n = 0;

	for (unsigned q = 0; q < c->queues; q++)
		list[n++] = (struct proc_fd){ fds->taps[i].fd[q], to++ };
	for (unsigned q = 0; c->vhost && q < c->queues; q++)
		list[n++] = (struct proc_fd){ fds->taps[i].vhost[q], to++ };
	return n;
}

static size_t list_fds(const struct vm_plan *plan, const struct vmm_fds *fds, int qmp,
		       struct proc_fd list[MAX_FDS])
{
	size_t n = 0;

	list[n++] = (struct proc_fd){ qmp, QEMU_FD_QMP };
	if (fds->vsock >= 0)
		list[n++] = (struct proc_fd){ fds->vsock, QEMU_FD_VSOCK };
	if (fds->share >= 0)
		list[n++] = (struct proc_fd){ fds->share, QEMU_FD_SHARE };
	for (unsigned i = 0; i < plan->n_cards; i++)
		n += list_card(plan, fds, i, list + n);
	return n;
}

static int start_process(struct vmm *v, const struct vm_plan *plan,
			 const struct vmm_fds *fds, int qmp, struct loop *l,
			 struct kata_err *err)
{
	struct proc_spawn sp = PROC_SPAWN_INIT;
	struct proc_fd list[MAX_FDS];
	struct strv argv = { 0 };
	int r;

	qemu_argv(plan, &argv);
	sp.path = plan->vmm;
	sp.argv = argv.v;
	sp.fds = list;
	sp.n_fds = list_fds(plan, fds, qmp, list);
	sp.cgroup_procs = fds->cgroup_procs;
	sp.n_cgroup_procs = fds->n_cgroup_procs;
	sp.pdeathsig = SIGKILL;
	v->name =
		mem_strdup(base_name(plan->vmm)); /* the plan may go before the VM does */
	v->child.name = v->name;
	v->child.on_end = on_process_end;
	r = child_start(&v->child, l, &sp, err);
	strv_done(&argv);
	return r;
}

static void qemu_stop(struct vmm *v)
{
	child_stop(&v->child);
	qmp_free(TAKE_PTR(v->qmp));
}

static void qemu_free(struct vmm *v)
{
	if (!v)
		return;
	qemu_stop(v);
	free(v->name);
	free(v->channel_why);
	free(v);
}

static int qemu_launch(const struct vm_plan *plan, const struct vmm_fds *fds,
		       struct loop *l, const struct vmm_events *ev, struct vmm **ret_vmm,
		       struct kata_err *err)
{
	struct vmm *v = mem_zalloc(sizeof(*v));
	const struct qmp_ops ops = { on_event, on_channel_gone, v };
	AUTO_CLOSE int theirs = -1;
	int pair[2], r;

	v->child = (struct child)CHILD_INIT;
	v->ev = *ev;
	r = sock_pair(SOCK_STREAM, pair);
	if (r < 0) {
		free(v);
		return err_sys_code(err, r, "socket pair for QEMU's control channel");
	}
	theirs = pair[1];
	r = start_process(v, plan, fds, theirs, l, err);
	if (r < 0)
		close(pair[0]);
	else
		r = qmp_new_take(l, pair[0], &ops, &v->qmp, err);
	if (r < 0) {
		qemu_free(v);
		return r;
	}
	*ret_vmm = v;
	return 0;
}

static void on_done(void *arg, int code, const char *text)
{
	struct vmm *v = arg;

	if (v->ev.on_done)
		v->ev.on_done(v->ev.arg, code, text);
}

static int execute(struct vmm *v, const char *command, struct kata_err *err)
{
	if (!v->qmp)
		return err_set(err, -ESRCH, "%s: the VMM has ended", command);
	return qmp_execute(v->qmp, command, on_done, err);
}

static int qemu_pause(struct vmm *v, struct kata_err *err)
{
	return execute(v, "stop", err);
}

static int qemu_resume(struct vmm *v, struct kata_err *err)
{
	return execute(v, "cont", err);
}

const struct vmm_driver qemu_driver = {
	.name = "qemu",
	.program = KATA_DEFAULT_QEMU,
	.package = "qemu-system-x86 (arm64: qemu-system-arm)",
	.caps = VMM_CAP_PAUSE | VMM_CAP_EMULATION | VMM_CAP_MACHINES,
	.launch = qemu_launch,
	.pause = qemu_pause,
	.resume = qemu_resume,
	.stop = qemu_stop,
	.free = qemu_free,
};

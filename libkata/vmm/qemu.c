/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qemu: the QEMU driver: process + control channel = one VM. What is done about the end of
 * either is vmm_process's; QEMU's own word on what the guest did comes first.
 */
#include "vmm/qemu.h"

#include <errno.h>
#include <string.h>

#include "base/json.h"
#include "base/sock.h"
#include "conf/conf_paths.h"
#include "vmm/qmp.h"
#include "vmm/vmm_process.h"

struct vmm {
	struct vmm_process process;
	struct qmp *qmp;
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

	if (str_eq(name, "SHUTDOWN") && !v->process.guest_did)
		v->process.guest_did = shutdown_text(data ? json_get_str(data, "reason")
							  : NULL);
	else if (str_eq(name, "GUEST_PANICKED"))
		v->process.guest_did = "the guest's kernel panicked";
}

static void on_channel_gone(void *arg, const char *why)
{
	struct vmm *v = arg;

	vmm_process_blame(&v->process, why);
	vmm_process_kill(&v->process);
}

static void drain(struct vmm_process *p)
{
	struct vmm *v = CONTAINER_OF(p, struct vmm, process);

	if (v->qmp)
		qmp_drain(v->qmp);
}

static void close_channel(struct vmm_process *p)
{
	qmp_free(TAKE_PTR(CONTAINER_OF(p, struct vmm, process)->qmp));
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

static void qemu_stop(struct vmm *v)
{
	vmm_process_stop(&v->process);
}

static void qemu_free(struct vmm *v)
{
	if (!v)
		return;
	vmm_process_done(&v->process);
	free(v);
}

static int start(struct vmm *v, const struct vm_plan *plan, const struct vmm_fds *fds,
		 struct loop *l, const struct vmm_events *ev, struct kata_err *err)
{
	const struct qmp_ops ops = { on_event, on_channel_gone, v };
	struct proc_fd list[MAX_FDS];
	struct strv argv = { 0 };
	int pair[2], r;

	r = sock_pair(SOCK_STREAM, pair);
	if (r < 0)
		return err_sys_code(err, r, "socket pair for QEMU's control channel");
	qemu_argv(plan, &argv);
	r = vmm_process_start(&v->process, plan, argv.v, list,
			      list_fds(plan, fds, pair[1], list), fds, ev, l, err);
	strv_done(&argv);
	close(pair[1]);
	if (r == 0)
		return qmp_new_take(l, pair[0], &ops, &v->qmp, err);
	close(pair[0]);
	return r;
}

static int qemu_launch(const struct vm_plan *plan, const struct vmm_fds *fds,
		       struct loop *l, const struct vmm_events *ev, struct vmm **ret_vmm,
		       struct kata_err *err)
{
	struct vmm *v = mem_zalloc(sizeof(*v));
	int r;

	v->process.drain = drain;
	v->process.close = close_channel;
	r = start(v, plan, fds, l, ev, err);
	if (r < 0) {
		qemu_free(v);
		return r;
	}
	*ret_vmm = v;
	return 0;
}

static void on_done(void *arg, int code, const char *text)
{
	vmm_process_answer(&((struct vmm *)arg)->process, code, text);
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

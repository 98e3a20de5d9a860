/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host: what is made on the host for one VM, as a table of steps.
 *
 * host_up() runs `up` from the first to the last; when one fails, and at the
 * end, host_down() runs `down` of those that were tried, last to first. The
 * order is made of two rules: a helper that needs time is started as early as
 * it can be, and the VMM is started as soon as its sockets answer. Files stay
 * in the container's directory, which `delete` removes; mounts live in our
 * private namespace and processes in our pid namespace: both vanish with us,
 * whatever kills us.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/sock.h"
#include "sandbox.h"

/** Sockets in the container's directory. */
#define VSOCK_DEVICE_NAME                                                                \
	"vsock.d" /* vhost-user: vhost-device-vsock serves it to the VMM */
#define VSOCK_GUEST_NAME                                                                 \
	"vsock.s" /* hybrid vsock: the guest's port P arrives at vsock.s_P */
#define VIRTIOFSD_NAME "virtiofs.s"
/** How long a helper may take to serve its socket, milliseconds. */
#define HELPER_TIMEOUT_MS 10000

struct step {
	const char *name;
	int (*up)(struct sandbox *sb, struct container *first, struct kata_err *err);
	void (*down)(struct sandbox *sb);
};

/* virtiofsd ends with 0 when its VMM hangs up; one that failed by itself is the cause. */
static void helper_ended(struct sandbox *sb, const struct child *c, const char *why)
{
	sandbox_event(sb, c->status ? EV_LOST : EV_BROKEN, NULL, why);
}

static void on_vsock_device_end(struct child *c, const char *why)
{
	helper_ended(CONTAINER_OF(c, struct sandbox, host.vsock_device), c, why);
}

static void on_virtiofsd_end(struct child *c, const char *why)
{
	helper_ended(CONTAINER_OF(c, struct sandbox, host.virtiofsd), c, why);
}

/* --- plan -------------------------------------------------------------------------------- */

/* CIDs 0 to 2 are reserved and 2^32-1 is "any" (vsock(7)); with vhost-vsock it is unique on the host. */
static int random_cid(uint32_t *ret_cid)
{
	uint32_t cid = 0;

	while (cid < 3 || cid == UINT32_MAX)
		if (getrandom(&cid, sizeof(cid), 0) != sizeof(cid))
			return -EIO;
	*ret_cid = cid;
	return 0;
}

static int plan_up(struct sandbox *sb, struct container *first, struct kata_err *err)
{
	struct host *h = &sb->host;
	const struct kata_conf *conf = conf_get(sb->conf);
	/* facts of the host are kept for all sandboxes, beside the containers' directories */
	AUTO_CLOSE int root = openat(sb->dirfd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	uint32_t cid;
	int r;

	if (random_cid(&cid) < 0)
		return err_set(err, -EIO, "no random numbers for a vsock CID");
	h->arena = arena_new();
	r = vm_facts_gather(root, conf->kernel, &h->facts, err);
	if (r == 0)
		r = vm_plan_make(conf, first->spec, &h->facts, cid,
				 conf->console ? "console.log" : NULL, h->arena, &h->plan,
				 err);
	if (r == 0)
		r = vm_disks_find(&h->plan, h->arena, err);
	if (r < 0)
		return r;
	h->driver = vmm_driver_find(h->plan.driver);
	h->plan.share_socket = VIRTIOFSD_NAME;
	h->plan.vsock_socket =
		"./" VSOCK_GUEST_NAME; /* landlock asks for its directory */
	return 0;
}

static void plan_down(struct sandbox *sb)
{
	arena_free(sb->host.arena);
	sb->host.arena = NULL;
}

/* --- vsock ------------------------------------------------------------------------------- */

static int vsock_device_up(struct sandbox *sb, struct container *first,
			   struct kata_err *err)
{
	struct host *h = &sb->host;
	const char *path = conf_get(sb->conf)->vsock_device;
	struct proc_spawn sp = PROC_SPAWN_INIT;
	AUTO_FREE char *vm = NULL;

	(void)first;
	if (h->plan.vsock != VM_VSOCK_VHOST_USER)
		return 0;
	h->inotify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (h->inotify_fd < 0 || inotify_add_watch(h->inotify_fd, ".", IN_CREATE) < 0)
		return err_sys(err, "watch the sandbox's directory");
	vm = mem_printf("guest-cid=%u,socket=" VSOCK_DEVICE_NAME
			",uds-path=" VSOCK_GUEST_NAME,
			h->plan.cid);
	sp.path = path;
	sp.argv = (char *[]){ (char *)path, (char *)"--vm", vm, NULL };
	sp.pdeathsig = SIGKILL;
	h->vsock_device.name = "vhost-device-vsock";
	h->vsock_device.on_end = on_vsock_device_end;
	return child_start(&h->vsock_device, sb->loop, &sp, err);
}

static void vsock_device_down(struct sandbox *sb)
{
	child_stop(&sb->host.vsock_device);
	fd_drop(&sb->host.inotify_fd);
}

/*
 * Wait until the helper serves its socket. It makes the name with bind() and
 * answers only after listen(): inotify tells of the first, nothing of the
 * second, so a refused connect in that gap (microseconds) is tried again
 * after a millisecond. The one retry loop of this program.
 */
static int connect_vsock_device(struct sandbox *sb, struct kata_err *err)
{
	struct host *h = &sb->host;
	struct pollfd fds[] = {
		{ .fd = h->inotify_fd, .events = POLLIN },
		{ .fd = h->vsock_device.proc.pidfd, .events = POLLIN },
	};
	int left = HELPER_TIMEOUT_MS;

	while (left > 0) {
		char drain[512];
		int fd = sock_connect_at(sb->dirfd, VSOCK_DEVICE_NAME, SOCK_STREAM);

		if (fd >= 0) {
			h->vsock_fd = fd;
			return 0;
		}
		if (fd != -ENOENT && fd != -ECONNREFUSED)
			return err_sys_code(err, fd, "connect to vhost-device-vsock");
		left -= fd == -ENOENT ? 100 : 1;
		if (poll(fds, 2, fd == -ENOENT ? 100 : 1) < 0 && errno != EINTR)
			return err_sys(err, "wait for vhost-device-vsock");
		if (fds[1].revents)
			return child_why(&h->vsock_device, err);
		while (read(h->inotify_fd, drain, sizeof(drain)) > 0)
			;
	}
	return err_set(err, -ETIMEDOUT,
		       "vhost-device-vsock did not serve its socket within %d s",
		       HELPER_TIMEOUT_MS / 1000);
}

static int vsock_connect_up(struct sandbox *sb, struct container *first,
			    struct kata_err *err)
{
	struct host *h = &sb->host;

	(void)first;
	if (h->plan.vsock == VM_VSOCK_VMM)
		return 0;
	if (h->plan.vsock == VM_VSOCK_VHOST_USER)
		return connect_vsock_device(sb, err);
	h->vsock_fd = open("/dev/vhost-vsock", O_RDWR | O_CLOEXEC);
	if (h->vsock_fd < 0)
		return err_sys(err, "open /dev/vhost-vsock");
	return 0;
}

static void vsock_connect_down(struct sandbox *sb)
{
	fd_drop(&sb->host.vsock_fd);
}

/* The guest's port is its own CID (ARCHITECTURE: the guest dials out). */
static int guest_listen_up(struct sandbox *sb, struct container *first,
			   struct kata_err *err)
{
	struct host *h = &sb->host;
	bool vhost = h->plan.vsock == VM_VSOCK_VHOST;
	char name[64];
	int fd;

	(void)first;
	snprintf(name, sizeof(name), VSOCK_GUEST_NAME "_%u", h->plan.cid);
	fd = vhost ? sock_vsock_listen(h->plan.cid)
		   : sock_listen_at(sb->dirfd, name, SOCK_STREAM | SOCK_NONBLOCK);
	if (fd < 0)
		return err_sys_code(err, fd, "listen for the guest at %s",
				    vhost ? "vsock" : name);
	sb->agent = agent_new_take(sb->loop, fd, vhost ? h->plan.cid : 0,
				   &sandbox_agent_ops, sb, err);
	return sb->agent ? 0 : err->code;
}

static void guest_listen_down(struct sandbox *sb)
{
	agent_free(sb->agent);
	sb->agent = NULL;
}

/* --- files ------------------------------------------------------------------------------- */

int host_share(struct sandbox *sb, struct container *ct, struct kata_err *err)
{
	AUTO_FREE char *rootfs = fs_abspath(ct->bundle, ct->spec->root->path);
	struct share_plan plan = { 0 };
	int r;

	r = share_plan_make(ct->spec, ct->bundle, rootfs, ct->number, ct->arena, &plan,
			    err);
	if (r == 0)
		r = share_apply(sb->host.share_fd, SANDBOX_FD_MOUNTS, &plan, err);
	ct->shared = r == 0;
	if (r == 0)
		r = share_facts(sb->host.share_fd, ct->number, ct->arena,
				&ct->shared_mounts, err);
	return r == 0 ? passed_share(container_process(ct, 0), err) : r;
}

static int share_up(struct sandbox *sb, struct container *first, struct kata_err *err)
{
	sb->host.share_fd = share_open(sb->dirfd, err);
	return sb->host.share_fd < 0 ? sb->host.share_fd : host_share(sb, first, err);
}

static void share_down(struct sandbox *sb)
{
	fd_drop(&sb->host.share_fd);
}

static int virtiofsd_up(struct sandbox *sb, struct container *first, struct kata_err *err)
{
	struct host *h = &sb->host;
	struct proc_spawn sp = PROC_SPAWN_INIT;
	struct proc_fd fds[1];
	AUTO_FREE char *cwd = getcwd(NULL, 0);
	AUTO_FREE char *dir = NULL;
	struct strv argv = { 0 };
	AUTO_CLOSE int listen_fd = -1;
	int r;

	(void)first;
	if (!cwd)
		return err_sys(err, "current directory");
	dir = mem_printf("%s/share", cwd);
	listen_fd = sock_listen_at(sb->dirfd, VIRTIOFSD_NAME, SOCK_STREAM);
	if (listen_fd < 0)
		return err_sys_code(err, listen_fd, "listen at " VIRTIOFSD_NAME);
	fds[0] = (struct proc_fd){ listen_fd, 3 };
	virtiofsd_argv(conf_get(sb->conf), 3, dir, &argv);
	sp.path = argv.v[0];
	sp.argv = argv.v;
	sp.fds = fds;
	sp.n_fds = 1;
	/* the one in C forks into a pid namespace of its own and its first process only waits:
	 * as pid 1 it takes the one that works along when it is killed */
	sp.clone_flags = CLONE_NEWPID;
	h->virtiofsd.name = "virtiofsd";
	h->virtiofsd.on_end = on_virtiofsd_end;
	r = child_start(&h->virtiofsd, sb->loop, &sp, err);
	strv_done(&argv);
	if (r < 0 || h->driver->caps & VMM_CAP_DIALS)
		return r;
	h->fs_fd = sock_connect_at(sb->dirfd, VIRTIOFSD_NAME, SOCK_STREAM);
	if (h->fs_fd < 0)
		return err_sys_code(err, h->fs_fd, "connect to virtiofsd");
	return 0;
}

static void virtiofsd_down(struct sandbox *sb)
{
	child_stop(&sb->host.virtiofsd);
	fd_drop(&sb->host.fs_fd);
}

/* --- VMM --------------------------------------------------------------------------------- */

static void on_vmm_gone(void *arg, const char *why)
{
	sandbox_event(arg, EV_LOST, NULL, why);
}

static int vmm_up(struct sandbox *sb, struct container *first, struct kata_err *err)
{
	struct host *h = &sb->host;
	const struct vmm_fds fds = {
		.vsock = h->vsock_fd,
		.share = h->fs_fd,
		.taps = sb->network.taps,
	};
	const struct vmm_events ev = { .on_gone = on_vmm_gone, .arg = sb };
	int r = h->driver->launch(&h->plan, &fds, sb->loop, &ev, &h->vmm, err);

	(void)first;
	/* the VMM has its own copies: ours would keep the helpers from seeing its end */
	fd_drop(&h->vsock_fd);
	fd_drop(&h->fs_fd);
	network_release_taps(sb);
	return r;
}

static void vmm_down(struct sandbox *sb)
{
	struct host *h = &sb->host;

	if (h->vmm) {
		h->driver->stop(h->vmm);
		h->driver->free(h->vmm);
	}
	h->vmm = NULL;
}

static const struct step steps[] = {
	{ "plan", plan_up, plan_down },
	{ "vsock device", vsock_device_up, vsock_device_down },
	{ "shared files", share_up, share_down },
	{ "virtiofsd", virtiofsd_up, virtiofsd_down },
	{ "network", network_up, network_down },
	{ "guest listener", guest_listen_up, guest_listen_down },
	{ "vsock", vsock_connect_up, vsock_connect_down },
	{ "VMM", vmm_up, vmm_down },
};

int host_up(struct sandbox *sb, struct container *first, struct kata_err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		int r;

		sb->host.steps = (unsigned)i + 1;
		r = steps[i].up(sb, first, err);
		if (r < 0) {
			host_down(sb);
			return r;
		}
		timeline_mark(&sb->timeline, steps[i].name);
	}
	return 0;
}

/*
 * Whoever lets go of the guest's memory last has the work of freeing it. That
 * is to be the VMM, whose memory it is: the helpers end first.
 */
void host_down(struct sandbox *sb)
{
	child_stop(&sb->host.virtiofsd);
	child_stop(&sb->host.vsock_device);
	while (sb->host.steps > 0)
		steps[--sb->host.steps].down(sb);
}

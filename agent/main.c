// SPDX-License-Identifier: Apache-2.0
/*
 * kata-agent: pid 1 of the guest. Dials the host, builds containers from what it is told, runs
 * processes and reports their ends. One loop, no threads; the loop never waits for a child.
 *
 *   boot.c       the guest itself          container.c  containers, their life
 *   dial.c       the way to the host       process.c    one process: fork to exit
 *   rpc.c        requests and replies      child.c      between fork and exec, in steps
 *   io.c         stdio                     *_plan.c     pure planning
 *   watch.c      changes in cgroups        resources.c  limits
 *   network.c    the network               dns.c        the host's resolver
 *   parking.c    cards nobody is to see      forward.c    connections to its ports
 *
 * Test entry, for a host without a VM: `kata-agent --test-socket PATH --share DIR [--cgroup DIR]`: PATH is
 * a unix socket that stands for the host's vsock port, DIR the shared tree, --cgroup a cgroup2
 * directory. It then boots nothing, does not reboot at its end, and should run in
 * namespaces of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/str.h"
#include "boot.h"
#include "cgroup.h"
#include "clock.h"
#include "dial.h"
#include "guest.h"
#include "parking.h"
#include "reap.h"
#include "rpc.h"
#include "watch.h"

/* The VMM runs with -no-reboot: a reset ends it, where power-off would need ACPI. */
void guest_end(const struct guest *g, int status)
{
	if (!g->is_vm)
		_exit(status);
	sync();
	reboot(RB_AUTOBOOT);
	_exit(status);
}

/* Nobody else can be told: one line for the console, then the end. */
__attribute__((noreturn)) static void die(const struct guest *g,
					  const struct kata_err *err)
{
	int fd = g->is_vm ? open("/dev/console", O_WRONLY | O_NOCTTY | O_CLOEXEC)
			  : STDERR_FILENO;

	if (fd < 0)
		fd = STDERR_FILENO;
	dprintf(fd, "kata-agent: %s\n", err->msg);
	guest_end(g, 1);
}

static int parse_args(struct guest *g, int argc, char **argv, struct kata_err *err)
{
	static const struct option options[] = {
		{ "test-socket", required_argument, NULL, 't' },
		{ "share", required_argument, NULL, 's' },
		{ "cgroup", required_argument, NULL, 'c' },
		{ NULL, 0, NULL, 0 },
	};
	int o;

	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (o) {
		case 't':
			g->dial.path = optarg;
			break;
		case 's':
			g->share = optarg;
			break;
		case 'c':
			g->cgroup = optarg;
			break;
		default:
			return err_set(err, -EINVAL, "unknown option");
		}
	}
	if (!g->dial.path)
		return err_set(err, -EINVAL, "not pid 1 and no --test-socket");
	return 0;
}

static int boot_test(struct guest *g, int argc, char **argv, struct kata_err *err)
{
	int r = parse_args(g, argc, argv, err);

	if (r < 0)
		return r;
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
		return err_sys(err, "become a subreaper");
	r = parking_leave(&g->parking, err);
	if (r < 0 || !g->cgroup)
		return r;
	g->cgroup_fd = open(g->cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return g->cgroup_fd < 0 ? err_sys(err, "open %s", g->cgroup) : 0;
}

/* Descriptors 0..2 must be taken, so that no other ever gets those numbers. */
static int sane_stdio(struct kata_err *err)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
		if (fd < 0)
			return err_sys(err, "open /dev/null");
	} while (fd <= STDERR_FILENO);
	close(fd);
	return 0;
}

static int call_host(struct guest *g, uint64_t from_us, struct kata_err *err)
{
	struct msg_hello m = {
		.version_min = PROTO_VERSION_MIN,
		.version_max = PROTO_VERSION,
		.uptime_kernel_us = from_us,
	};
	struct utsname uts;
	int fd = dial_control(&g->dial), r;

	if (fd < 0)
		return err_sys_code(err, fd, "connect to the host");
	r = rpc_start_take(g, fd);
	if (r < 0)
		return err_sys_code(err, r, "talk to the host");
	if (uname(&uts) == 0)
		str_copy(m.release, sizeof(m.release), uts.release);
	m.uptime_ready_us = clock_us();
	buf_add_u32(&g->control.out, PROTO_CONTROL_MAGIC);
	rpc_send_hello(g, &m);
	return 0;
}

static int guest_run(struct guest *g, int argc, char **argv, struct kata_err *err)
{
	uint64_t from_us = clock_us();
	int r = g->is_vm ? boot_early(g, err) : boot_test(g, argc, argv, err);

	if (r == 0)
		r = sane_stdio(err);
	if (r < 0)
		return r;
	g->loop = loop_new(err);
	if (!g->loop)
		return err->code;
	r = call_host(g, from_us, err);
	if (r == 0 && g->is_vm)
		r = boot_late(g, err);
	if (r < 0)
		return r;
	g->pidns_fd = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
	if (g->pidns_fd < 0)
		return err_sys(err, "open /proc/self/ns/pid");
	if (g->cgroup_fd >= 0)
		cgroup_enable(g->cgroup_fd);
	r = watch_start(g, err);
	if (r == 0)
		r = reap_start(g, err);
	return r < 0 ? r : loop_run(g->loop, err);
}

int main(int argc, char **argv)
{
	struct guest g = {
		.share = PROTO_SHARE_DIR,
		/* the kernel hands words of its command line that it does not know to init */
		.is_vm = getpid() == 1 && !(argc > 1 && str_eq(argv[1], "--test-socket")),
		.parking = { -1, -1 },
		.cgroup_fd = -1,
		.signal_fd = -1,
		.watch_fd = -1,
		.pidns_fd = -1,
	};
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct kata_err err = { 0 };

	/* a pipe or socket whose reader went is an errno to io.c */
	sigaction(SIGPIPE, &ignore, NULL);
	if (guest_run(&g, argc, argv, &err) < 0)
		die(&g, &err);
	guest_end(&g, 0);
}

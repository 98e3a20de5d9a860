// SPDX-License-Identifier: Apache-2.0
/*
 * check: can this host run containers? One line for each requirement, what was
 * found and, if that is not good, what to do.
 *
 * checks[] is all there is to it. Nothing is changed on the host; a VM is made
 * through /dev/kvm and dropped again.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "conf/conf.h"
#include "net/lookup.h"
#include "share/share.h"
#include "verb/guest_files.h"
#include "verb/verb.h"
#include "vmm/host_kvm.h"
#include "vmm/vm_plan.h"
#include "vmm/vmm.h"

/** Time for a program to say its version. */
#define VERSION_MS 5000

enum level { LEVEL_OK, LEVEL_WARN, LEVEL_FAIL };

struct finding {
	enum level level;
	char found[640];
	const char *remedy; /* NULL when ok */
};

struct host_view {
	const struct kata *k;
	const struct kata_conf *conf;
	const struct vmm_driver *driver;
	struct vm_facts facts;
	bool arm64; /* of the guest */
};

struct check {
	const char *what;
	void (*fn)(const struct host_view *h, struct finding *f);
};

static void report(struct finding *f, enum level level, const char *remedy,
		   const char *fmt, ...) KATA_PRINTF(4, 5);

static void report(struct finding *f, enum level level, const char *remedy,
		   const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(f->found, sizeof(f->found), fmt, ap);
	va_end(ap);
	f->level = level;
	f->remedy = level == LEVEL_OK ? NULL : remedy;
}

static void check_user(const struct host_view *h, struct finding *f)
{
	(void)h;
	if (geteuid() == 0)
		report(f, LEVEL_OK, NULL, "root");
	else
		report(f, LEVEL_FAIL, "run as root", "uid %u", geteuid());
}

/* Calls made with arguments that must fail: only ENOSYS tells that one is not there. */
static void check_kernel(const struct host_view *h, struct finding *f)
{
	static const struct {
		const char *name;
		long number;
	} calls[] = {
		{ "pidfd_open (5.3)", SYS_pidfd_open },
		{ "openat2 (5.6)", SYS_openat2 },
		{ "close_range (5.9)", SYS_close_range },
		{ "mount_setattr (5.12)", SYS_mount_setattr },
	};
	struct utsname u;

	(void)h;
	if (uname(&u) < 0)
		u.release[0] = 0;
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		if (syscall(calls[i].number, -1, 0, -1, -1, -1) < 0 && errno == ENOSYS) {
			report(f, LEVEL_FAIL, "run Linux 5.12 or later", "%s, without %s",
			       u.release, calls[i].name);
			return;
		}
	report(f, LEVEL_OK, NULL, "%s", u.release);
}

static void check_accel(const struct host_view *h, struct finding *f)
{
	AUTO_CLOSE int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	char why[160];

	if (h->conf->accel == CONF_ACCEL_TCG) {
		report(f, LEVEL_WARN, "set [hypervisor] accel = auto if the host has KVM",
		       "emulation (TCG), as configured: several times slower than KVM");
		return;
	}
	if (fd < 0)
		snprintf(why, sizeof(why), "open /dev/kvm: %s", err_text(errno));
	else if (host_kvm_probe(fd, why, sizeof(why)) > 0) {
		report(f, LEVEL_OK, NULL, "KVM");
		return;
	}
	if (!(h->driver->caps & VMM_CAP_EMULATION))
		report(f, LEVEL_FAIL,
		       "load kvm_intel or kvm_amd, or set [hypervisor] driver = qemu",
		       "%s needs KVM: %s", h->driver->name, why);
	else if (h->conf->accel == CONF_ACCEL_KVM)
		report(f, LEVEL_FAIL, "set [hypervisor] accel = auto",
		       "accel = kvm, but no KVM: %s", why);
	else
		report(f, LEVEL_WARN,
		       "for speed, load kvm_intel or kvm_amd, or allow nested virtualization",
		       "no KVM (%s); guests are emulated, several times slower", why);
}

static bool is_program(const char *path, const char **ret_why)
{
	struct stat st;

	if (stat(path, &st) < 0 || access(path, X_OK) < 0) {
		*ret_why = err_text(errno);
		return false;
	}
	*ret_why = "is a directory";
	return S_ISREG(st.st_mode);
}

static void report_program(struct finding *f, const char *path, const char *remedy)
{
	const char *why;

	if (is_program(path, &why))
		report(f, LEVEL_OK, NULL, "%s", path);
	else
		report(f, LEVEL_FAIL, remedy, "%s: %s", path, why);
}

/* The first line of what `PROGRAM --version` prints, "" when it says nothing in time. */
static void program_version(const char *path, char *dst, size_t size)
{
	char *const argv[] = { (char *)(uintptr_t)path, (char *)"--version", NULL };
	struct proc_spawn sp = PROC_SPAWN_INIT;
	struct proc p = PROC_INIT;
	struct kata_err err = { 0 };
	int pair[2];
	ssize_t n = 0;

	dst[0] = 0;
	if (pipe2(pair, O_CLOEXEC | O_NONBLOCK) < 0)
		return;
	sp.path = path;
	sp.argv = argv;
	sp.fds = &(struct proc_fd){ pair[1], STDOUT_FILENO };
	sp.n_fds = 1;
	if (proc_spawn(&sp, &p, &err) == 0) {
		if (proc_wait_ms(p.pidfd, VERSION_MS) == 1)
			n = read(pair[0], dst, size - 1);
		else if (proc_kill(p.pidfd, SIGKILL) < 0)
			n = 0;
		if (proc_wait(&p) != 0)
			n = 0;
	}
	proc_done(&p);
	close(pair[0]);
	close(pair[1]);
	dst[n > 0 ? n : 0] = 0;
	dst[strcspn(dst, "\n")] = 0;
	for (char *c = dst; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
}

/* A program of that name elsewhere, for those who install by hand. Heap; NULL = nowhere. */
static char *find_in_path(const char *program)
{
	const char *slash = strrchr(program, '/'), *why;
	const char *at = getenv("PATH");

	while (at && *at) {
		size_t n = strcspn(at, ":");
		char *path = mem_printf("%.*s%s", (int)n, at, slash ? slash : program);

		if (n > 0 && is_program(path, &why))
			return path;
		free(path);
		at += n + (at[n] == ':');
	}
	return NULL;
}

static void check_hypervisor(const struct host_view *h, struct finding *f)
{
	bool is_auto = str_eq(h->conf->hypervisor, "auto");
	const char *path = is_auto ? h->driver->program : h->conf->hypervisor;
	AUTO_FREE char *elsewhere = is_auto ? find_in_path(path) : NULL;
	char version[128];
	const char *why;

	if (!is_program(path, &why)) {
		report(f, LEVEL_FAIL, "install it or set [hypervisor] path",
		       "%s: %s (package %s)%s%s", path, why, h->driver->package,
		       elsewhere ? "; there is " : "", elsewhere ? elsewhere : "");
		return;
	}
	program_version(path, version, sizeof(version));
	if (version[0])
		report(f, LEVEL_OK, NULL, "%s (%s)", path, version);
	else
		report(f, LEVEL_WARN, "see whether it runs",
		       "%s: does not say its version", path);
}

static void check_other(const struct vmm_driver *d, struct buf *found)
{
	const char *why = NULL;
	bool there = is_program(d->program, &why);
	AUTO_FREE char *elsewhere = there ? NULL : find_in_path(d->program);
	const char *path = elsewhere ? elsewhere : d->program;
	char version[128];

	buf_addf(found, "%s%s", buf_len(found) ? ", " : "", path);
	if (!there && !elsewhere) {
		buf_addf(found, ": %s", why);
		return;
	}
	program_version(path, version, sizeof(version));
	buf_addf(found, " (%s%s)", version[0] ? version : "does not say its version",
		 elsewhere ? "; to be named by [hypervisor] path" : "");
}

/* The drivers that are not configured: a container may choose one, where that is allowed. */
static void check_others(const struct host_view *h, struct finding *f)
{
	struct buf found = { 0 };

	for (size_t i = 0; vmm_driver_names[i]; i++) {
		const struct vmm_driver *d = vmm_driver_find(vmm_driver_names[i]);

		if (d != h->driver)
			check_other(d, &found);
	}
	report(f, LEVEL_OK, NULL, "%s", buf_cstr(&found));
	buf_done(&found);
}

static void check_vsock(const struct host_view *h, struct finding *f)
{
	static const char remedy[] =
		"modprobe vhost_vsock, or install vhost-device-vsock and set "
		"[hypervisor] vsock_device";
	int want = h->conf->vsock;

	if (h->driver->caps & VMM_CAP_OWN_VSOCK)
		report(f, LEVEL_OK, NULL, "served by %s", h->driver->name);
	else if (want != CONF_VSOCK_VHOST_USER && h->facts.vhost_vsock)
		report(f, LEVEL_OK, NULL, "/dev/vhost-vsock");
	else if (want == CONF_VSOCK_VHOST)
		report(f, LEVEL_FAIL,
		       "modprobe vhost_vsock, or set [hypervisor] vsock = auto",
		       "vsock = vhost, but /dev/vhost-vsock does not open");
	else
		report_program(f, h->conf->vsock_device, remedy);
}

static void check_virtiofsd(const struct host_view *h, struct finding *f)
{
	report_program(
		f, h->conf->virtiofsd,
		"install virtiofsd (Debian 12: qemu-system-common) or set [share] virtiofsd");
	if (f->level == LEVEL_OK)
		report(f, LEVEL_OK, NULL, "%s (%s)", h->conf->virtiofsd,
		       virtiofsd_is_rust(h->conf) ? "the one in Rust" : "the one in C");
}

/* Package and version, as noted beside the kernel; "" when they are not. */
static void kernel_origin(const char *kernel, char *out, size_t size)
{
	AUTO_FREE char *text = vm_kernel_note(kernel);
	char *line[2] = { 0 }, *save = NULL;

	out[0] = 0;
	if (!text)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(line); i++)
		line[i] = strtok_r(i ? NULL : text, "\n", &save);
	if (line[0] && line[1])
		snprintf(out, size, " (%s %s)", line[0], line[1]);
}

static void check_guest_kernel(const struct host_view *h, struct finding *f)
{
	struct kata_err err = { 0 };
	char origin[128];

	kernel_origin(h->conf->kernel, origin, sizeof(origin));
	if (guest_kernel_check(h->conf->kernel, h->arm64, &err) == 0)
		report(f, LEVEL_OK, NULL, "%s%s", h->conf->kernel, origin);
	else
		report(f, LEVEL_FAIL,
		       "make one with agent/image/buildkernel or mkkernel, or set [guest] kernel",
		       "%s", err.msg);
}

static void check_initrd(const struct host_view *h, struct finding *f)
{
	static const char remedy[] =
		"make one with agent/image/mkinitramfs or set [guest] initrd";
	struct kata_err err = { 0 };
	bool packed = false;

	if (guest_initrd_check(h->conf->initrd, &packed, &err) < 0)
		report(f, LEVEL_FAIL, remedy, "%s", err.msg);
	else if (packed)
		report(f, LEVEL_WARN, remedy,
		       "%s: compressed, which makes each start slower", h->conf->initrd);
	else
		report(f, LEVEL_OK, NULL, "%s", h->conf->initrd);
}

static void check_tun(const struct host_view *h, struct finding *f)
{
	AUTO_CLOSE int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	(void)h;
	if (fd >= 0)
		report(f, LEVEL_OK, NULL, "/dev/net/tun");
	else
		report(f, LEVEL_WARN,
		       "modprobe tun; without it containers have no network",
		       "/dev/net/tun: %s", err_text(errno));
}

static void check_forwarding(const struct host_view *h, struct finding *f)
{
	struct kata_err err = { 0 };

	(void)h;
	if (lookup_probe(&err) == 0)
		report(f, LEVEL_OK, NULL, "BPF of type sk_lookup");
	else
		report(f, LEVEL_WARN,
		       "run Linux 5.9 or later with BPF_SYSCALL and NET_SOCK_MSG; without it "
		       "nothing reaches the guest through localhost of its network namespace",
		       "%s", err.msg);
}

static void check_cgroups(const struct host_view *h, struct finding *f)
{
	struct statfs fs = { 0 };

	(void)h;
	if (statfs("/sys/fs/cgroup", &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC)
		report(f, LEVEL_OK, NULL, "version 2");
	else if (fs.f_type == TMPFS_MAGIC)
		report(f, LEVEL_OK, NULL, "version 1");
	else
		report(f, LEVEL_WARN,
		       "mount cgroup2 there; without it the host sets no limits",
		       "nothing is mounted on /sys/fs/cgroup");
}

/* It is made when it is needed: what counts is whether the nearest directory above can be written. */
static void check_root(const struct host_view *h, struct finding *f)
{
	AUTO_FREE char *root = verb_root(h->k);
	AUTO_FREE char *up = mem_strdup(root);
	char *dir = up;

	while (access(dir, F_OK) < 0 && errno == ENOENT && !str_eq(dir, "/"))
		dir = dirname(dir);
	if (access(dir, W_OK | X_OK) == 0)
		report(f, LEVEL_OK, NULL, "%s", root);
	else
		report(f, LEVEL_FAIL, "give another with --root", "%s: %s", dir,
		       err_text(errno));
}

static const struct check checks[] = {
	{ "user", check_user },
	{ "kernel", check_kernel },
	{ "acceleration", check_accel },
	{ "hypervisor", check_hypervisor },
	{ "other hypervisors", check_others },
	{ "vsock", check_vsock },
	{ "virtiofsd", check_virtiofsd },
	{ "guest kernel", check_guest_kernel },
	{ "initramfs", check_initrd },
	{ "network", check_tun },
	{ "port-forward", check_forwarding },
	{ "cgroups", check_cgroups },
	{ "state directory", check_root },
};

/* --- output ------------------------------------------------------------------------------ */

static void write_text(struct buf *out, const char *what, const struct finding *f)
{
	static const char *const names[] = { "ok  ", "warn", "FAIL" };

	buf_addf(out, "%s%s  %s: %s", buf_len(out) ? "\n" : "", names[f->level], what,
		 f->found);
	if (f->remedy)
		buf_addf(out, "; %s", f->remedy);
}

static void write_json(struct json_out *o, const char *what, const struct finding *f)
{
	static const char *const names[] = { "ok", "warn", "fail" };

	json_out_begin_object(o);
	json_out_key(o, "what");
	json_out_str(o, what);
	json_out_key(o, "level");
	json_out_str(o, names[f->level]);
	json_out_key(o, "found");
	json_out_str(o, f->found);
	json_out_key(o, "remedy");
	json_out_str(o, f->remedy);
	json_out_end_object(o);
}

static void write_all(const struct finding *found, const char *const *what, size_t n,
		      bool json, bool good, struct buf *out)
{
	struct json_out o = { .buf = out, .pretty = true };

	for (size_t i = 0; !json && i < n; i++)
		write_text(out, what[i], &found[i]);
	if (!json)
		return;
	json_out_begin_object(&o);
	json_out_key(&o, "ok");
	json_out_bool(&o, good);
	json_out_key(&o, "checks");
	json_out_begin_array(&o);
	for (size_t i = 0; i < n; i++)
		write_json(&o, what[i], &found[i]);
	json_out_end_array(&o);
	json_out_end_object(&o);
}

/* The guest is of the host's kind unless the machine type says otherwise. */
static bool guest_is_arm64(const struct kata_conf *conf, const struct vm_facts *facts)
{
	if (conf->machine == CONF_MACHINE_AUTO)
		return str_eq(facts->machine_arch, "aarch64");
	return conf->machine == CONF_MACHINE_VIRT;
}

/* All of the table; it needs a configuration, whose own check comes first. Return: how many. */
static size_t run_checks(const struct kata *k, struct finding *found, const char **what)
{
	AUTO(conf) *conf = NULL;
	struct host_view h = { .k = k };
	struct kata_err err = { 0 };

	what[0] = "configuration";
	if (conf_load(k->config, &conf, &err) < 0 ||
	    vm_facts_gather(-1, NULL, &h.facts, &err) < 0) {
		report(&found[0], LEVEL_FAIL, "correct it; the other checks need it",
		       "%s", err.msg);
		return 1;
	}
	report(&found[0], LEVEL_OK, NULL, "has no errors");
	h.conf = conf_get(conf);
	h.driver = vmm_driver_find(h.conf->driver);
	h.arm64 = guest_is_arm64(h.conf, &h.facts);
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		what[i + 1] = checks[i].what;
		checks[i].fn(&h, &found[i + 1]);
	}
	return ARRAY_SIZE(checks) + 1;
}

int kata_check(const struct kata *k, bool json, FILE *out, struct kata_err *err)
{
	struct finding found[ARRAY_SIZE(checks) + 1] = { 0 };
	const char *what[ARRAY_SIZE(checks) + 1];
	size_t n = run_checks(k, found, what);
	struct buf text = { 0 };
	bool good = true;
	int r;

	for (size_t i = 0; i < n; i++)
		good = good && found[i].level != LEVEL_FAIL;
	write_all(found, what, n, json, good, &text);
	r = verb_print(out, (const char *)buf_ptr(&text), buf_len(&text), err);
	buf_done(&text);
	return r < 0 ? r : !good;
}

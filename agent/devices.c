// SPDX-License-Identifier: Apache-2.0
/*
 * devices: see devices.h. A node is made by mknod; where that is refused (a shared root
 * whose host side may not) the guest's own device is bound upon an empty file, as runc does.
 *
 * The guest's devices are looked at only when they matter: all of /dev for a container that may use
 * everything, disks for one that names block devices. Both are small and in memory.
 */
#include "devices.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/str.h"
#include "mounts.h"
#include "proto/msg.h"

#define FILTER "linux.resources.devices"
/** The guest's /dev: most nodes, and how deep. */
#define OWN_MAX 1024
#define OWN_DEPTH 4
#define DISKS_MAX 64
#define SYS_LINE_MAX 64

/* --- what there is */

struct scan {
	struct device_node *v;
	size_t n;
	struct arena *a;
};

static void scan_dir(struct scan *s, const char *path, int depth);

static void scan_entry(struct scan *s, int dir, const char *parent, const char *name,
		       int depth)
{
	struct stat st;
	const char *path;

	if (s->n >= OWN_MAX || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	path = arena_printf(s->a, "%s/%s", parent, name);
	if (S_ISDIR(st.st_mode) && depth < OWN_DEPTH)
		scan_dir(s, path, depth + 1);
	if (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode))
		return;
	s->v[s->n++] = (struct device_node){
		.path = path,
		.major = major(st.st_rdev),
		.minor = minor(st.st_rdev),
		.mode = st.st_mode,
		.uid = st.st_uid,
		.gid = st.st_gid,
	};
}

static void scan_dir(struct scan *s, const char *path, int depth)
{
	DIR *d = opendir(path);
	struct dirent *e;

	if (!d)
		return;
	while ((e = readdir(d))) {
		if (!str_eq(e->d_name, ".") && !str_eq(e->d_name, ".."))
			scan_entry(s, dirfd(d), path, e->d_name, depth);
	}
	closedir(d);
}

static bool read_line(int dir, const char *name, const char *file, char *ret)
{
	AUTO_FREE char *path = mem_printf("%s/%s", name, file);
	AUTO_FREE char *text = NULL;
	size_t len;

	if (fs_read_at(dir, path, SYS_LINE_MAX, &text, &len) < 0)
		return false;
	text[strcspn(text, "\n")] = '\0';
	return str_copy(ret, SYS_LINE_MAX, text);
}

/* "8:16" or what PROTO_DISK_SERIAL begins with and such behind it. */
static bool parse_numbers(const char *text, char between, unsigned *ret_major,
			  unsigned *ret_minor)
{
	const char *at = strchr(text, between);
	char head[16];
	uint64_t ma, mi;

	if (!at || (size_t)(at - text) >= sizeof(head))
		return false;
	memcpy(head, text, (size_t)(at - text));
	head[at - text] = '\0';
	if (str_to_u64(head, 0, UINT32_MAX, &ma) < 0 ||
	    str_to_u64(at + 1, 0, UINT32_MAX, &mi) < 0)
		return false;
	*ret_major = (unsigned)ma;
	*ret_minor = (unsigned)mi;
	return true;
}

/* Disks of ours say in their serial number which device of the host they are. */
static size_t scan_disks(struct device_disk *v, struct arena *a)
{
	DIR *d = opendir("/sys/block");
	struct dirent *e;
	size_t n = 0;

	if (!d)
		return 0;
	while (n < DISKS_MAX && (e = readdir(d))) {
		char serial[SYS_LINE_MAX], dev[SYS_LINE_MAX];
		struct device_disk *to = &v[n];

		if (e->d_name[0] == '.' ||
		    !read_line(dirfd(d), e->d_name, "serial", serial) ||
		    !read_line(dirfd(d), e->d_name, "dev", dev) ||
		    !str_has_prefix(serial, PROTO_DISK_SERIAL))
			continue;
		if (!parse_numbers(serial + strlen(PROTO_DISK_SERIAL), '-',
				   &to->host_major, &to->host_minor) ||
		    !parse_numbers(dev, ':', &to->major, &to->minor))
			continue;
		to->path = arena_printf(a, "/dev/%s", e->d_name);
		n++;
	}
	closedir(d);
	return n;
}

static struct device_facts gather(const struct oci_linux *linux_, bool all,
				  struct arena *a)
{
	struct device_facts f = { 0 };
	struct scan s = { .a = a };

	if (all) {
		s.v = arena_array(a, OWN_MAX, sizeof(*s.v));
		scan_dir(&s, "/dev", 0);
		f.own = s.v;
		f.n_own = s.n;
	}
	if (device_plan_wants_disks(linux_)) {
		struct device_disk *disks = arena_array(a, DISKS_MAX, sizeof(*disks));

		f.n_disks = scan_disks(disks, a);
		f.disks = disks;
	}
	return f;
}

static int make_rules(const struct oci_resources *res, struct arena *a,
		      struct device_rules *ret, struct kata_err *err)
{
	static const struct jt_objv none;

	return device_rules_make(res ? &res->devices : &none, a, ret, err);
}

int devices_plan(const struct oci_spec *spec, struct arena *a, struct device_plan *ret,
		 struct kata_err *err)
{
	const struct oci_linux *l = spec->linux_;
	struct device_rules rules;
	struct device_facts facts;
	int r = make_rules(l ? l->resources : NULL, a, &rules, err);

	if (r < 0)
		return r;
	facts = gather(l, device_rules_all(&rules), a);
	return device_plan_make(spec, &rules, &facts, a, ret, err);
}

/* --- nodes */

static int bind_node(int root_fd, const struct device_node *n)
{
	AUTO_CLOSE int src = open(n->source ? n->source : n->path, O_PATH | O_CLOEXEC);
	AUTO_CLOSE int dest = -1;

	if (src < 0)
		return -errno;
	dest = fs_mkfile_in_root(root_fd, n->path, 0644);
	if (dest < 0)
		return dest;
	return mounts_bind_fd(&(struct mounts_bind){ .source_fd = src, .dest_fd = dest });
}

static bool is_there(int dir, const char *name, const struct device_node *n)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       (st.st_mode & S_IFMT) == (n->mode & S_IFMT) &&
	       st.st_rdev == makedev(n->major, n->minor);
}

static int put_node(int dir, const char *name, const struct device_node *n)
{
	return mknodat(dir, name, n->mode, makedev(n->major, n->minor)) < 0 ? -errno : 0;
}

static int make_node(int root_fd, const struct device_node *n)
{
	AUTO_FREE char *clean = fs_abspath("/", n->path);
	char *name = strrchr(clean, '/');
	AUTO_CLOSE int dir = -1;
	int r;

	*name++ = '\0';
	dir = fs_mkdir_in_root(root_fd, clean[0] ? clean : "/", 0755);
	if (dir < 0)
		return dir;
	r = put_node(dir, name, n);
	if (r < 0 && is_there(dir, name, n))
		return 0;
	if (r == -EEXIST)
		r = unlinkat(dir, name, 0) < 0 ? -errno : put_node(dir, name, n);
	/* of a FIFO the guest has none that could be bound */
	if (!S_ISFIFO(n->mode) && (r == -EPERM || r == -EROFS || r == -EACCES))
		return bind_node(root_fd, n);
	if (r < 0)
		return r;
	if ((n->uid || n->gid) &&
	    fchownat(dir, name, n->uid, n->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return 0;
}

static int make_reported(int root_fd, const struct device_node *n, struct kata_err *err)
{
	int r = make_node(root_fd, n);

	return r < 0 ? err_sys_code(err, r, "error creating device nodes: mknod %s",
				    n->path)
		     : 0;
}

int devices_make(int root_fd, const struct device_plan *p, struct kata_err *err)
{
	for (size_t i = 0; i < p->n; i++) {
		int r = make_reported(root_fd, &p->nodes[i], err);

		if (r < 0)
			return r;
	}
	return 0;
}

/* --- the filter */

int devices_filter(int cgroup_fd, const struct device_rules *rules, struct kata_err *err)
{
	AUTO(arena) *a = arena_new();
	struct bpf_insn *program;
	size_t n = device_rules_program(rules, a, &program);
	int r = device_filter_attach(cgroup_fd, program, n);

	return r < 0 ? err_sys_code(err, r,
				    FILTER ": attach a filter to the container's group "
					   "(the guest's kernel needs CONFIG_CGROUP_BPF)")
		     : 0;
}

int devices_update(const struct oci_spec *spec, const struct oci_resources *res,
		   struct arena *a, const struct device_rules **ret, struct kata_err *err)
{
	struct device_rules asked, left, *rules = arena_alloc(a, sizeof(*rules));
	struct device_facts facts;
	int r;

	*ret = NULL;
	if (!res || res->devices.n == 0)
		return 0;
	r = make_rules(res, a, &asked, err);
	if (r < 0)
		return r;
	facts = gather(spec->linux_, false, a);
	device_plan_rules(&asked, &facts, a, rules, &left);
	if (left.n)
		return err_set(err, -ENOTSUP,
			       FILTER ": \"%s\" is about a block device of the host that "
				      "the VM does not have; disks are attached when it "
				      "boots",
			       device_rule_text(left.v, a));
	*ret = rules;
	return 0;
}

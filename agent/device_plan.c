// SPDX-License-Identifier: Apache-2.0
/*
 * device_plan: numbers of devices are the host's. Those of some character devices mean the same in
 * every kernel; block devices that the host has attached as disks are found by their serial number
 * (devices.c) and have other numbers here. Any other device cannot be had, and is refused by name.
 *
 * A container that may use everything (--privileged) is another matter: engines list every device of
 * the host for it, since there the machine is the host. Here the machine is the VM: what "all
 * devices" means are the guest's. So it gets those of the list that the guest has too, and
 * all others of the guest; the host's hardware is left out, and a warning says so. Refusing would
 * make --privileged impossible, attaching would give away the host's disks.
 */
#include "device_plan.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/str.h"

#define DEVICE (S_IFCHR | 0666)
/** Devices that a warning names; of the others it tells how many. */
#define NAMED_MAX 5

/* config-linux.md, Default Devices; console and ptmx are no nodes here. */
static const struct device_node defaults[] = {
	{ "/dev/null", NULL, 1, 3, DEVICE, 0, 0 },
	{ "/dev/zero", NULL, 1, 5, DEVICE, 0, 0 },
	{ "/dev/full", NULL, 1, 7, DEVICE, 0, 0 },
	{ "/dev/random", NULL, 1, 8, DEVICE, 0, 0 },
	{ "/dev/urandom", NULL, 1, 9, DEVICE, 0, 0 },
	{ "/dev/tty", NULL, 5, 0, DEVICE, 0, 0 },
};

/* Beyond the defaults: numbers that are the same in every kernel, and do no harm in a VM of one's own. */
static const struct {
	unsigned major, minor;
} more[] = {
	{ 10, 229 }, /* fuse */
	{ 10, 200 }, /* net/tun */
};

/* Of the guest's own: what each container has anew, and names that are no devices of the machine. */
static const char *const not_shared[] = {
	"/dev/ptmx", "/dev/console", "/dev/pts", "/dev/shm", "/dev/mqueue",
};

struct planner {
	const struct oci_spec *spec;
	const struct device_facts *facts;
	struct arena *a;
	struct device_plan p;
	struct buf left; /* names of what is left out */
	size_t n_left;
};

static bool is_known(unsigned major, unsigned minor)
{
	for (size_t i = 0; i < ARRAY_SIZE(defaults); i++) {
		if (defaults[i].major == major && defaults[i].minor == minor)
			return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(more); i++) {
		if (more[i].major == major && more[i].minor == minor)
			return true;
	}
	return false;
}

/* ptmx and console are listed by some engines; they come with the terminal. */
static bool is_skipped(const struct oci_device *d)
{
	return str_eq(d->path, "/dev/ptmx") || str_eq(d->path, "/dev/console");
}

static bool is_block(const struct oci_device *d)
{
	return str_eq(d->type, "b");
}

static bool is_fifo(const struct oci_device *d)
{
	return str_eq(d->type, "p");
}

static bool has_numbers(const struct oci_device *d)
{
	return d->major && d->minor && *d->major >= 0 && *d->minor >= 0 &&
	       *d->major <= UINT32_MAX && *d->minor <= UINT32_MAX;
}

bool device_plan_wants_disks(const struct oci_linux *linux_)
{
	const struct oci_device *d = linux_ ? linux_->devices.v : NULL;

	for (size_t i = 0; linux_ && i < linux_->devices.n; i++) {
		if (is_block(&d[i]))
			return true;
	}
	return false;
}

/* --- nodes */

static const struct device_disk *disk_of(const struct device_facts *f, int64_t major,
					 int64_t minor)
{
	for (size_t i = 0; i < f->n_disks; i++) {
		if (f->disks[i].host_major == major && f->disks[i].host_minor == minor)
			return &f->disks[i];
	}
	return NULL;
}

/* The same name with the same numbers: of one name alone it could be another device. */
static const struct device_node *own_of(const struct device_facts *f,
					const struct oci_device *d, mode_t type)
{
	for (size_t i = 0; i < f->n_own; i++) {
		const struct device_node *o = &f->own[i];

		if (str_eq(o->path, d->path) && (o->mode & S_IFMT) == type &&
		    o->major == *d->major && o->minor == *d->minor)
			return o;
	}
	return NULL;
}

/* Sets numbers and type of @n. False: the guest has no such device. */
static bool find_device(const struct planner *p, const struct oci_device *d,
			struct device_node *n)
{
	const struct device_disk *disk;
	mode_t type = is_block(d) ? S_IFBLK : S_IFCHR;

	if (is_fifo(d)) {
		n->mode |= S_IFIFO;
		return true;
	}
	if (!has_numbers(d))
		return false;
	n->mode |= type;
	n->major = (unsigned)*d->major;
	n->minor = (unsigned)*d->minor;
	disk = is_block(d) ? disk_of(p->facts, n->major, n->minor) : NULL;
	if (disk) {
		n->major = disk->major;
		n->minor = disk->minor;
		n->source = disk->path;
		return true;
	}
	return own_of(p->facts, d, type) ||
	       (type == S_IFCHR && is_known(n->major, n->minor));
}

static void leave_out(struct planner *p, const struct oci_device *d)
{
	if (p->n_left++ < NAMED_MAX)
		buf_addf(&p->left, "%s%s", p->n_left > 1 ? ", " : "", d->path);
}

static int refuse(const struct oci_device *d, size_t i, struct kata_err *err)
{
	long long major = d->major ? *d->major : -1, minor = d->minor ? *d->minor : -1;

	return err_set(err, -ENOTSUP,
		       "linux.devices[%zu]: %s (%s %lld:%lld) is a device of the host "
		       "that the guest does not have%s",
		       i, d->path ? d->path : "?", d->type ? d->type : "?", major, minor,
		       is_block(d) ? "; block devices are attached when a VM boots, not "
				     "to a container that joins one"
				   : "");
}

static int plan_listed(struct planner *p, bool all, struct kata_err *err)
{
	const struct oci_linux *l = p->spec->linux_;
	const struct oci_device *d = l ? l->devices.v : NULL;

	for (size_t i = 0; l && i < l->devices.n; i++) {
		struct device_node n = {
			.path = d[i].path,
			.mode = d[i].fileMode ? *d[i].fileMode & 07777 : 0666,
			.uid = d[i].uid ? *d[i].uid : 0,
			.gid = d[i].gid ? *d[i].gid : 0,
		};

		if (is_skipped(&d[i]))
			continue;
		if (find_device(p, &d[i], &n))
			p->p.nodes[p->p.n++] = n;
		else if (all)
			leave_out(p, &d[i]);
		else
			return refuse(&d[i], i, err);
	}
	return 0;
}

static bool is_below(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	return strncmp(path, dir, n) == 0 && (!path[n] || path[n] == '/');
}

/* What is mounted below /dev is somebody's directory: the engine has put there what is wanted. */
static bool is_mounted_over(const struct oci_spec *spec, const char *path)
{
	const struct oci_mount *m = spec->mounts.v;

	for (size_t i = 0; i < spec->mounts.n; i++) {
		AUTO_FREE char *dest = fs_abspath("/", m[i].destination);

		if (is_below(dest, "/dev") && !str_eq(dest, "/dev") &&
		    is_below(path, dest))
			return true;
	}
	return false;
}

static bool is_taken(const struct planner *p, const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(not_shared); i++) {
		if (is_below(path, not_shared[i]))
			return true;
	}
	for (size_t i = 0; i < p->p.n; i++) {
		if (str_eq(p->p.nodes[i].path, path))
			return true;
	}
	return is_mounted_over(p->spec, path);
}

static void plan_own(struct planner *p)
{
	for (size_t i = 0; i < p->facts->n_own; i++) {
		if (!is_taken(p, p->facts->own[i].path))
			p->p.nodes[p->p.n++] = p->facts->own[i];
	}
}

/* --- rules */

/*
 * Majors that the kernel gives out as drivers come (devices.txt: local and experimental, and 259
 * of extended block devices): one of the host's is another driver's here.
 */
static bool is_dynamic(int64_t major)
{
	return (major >= 234 && major <= 254) || major == 259;
}

static bool is_of_disk(const struct device_facts *f, const struct device_rule *r)
{
	return r->minor >= 0 && disk_of(f, r->major, r->minor);
}

void device_plan_rules(const struct device_rules *rules, const struct device_facts *facts,
		       struct arena *a, struct device_rules *ret,
		       struct device_rules *ret_left)
{
	const unsigned all = DEVICE_M | DEVICE_R | DEVICE_W;
	struct device_rules to = { .allow = rules->allow }, left = { 0 };

	for (size_t i = 0; i < rules->n; i++) {
		const struct device_rule *r = &rules->v[i];
		bool disk = r->type == 'b' && is_of_disk(facts, r);

		if (!disk && (r->type != 'b' || !is_dynamic(r->major)))
			device_rules_add(&to, r, a);
		else if (!disk && !rules->allow)
			device_rules_add(&left, r, a);
	}
	for (size_t i = 0; i < facts->n_disks; i++) {
		const struct device_disk *d = &facts->disks[i];
		unsigned may = device_rules_verdict(rules, 'b', d->host_major,
						    d->host_minor);
		struct device_rule one = { 'b', d->major, d->minor,
					   to.allow ? all & ~may : may, false };

		if (one.access)
			device_rules_add(&to, &one, a);
	}
	*ret = to;
	*ret_left = left;
}

/* --- both */

static void warn(struct planner *p, const struct device_rules *left)
{
	struct buf b = { 0 };

	if (p->n_left)
		buf_addf(&b,
			 "linux.devices: %zu devices of the host that the guest does not "
			 "have are left out: %s%s",
			 p->n_left, buf_cstr(&p->left),
			 p->n_left > NAMED_MAX ? ", ..." : "");
	if (left->n)
		buf_addf(
			&b,
			"%slinux.resources.devices: %zu rules allow block devices of the "
			"host that are not attached: %s%s",
			p->n_left ? "; " : "", left->n, device_rule_text(left->v, p->a),
			left->n > 1 ? ", ..." : "");
	p->p.warning = buf_len(&b) ? arena_strdup(p->a, buf_cstr(&b)) : NULL;
	buf_done(&b);
	buf_done(&p->left);
}

int device_plan_make(const struct oci_spec *spec, const struct device_rules *rules,
		     const struct device_facts *facts, struct arena *a,
		     struct device_plan *ret, struct kata_err *err)
{
	struct planner p = { .spec = spec, .facts = facts, .a = a };
	size_t listed = spec->linux_ ? spec->linux_->devices.n : 0;
	bool all = device_rules_all(rules);
	struct device_rules left;
	int r;

	p.p.nodes = arena_array(a, ARRAY_SIZE(defaults) + listed + facts->n_own,
				sizeof(*p.p.nodes));
	for (size_t i = 0; i < ARRAY_SIZE(defaults); i++)
		p.p.nodes[p.p.n++] = defaults[i];
	r = plan_listed(&p, all, err);
	if (r < 0)
		return r;
	if (all)
		plan_own(&p);
	device_plan_rules(rules, facts, a, &p.p.rules, &left);
	warn(&p, &left);
	*ret = p.p;
	return 0;
}

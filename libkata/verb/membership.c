// SPDX-License-Identifier: Apache-2.0
/*
 * membership: does a container join the VM of another one? It does when
 *
 *   - the path of its network, ipc, uts, pid or user namespace is that of a live
 *     kata-shim of this root, known by device and inode (`docker run --network
 *     container:X`, pods), or
 *   - annotations of CRI or CRI-O name the pod's sandbox (podman sets CRI-O's on
 *     the members of a pod).
 *
 * Both must mean the same VM. Decided before anything is made; what changes
 * afterwards shows when the sandbox is asked. Only live containers count: the
 * namespaces of one that has ended may be somebody else's by now.
 *
 * config.json stays as it came. The copy that the sandbox gets names containers
 * where it had paths: inodes of the host mean nothing in the guest.
 *
 * Must not know how a sandbox is asked, nor what the guest makes of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "base/json.h"
#include "base/log.h"
#include "sandbox/guest_spec.h"
#include "verb/creation.h"
#include "verb/readiness.h"

/* What containers of one VM can share. */
static const struct {
	enum oci_ns_type type;
	int flag;
	const char *file; /* in /proc/PID/ns */
} shared[] = {
	{ OCI_NS_NETWORK, CLONE_NEWNET, "net" }, { OCI_NS_IPC, CLONE_NEWIPC, "ipc" },
	{ OCI_NS_UTS, CLONE_NEWUTS, "uts" },	 { OCI_NS_PID, CLONE_NEWPID, "pid" },
	{ OCI_NS_USER, CLONE_NEWUSER, "user" },
};

/* Who says of a container that it belongs to a sandbox. */
static const struct {
	const char *type_key, *id_key;
} dialects[] = {
	{ "io.kubernetes.cri.container-type", "io.kubernetes.cri.sandbox-id" },
	{ "io.kubernetes.cri-o.ContainerType", "io.kubernetes.cri-o.SandboxID" },
};

/* --- the namespaces that are asked for ------------------------------------------------------ */

static const char *path_of(const struct creation *c, enum oci_ns_type type)
{
	const struct oci_namespace *ns = oci_spec_ns(c->bundle.spec, type);

	return ns && ns->path && ns->path[0] ? ns->path : NULL;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static int stat_ns(pid_t pid, const char *file, struct stat *ret)
{
	char path[48];

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, file);
	return stat(path, ret) < 0 ? -errno : 0;
}

/* The network's is open already, and no other than a network namespace: netns.c. */
static int open_path(struct creation *c, size_t i, struct kata_err *err)
{
	enum oci_ns_type type = shared[i].type;
	const char *path = path_of(c, type);
	struct stat own, st;
	int fd;

	if (!path || type == OCI_NS_NETWORK)
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "linux.namespaces: open %s", path);
	c->membership.ns_fd[type] = fd;
	if (ioctl(fd, NS_GET_NSTYPE) != shared[i].flag)
		return err_set(err, -EINVAL, "linux.namespaces: %s is no %s namespace",
			       path, oci_ns_names[type]);
	if (fstat(fd, &st) < 0 || stat_ns(getpid(), shared[i].file, &own) < 0)
		return err_sys(err, "stat %s", path);
	if (same_file(&st, &own))
		return err_set(err, -ENOTSUP,
			       "linux.namespaces: %s is the host's %s namespace, which "
			       "cannot be joined from a VM; leave the path out",
			       path, oci_ns_names[type]);
	return 0;
}

static int fd_of(const struct creation *c, enum oci_ns_type type)
{
	if (type == OCI_NS_NETWORK)
		return c->netns_given ? c->netns_fd : -1;
	return c->membership.ns_fd[type];
}

/* --- whose they are ------------------------------------------------------------------------- */

/* A record of a container that lives, in @c's arena; NULL: there is none. */
static struct store_record *live_record(const struct creation *c, const char *id,
					enum oci_status *ret_status)
{
	struct store_record *r = arena_alloc(c->bundle.arena, sizeof(*r));
	struct store_dir dir = STORE_DIR_INIT;
	struct kata_err ignored = { 0 };
	int rc;

	rc = store_open(c->root, id, false, &dir, &ignored);
	if (rc == 0)
		rc = store_record_read(&dir, c->bundle.arena, r, &ignored);
	if (rc == 0)
		*ret_status = store_status(&dir, r);
	else
		log_debug("%s: %s", id, ignored.msg);
	store_dir_done(&dir);
	return rc == 0 && r->shim && *ret_status != OCI_STOPPED ? r : NULL;
}

/* After its namespaces were looked at: they were that very process's, not a successor's. */
static bool still_lives(const struct store_record *r)
{
	uint64_t start;

	return proc_start_time((pid_t)r->shim->pid, &start) == 0 &&
	       start == r->shim->start;
}

static int check_created(const struct store_record *r, enum oci_status st,
			 struct kata_err *err)
{
	return st != OCI_CREATING ? 0
				  : err_set(err, -EBUSY,
					    "container %s, whose VM is to be joined, is "
					    "still being created",
					    r->id);
}

static int other_vm(const struct store_record *a, const struct store_record *b,
		    const char *what, struct kata_err *err)
{
	return err_set(err, -EINVAL,
		       "%s is of container %s, which is in another VM than container %s",
		       what, a->id, b->id);
}

/* @r's shim has the namespace. */
static int found_owner(struct creation *c, enum oci_ns_type type, enum oci_status st,
		       const struct store_record *r, struct kata_err *err)
{
	struct membership *m = &c->membership;
	int rc = check_created(r, st, err);

	if (rc < 0)
		return rc;
	if (m->host && !str_eq(m->host->sandbox_id, r->sandbox_id))
		return other_vm(r, m->host,
				arena_printf(c->bundle.arena, "linux.namespaces: %s",
					     path_of(c, type)),
				err);
	/* several have it when they share it: the one it was made for, if it still lives */
	if (!m->owner[type] || r->vm_memory)
		m->owner[type] = r->id;
	m->host = r;
	return 0;
}

static int look_at(struct creation *c, const char *id, struct kata_err *err)
{
	enum oci_status st = OCI_STOPPED;
	const struct store_record *r = live_record(c, id, &st);
	int rc = 0;

	for (size_t i = 0; r && i < ARRAY_SIZE(shared) && rc == 0; i++) {
		int fd = fd_of(c, shared[i].type);
		struct stat theirs, wanted;

		if (fd < 0 || fstat(fd, &wanted) < 0 ||
		    stat_ns((pid_t)r->shim->pid, shared[i].file, &theirs) < 0)
			continue;
		if (same_file(&wanted, &theirs) && still_lives(r))
			rc = found_owner(c, shared[i].type, st, r, err);
	}
	return rc;
}

static int find_owners(struct creation *c, struct kata_err *err)
{
	struct strv ids = { NULL, 0 };
	int rc;

	rc = store_list(c->root, &ids, err);
	if (rc < 0) {
		err_done(
			err); /* no root, no containers; anything else shows when it is written to */
		return 0;
	}
	for (size_t i = 0; i < ids.n && rc == 0; i++)
		rc = look_at(c, ids.v[i], err);
	strv_done(&ids);
	return rc;
}

/* The network may be anybody's: the VM then has its cards there. The others would need its kernel. */
static int check_owners(const struct creation *c, struct kata_err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(shared); i++) {
		enum oci_ns_type type = shared[i].type;

		if (type == OCI_NS_NETWORK || !path_of(c, type) ||
		    c->membership.owner[type])
			continue;
		return err_set(err, -ENOTSUP,
			       "linux.namespaces: %s is no %s namespace of a running "
			       "container in %s, and a VM cannot join one of the host",
			       path_of(c, type), oci_ns_names[type], c->root);
	}
	return 0;
}

static int find_by_path(struct creation *c, struct kata_err *err)
{
	bool any = false;
	int rc = 0;

	for (size_t i = 0; i < ARRAY_SIZE(shared) && rc == 0; i++) {
		rc = open_path(c, i, err);
		any = any || path_of(c, shared[i].type);
	}
	if (rc == 0 && any)
		rc = find_owners(c, err);
	return rc == 0 ? check_owners(c, err) : rc;
}

/* --- what annotations say ------------------------------------------------------------------- */

static int join_annotated(struct creation *c, const char *key, const char *id,
			  struct kata_err *err)
{
	struct membership *m = &c->membership;
	enum oci_status st = OCI_STOPPED;
	const struct store_record *r;
	int rc;

	if (!id || !*id)
		return err_set(err, -EINVAL, "annotations: a container of a pod needs %s",
			       key);
	r = live_record(c, id, &st);
	if (!r)
		return err_set(err, -ESRCH,
			       "annotations: %s: no container %s is running in %s", key,
			       id, c->root);
	rc = check_created(r, st, err);
	if (rc < 0)
		return rc;
	if (m->host && !str_eq(m->host->sandbox_id, r->sandbox_id))
		return err_set(err, -EINVAL,
			       "annotations: %s is %s, but linux.namespaces are of "
			       "container %s, which is in another VM",
			       key, id, m->host->id);
	m->host = r;
	m->annotated = true;
	return 0;
}

static int find_by_annotation(struct creation *c, struct kata_err *err)
{
	const struct oci_spec *spec = c->bundle.spec;

	for (size_t i = 0; i < ARRAY_SIZE(dialects); i++) {
		const char *type = oci_annotation(spec, dialects[i].type_key);

		if (str_eq(type, "container"))
			return join_annotated(c, dialects[i].id_key,
					      oci_annotation(spec, dialects[i].id_key),
					      err);
		if (str_eq(type, "sandbox") && c->membership.host)
			return err_set(
				err, -EINVAL,
				"annotations: %s is sandbox, but linux.namespaces are of "
				"container %s: a sandbox has a VM of its own",
				dialects[i].type_key, c->membership.host->id);
	}
	return 0;
}

/* --- the network ---------------------------------------------------------------------------- */

static int check_same_network(const struct creation *c, int theirs, struct kata_err *err)
{
	struct stat a, b;

	if (fstat(c->netns_fd, &a) < 0 || fstat(theirs, &b) < 0)
		return err_sys(err, "stat a network namespace");
	if (same_file(&a, &b))
		return 0;
	return err_set(err, -ENOTSUP,
		       "linux.namespaces: %s is not the network of container %s; all "
		       "containers of a VM have one network",
		       path_of(c, OCI_NS_NETWORK), c->membership.host->id);
}

/*
 * A VM has one network. Who joins it by an annotation knows that. Who only
 * shares another namespace asked for a network of its own, and is not given
 * somebody else's instead.
 */
static int join_network(struct creation *c, struct kata_err *err)
{
	const struct store_record *host = c->membership.host;
	AUTO_CLOSE int fd = -1;

	if (!c->netns_given && !c->membership.annotated)
		return err_set(err, -ENOTSUP,
			       "linux.namespaces: a network of its own cannot be had in "
			       "the VM of container %s, which shares a namespace; join "
			       "its network too",
			       host->id);
	fd = netns_of_process((pid_t)host->shim->pid, err);
	if (fd < 0 || !still_lives(host))
		return err_set(err, -ESRCH,
			       "container %s, whose VM is to be joined, has ended",
			       host->id);
	if (c->netns_given)
		return check_same_network(c, fd, err);
	c->netns_fd = TAKE_FD(fd);
	return 0;
}

int membership_decide(struct creation *c, struct kata_err *err)
{
	int rc = find_by_path(c, err);

	if (rc == 0)
		rc = find_by_annotation(c, err);
	if (rc == 0 && c->membership.host)
		rc = join_network(c, err);
	return rc;
}

void membership_done(struct membership *m)
{
	for (size_t i = 0; i < OCI_NS_TYPES; i++)
		fd_drop(&m->ns_fd[i]);
}

/* --- what the sandbox is told --------------------------------------------------------------- */

static struct jt_objv name_owners(const struct creation *c, const struct jt_objv *from,
				  struct arena *a)
{
	const struct oci_namespace *in = from->v;
	struct oci_namespace *out = arena_array(a, from->n, sizeof(*out));

	for (size_t i = 0; i < from->n; i++) {
		const char *owner = c->membership.owner[in[i].type];

		out[i] = in[i];
		if (owner && in[i].type != OCI_NS_NETWORK)
			out[i].path = arena_printf(a, GUEST_NS_OF "%s", owner);
	}
	return (struct jt_objv){ out, from->n };
}

/* As systemd's protocol has it: init is the one that is meant (runc too says so). */
static const struct oci_process *tell_listen_fds(const struct creation *c,
						 const struct oci_process *from)
{
	const struct kata_create_args *args = c->args;
	struct arena *a = c->bundle.arena;
	const char *more[] = {
		arena_printf(a, "LISTEN_FDS=%u", args->listen_fds),
		"LISTEN_PID=1",
		args->listen_fdnames
			? arena_printf(a, "LISTEN_FDNAMES=%s", args->listen_fdnames)
			: NULL,
	};
	size_t n = args->listen_fdnames ? 3 : 2;
	struct oci_process *p = arena_alloc(a, sizeof(*p));
	const char **env = arena_array(a, from->env.n + n + 1, sizeof(*env));

	for (size_t i = 0; i < from->env.n; i++)
		env[i] = from->env.v[i];
	for (size_t i = 0; i < n; i++)
		env[from->env.n + i] = more[i];
	*p = *from;
	p->env = (struct jt_strv){ env, from->env.n + n };
	return p;
}

void membership_config(const struct creation *c, struct buf *out)
{
	struct arena *a = c->bundle.arena;
	struct oci_linux *lx = arena_alloc(a, sizeof(*lx));
	struct oci_spec spec = *c->bundle.spec;
	struct json_out o = { .buf = out };
	bool joins = c->membership.host && spec.linux_;
	bool listens = c->args->listen_fds && spec.process;
	bool notifies = c->k->notify_socket && spec.process;

	if (!joins && !listens && !notifies) {
		buf_add(out, c->bundle.text, c->bundle.len);
		return;
	}
	if (joins) {
		*lx = *spec.linux_;
		lx->namespaces = name_owners(c, &lx->namespaces, a);
		spec.linux_ = lx;
	}
	if (listens)
		spec.process = tell_listen_fds(c, spec.process);
	if (notifies)
		readiness_add(&spec, c->dir.path, a);
	jtab_encode(&oci_spec_tab, &spec, &o);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * guest_check: what of a spec cannot be had here, or not yet. Two kinds:
 *
 *   warnings  the container runs without it: labels and profiles that engines ask for by
 *             default. kata.conf's `unsupported = refuse` makes them errors.
 *   errors    running without it would be something else than what was asked
 *             for: a limit, a namespace of the host's, a system call that somebody was to see.
 *
 * Most properties are rows of one table: where the struct is, which member,
 * what counts as "asked for". The rest are small predicates.
 *
 * Pure. When the agent learns a property its row goes. Devices are the agent's to refuse: it
 * knows what the guest has.
 */
#include "sandbox/guest_spec.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "sandbox/mount_check.h"
#include "oci/names.h"

/* The struct that a row's member is in. */
enum holder {
	IN_PROCESS,
	IN_LINUX,
	IN_RESOURCES,
	IN_MEMORY,
	IN_CPU,
	IN_NETWORK,
	IN_SECCOMP,
	HOLDERS,
};

/* What makes a member asked for. Engines write zeros for "not set". */
enum asked {
	WHEN_SET,      /* pointer not NULL */
	WHEN_TEXT,     /* const char *, not empty */
	WHEN_CONFINED, /* the same, and not "unconfined" */
	WHEN_LISTED,   /* struct jt_objv with something in it */
	WHEN_KEYED,    /* struct jt_objmap */
	WHEN_LIMIT,    /* const int64_t *, above 0 */
	WHEN_CLASS,    /* const uint32_t *, not 0 */
	WHEN_PERIOD,   /* const uint64_t *, not 0 */
	WHEN_TRUE,     /* const bool *, true */
};

struct row {
	enum holder in;
	enum asked when;
	size_t offset;
	bool refuse;
	const char *path, *why;
};

/* One row: a warning, or a refusal. */
#define ROW(holder, type, member, asked, json, sentence)                                 \
	{                                                                                \
		holder, asked, offsetof(struct type, member), false, json, sentence      \
	}
#define REFUSE(holder, type, member, asked, json, sentence)                              \
	{                                                                                \
		holder, asked, offsetof(struct type, member), true, json, sentence       \
	}

#define NET_CLASS                                                                        \
	"packets leave a VM by its card, without their sender's class; shape the container's interface instead"
#define RT_GROUPS "the guest's kernel has no real-time groups"

static const struct row rows[] = {
	REFUSE(IN_SECCOMP, oci_seccomp, listenerPath, WHEN_TEXT,
	       "linux.seccomp.listenerPath",
	       "a host process cannot supervise system calls of a guest kernel"),
	REFUSE(IN_LINUX, oci_linux, netDevices, WHEN_KEYED, "linux.netDevices",
	       "host interfaces cannot be moved into a VM yet"),

	REFUSE(IN_LINUX, oci_linux, intelRdt, WHEN_SET, "linux.intelRdt",
	       "cache and memory bandwidth of a VM are not shared out (resctrl)"),

	ROW(IN_PROCESS, oci_process, apparmorProfile, WHEN_CONFINED,
	    "process.apparmorProfile", "the guest has no AppArmor profiles"),
	ROW(IN_PROCESS, oci_process, selinuxLabel, WHEN_TEXT, "process.selinuxLabel",
	    "the guest has no SELinux policy"),

	ROW(IN_LINUX, oci_linux, mountLabel, WHEN_TEXT, "linux.mountLabel",
	    "the guest has no SELinux policy"),

	REFUSE(IN_NETWORK, oci_network, classID, WHEN_CLASS,
	       "linux.resources.network.classID", NET_CLASS),
	REFUSE(IN_NETWORK, oci_network, priorities, WHEN_LISTED,
	       "linux.resources.network.priorities", NET_CLASS),
	REFUSE(IN_RESOURCES, oci_resources, rdma, WHEN_KEYED, "linux.resources.rdma",
	       "is about devices of the host; a guest has no RDMA"),
	REFUSE(IN_MEMORY, oci_memory, kernel, WHEN_LIMIT, "linux.resources.memory.kernel",
	       "current kernels have no such limit; memory.limit counts the kernel's too"),
	REFUSE(IN_MEMORY, oci_memory, kernelTCP, WHEN_LIMIT,
	       "linux.resources.memory.kernelTCP",
	       "the guest's cgroup v2 has no such limit; memory.limit counts sockets too"),
	REFUSE(IN_MEMORY, oci_memory, disableOOMKiller, WHEN_TRUE,
	       "linux.resources.memory.disableOOMKiller",
	       "the guest's cgroup v2 kills at the limit, always"),
	REFUSE(IN_CPU, oci_cpu, realtimeRuntime, WHEN_LIMIT,
	       "linux.resources.cpu.realtimeRuntime", RT_GROUPS),
	REFUSE(IN_CPU, oci_cpu, realtimePeriod, WHEN_PERIOD,
	       "linux.resources.cpu.realtimePeriod", RT_GROUPS),
};

bool guest_check_sentence(size_t i, struct guest_sentence *ret)
{
	if (i >= ARRAY_SIZE(rows))
		return false;
	*ret = (struct guest_sentence){ rows[i].path, rows[i].why, rows[i].refuse };
	return true;
}

static void find_limits(const struct oci_resources *res, const void *ret[HOLDERS])
{
	ret[IN_RESOURCES] = res;
	ret[IN_MEMORY] = res ? res->memory : NULL;
	ret[IN_CPU] = res ? res->cpu : NULL;
	ret[IN_NETWORK] = res ? res->network : NULL;
}

static void find_holders(const struct oci_spec *spec, const void *ret[HOLDERS])
{
	const struct oci_linux *lx = spec->linux_;

	ret[IN_PROCESS] = spec->process;
	ret[IN_LINUX] = lx;
	ret[IN_SECCOMP] = lx ? lx->seccomp : NULL;
	find_limits(lx ? lx->resources : NULL, ret);
}

static bool is_asked(const struct row *r, const char *holder)
{
	const void *member = holder + r->offset;
	const void *p =
		*(const void *const *)member; /* valid for the pointer kinds only */

	switch (r->when) {
	case WHEN_SET:
		return p != NULL;
	case WHEN_TEXT:
		return p && *(const char *)p != '\0';
	case WHEN_CONFINED:
		return p && *(const char *)p != '\0' && !str_eq(p, "unconfined");
	case WHEN_LISTED:
		return ((const struct jt_objv *)member)->n > 0;
	case WHEN_LIMIT:
		return p && *(const int64_t *)p > 0;
	case WHEN_CLASS:
		return p && *(const uint32_t *)p != 0;
	case WHEN_PERIOD:
		return p && *(const uint64_t *)p != 0;
	case WHEN_TRUE:
		return p && *(const bool *)p;
	case WHEN_KEYED:
		return ((const struct jt_objmap *)member)->n > 0;
	}
	return false;
}

struct check {
	void (*warn)(void *arg, const char *text);
	void *arg;
	struct kata_err *err;
};

static int report(const struct check *c, bool refuse, const char *path, const char *why)
{
	char text[256];

	if (refuse)
		return err_set(c->err, -ENOTSUP, "%s: %s", path, why);
	snprintf(text, sizeof(text), "%s: %s", path, why);
	c->warn(c->arg, text);
	return 0;
}

static int check_holders(const void *const holders[HOLDERS], const struct check *c)
{
	int rc = 0;

	for (size_t i = 0; i < ARRAY_SIZE(rows) && rc == 0; i++) {
		const struct row *r = &rows[i];

		if (holders[r->in] && is_asked(r, holders[r->in]))
			rc = report(c, r->refuse, r->path, r->why);
	}
	return rc;
}

static int check_rows(const struct oci_spec *spec, const struct check *c)
{
	const void *holders[HOLDERS];

	find_holders(spec, holders);
	return check_holders(holders, c);
}

/* What each namespace type may be. A VM has a kernel of its own: none of the host's can be joined. */
struct ns_rule {
	enum oci_ns_type type;
	bool needed, path_refused;
	const char *why;
};

static const struct ns_rule ns_rules[] = {
	{ OCI_NS_NETWORK, .needed = true,
	  .why = "the host's network cannot be given to a VM; add {\"type\": \"network\"}" },
	{ OCI_NS_TIME, .path_refused = true,
	  .why = "a time namespace of the host cannot be joined" },
	{ OCI_NS_MOUNT, .path_refused = true,
	  .why = "a mount namespace of the host cannot be joined" },
	{ OCI_NS_CGROUP, .path_refused = true,
	  .why = "a cgroup namespace of the host cannot be joined" },
};

static int check_namespaces(const struct oci_spec *spec, const struct check *c)
{
	for (size_t i = 0; i < ARRAY_SIZE(ns_rules); i++) {
		const struct ns_rule *r = &ns_rules[i];
		const struct oci_namespace *ns = oci_spec_ns(spec, r->type);
		bool has_path = ns && ns->path && ns->path[0];

		if ((r->needed && !ns) || (r->path_refused && has_path))
			return err_set(c->err, -ENOTSUP, "linux.namespaces: %s%s: %s",
				       oci_ns_names[r->type], has_path ? " path" : "",
				       r->why);
	}
	if (!oci_spec_ns(spec, OCI_NS_PID))
		return report(
			c, false, "linux.namespaces",
			"no pid namespace: the container sees its VM's processes, not the host's");
	return 0;
}

static int check_mounts(const struct oci_spec *spec, const struct check *c)
{
	return mount_check(spec, c->warn, c->arg, c->err);
}

/* What private and slave mean holds by itself: nothing propagates out of a VM. */
static int check_propagation(const struct oci_spec *spec, const struct check *c)
{
	const char *p = spec->linux_ ? spec->linux_->rootfsPropagation : NULL;

	if (!p || !*p || str_eq(p, "private") || str_eq(p, "rprivate") ||
	    str_eq(p, "slave") || str_eq(p, "rslave"))
		return 0;
	return report(c, false, "linux.rootfsPropagation",
		      "mounts made in the container do not reach the host");
}

static void list_unknown(const struct jt_strv *names, char *out, size_t size)
{
	for (size_t i = 0; i < names->n; i++) {
		const char *name = names->v[i];
		size_t len = strlen(out);

		if (oci_cap_number(name) < 0 && !strstr(out, name))
			snprintf(out + len, size - len, "%s%s", len ? " " : "", name);
	}
}

/* A name that this build does not know is passed over, as by runc. */
static int check_capabilities(const struct oci_spec *spec, const struct check *c)
{
	const struct oci_caps *caps = spec->process ? spec->process->capabilities : NULL;
	char names[128] = "", why[192];

	if (!caps)
		return 0;
	list_unknown(&caps->bounding, names, sizeof(names));
	list_unknown(&caps->effective, names, sizeof(names));
	list_unknown(&caps->inheritable, names, sizeof(names));
	list_unknown(&caps->permitted, names, sizeof(names));
	list_unknown(&caps->ambient, names, sizeof(names));
	if (!names[0])
		return 0;
	snprintf(why, sizeof(why), "ignoring unknown or unavailable capabilities: [%s]",
		 names);
	return report(c, false, "process.capabilities", why);
}

static int (*const checks[])(const struct oci_spec *, const struct check *) = {
	check_namespaces, check_rows, check_mounts, check_propagation, check_capabilities,
};

/** guest_spec_check() - see guest_spec.h. -ENOTSUP for what must not be ignored. */
int guest_spec_check(const struct oci_spec *spec,
		     void (*warn)(void *arg, const char *text), void *arg,
		     struct kata_err *err)
{
	const struct check c = { warn, arg, err };
	int rc = 0;

	for (size_t i = 0; i < ARRAY_SIZE(checks) && rc == 0; i++)
		rc = checks[i](spec, &c);
	return rc;
}

/** guest_resources_check() - see guest_spec.h. */
int guest_resources_check(const struct oci_resources *res, struct kata_err *err)
{
	const void *holders[HOLDERS] = { 0 };
	const struct check c = { .err = err };

	find_limits(res, holders);
	return check_holders(holders, &c);
}

/** guest_process_check() - see guest_spec.h. */
int guest_process_check(const struct oci_process *p,
			void (*warn)(void *arg, const char *text), void *arg,
			struct kata_err *err)
{
	const void *const holders[HOLDERS] = { [IN_PROCESS] = p };
	const struct check c = { warn, arg, err };

	return check_holders(holders, &c);
}

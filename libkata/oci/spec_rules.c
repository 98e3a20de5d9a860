/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spec_rules: what must hold between the sections of a config.json: above all,
 * which settings need a namespace of the container's own. They are the rules of
 * runc's libcontainer/configs/validate, in its words, since those are the texts
 * that people look up.
 *
 * A pure function of the document: whether a path exists, or a network
 * namespace's path happens to be the host's, is found out by those who open it.
 * The agent does not run these, see spec_tabs.h.
 */
#include "oci/spec_tabs.h"

#include <string.h>

#include "base/str.h"
#include "oci/id_maps.h"

/** __NEW_UTS_LEN */
#define UTS_NAME_MAX 64

static bool has_ns(const struct oci_spec *spec, enum oci_ns_type type)
{
	return oci_spec_ns(spec, type) != NULL;
}

static int uts_name_rule(const struct oci_spec *spec, const char *name,
			 const char *member, struct kata_err *err)
{
	if (!name || !name[0])
		return 0;
	if (!has_ns(spec, OCI_NS_UTS))
		return spec_bad(err, "", member,
				"unable to set %s without a private UTS namespace",
				member);
	if (strlen(name) > UTS_NAME_MAX)
		return spec_bad(err, "", member, "is longer than %d bytes", UTS_NAME_MAX);
	return 0;
}

static int uts_rules(const struct oci_spec *spec, struct kata_err *err)
{
	int r = uts_name_rule(spec, spec->hostname, "hostname", err);

	return r < 0 ? r : uts_name_rule(spec, spec->domainname, "domainname", err);
}

static int map_rules(const struct oci_linux *lx, struct kata_err *err)
{
	int r = id_maps_check(&lx->uidMappings, "linux.uidMappings", err);

	return r < 0 ? r : id_maps_check(&lx->gidMappings, "linux.gidMappings", err);
}

static int user_rules(const struct oci_spec *spec, struct kata_err *err)
{
	const struct oci_namespace *user = oci_spec_ns(spec, OCI_NS_USER);
	const struct oci_linux *lx = spec->linux_;
	bool maps = lx->uidMappings.n || lx->gidMappings.n;

	if (!user && maps)
		return spec_bad(
			err, "linux", lx->uidMappings.n ? "uidMappings" : "gidMappings",
			"user namespace mappings specified, but user namespace isn't "
			"enabled in the config");
	if (user && !user->path && !maps)
		return spec_bad(
			err, "linux", "namespaces",
			"user namespaces enabled, but no namespace path to join nor "
			"mappings to apply specified");
	return user && !user->path ? map_rules(lx, err) : 0;
}

static int time_rules(const struct oci_spec *spec, struct kata_err *err)
{
	const struct oci_namespace *ns = oci_spec_ns(spec, OCI_NS_TIME);

	if (!spec->linux_->timeOffsets)
		return 0;
	if (!ns)
		return spec_bad(
			err, "linux", "timeOffsets",
			"time namespace offsets specified, but time namespace isn't "
			"enabled in the config");
	if (ns->path)
		return spec_bad(
			err, "linux", "timeOffsets",
			"time namespace enabled, but both namespace path and time "
			"offsets specified -- you may only provide one");
	return 0;
}

static int mount_rules(const struct oci_spec *spec, struct kata_err *err)
{
	const struct oci_linux *lx = spec->linux_;

	if ((lx->maskedPaths.n || lx->readonlyPaths.n) && !has_ns(spec, OCI_NS_MOUNT))
		return spec_bad(
			err, "linux", lx->maskedPaths.n ? "maskedPaths" : "readonlyPaths",
			"unable to restrict sys entries without a private MNT namespace");
	return 0;
}

static int net_device_rules(const struct oci_spec *spec, struct kata_err *err)
{
	if (spec->linux_->netDevices.n && !has_ns(spec, OCI_NS_NETWORK))
		return spec_bad(err, "linux", "netDevices",
				"unable to move network devices without a NET namespace");
	return 0;
}

/* "net/ipv4/conf/eth0.1" is "net.ipv4.conf.eth0/1": the first separator tells which is which */
static void sysctl_dots(char *key)
{
	char *p = strpbrk(key, "./");

	if (!p || *p == '.')
		return;
	for (; *p; p++)
		*p = *p == '/' ? '.' : *p == '.' ? '/' : *p;
}

/* Which namespace each family of sysctls belongs to; what is in none stays out. */
static const struct sysctl_family {
	const char *name; /* ends in '.': a prefix */
	enum oci_ns_type ns;
	const char *refusal;
} sysctl_families[] = {
#define IPC_REFUSAL "is not allowed in the hosts ipc namespace"
	{ "kernel.msgmax", OCI_NS_IPC, IPC_REFUSAL },
	{ "kernel.msgmnb", OCI_NS_IPC, IPC_REFUSAL },
	{ "kernel.msgmni", OCI_NS_IPC, IPC_REFUSAL },
	{ "kernel.sem", OCI_NS_IPC, IPC_REFUSAL },
	{ "kernel.shmall", OCI_NS_IPC, IPC_REFUSAL },
	{ "kernel.shmmax", OCI_NS_IPC, IPC_REFUSAL },
	{ "kernel.shmmni", OCI_NS_IPC, IPC_REFUSAL },
	{ "kernel.shm_rmid_forced", OCI_NS_IPC, IPC_REFUSAL },
	{ "fs.mqueue.", OCI_NS_IPC, IPC_REFUSAL },
#undef IPC_REFUSAL
	{ "net.", OCI_NS_NETWORK, "not allowed in host network namespace" },
	{ "user.", OCI_NS_USER, "is not allowed without a user namespace" },
	{ "kernel.domainname", OCI_NS_UTS, "is not in a separate kernel namespace" },
};

static const struct sysctl_family *sysctl_family(const char *key)
{
	for (size_t i = 0; i < ARRAY_SIZE(sysctl_families); i++) {
		const struct sysctl_family *f = &sysctl_families[i];

		if (str_has_suffix(f->name, ".") ? str_has_prefix(key, f->name)
						 : str_eq(key, f->name))
			return f;
	}
	return NULL;
}

static int sysctl_rule(const struct oci_spec *spec, const char *name,
		       struct kata_err *err)
{
	AUTO_FREE char *key = mem_strdup(name);
	const struct sysctl_family *family;

	sysctl_dots(key);
	family = sysctl_family(key);
	if (family && has_ns(spec, family->ns))
		return 0;
	if (str_eq(key, "kernel.hostname") && has_ns(spec, OCI_NS_UTS))
		return spec_bad(
			err, "linux", "sysctl",
			"sysctl \"%s\" is not allowed as it conflicts with the OCI "
			"\"hostname\" field",
			key);
	return spec_bad(err, "linux", "sysctl", "sysctl \"%s\" %s", key,
			family ? family->refusal
			       : "is not in a separate kernel namespace");
}

static int sysctl_rules(const struct oci_spec *spec, struct kata_err *err)
{
	const struct jt_map *sysctl = &spec->linux_->sysctl;
	int r = 0;

	for (size_t i = 0; i < sysctl->n && r == 0; i++)
		r = sysctl_rule(spec, sysctl->keys[i], err);
	return r;
}

typedef int rule_fn(const struct oci_spec *spec, struct kata_err *err);

int spec_rules(const struct oci_spec *spec, struct kata_err *err)
{
	static rule_fn *const linux_rules[] = {
		user_rules, time_rules, mount_rules, net_device_rules, sysctl_rules,
	};
	int r;

	if (!spec->root)
		return spec_bad(err, "", "root", "is required");
	r = uts_rules(spec, err);
	for (size_t i = 0; spec->linux_ && i < ARRAY_SIZE(linux_rules) && r == 0; i++)
		r = linux_rules[i](spec, err);
	return r;
}

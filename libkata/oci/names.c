/* SPDX-License-Identifier: Apache-2.0 */
/* names: container ids, capabilities, rlimits. Tables and look-ups only. */
#include "oci/names.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>

#include "base/mem.h"
#include "base/str.h"

static const char id_chars[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+.-";

int oci_id_check(const char *id, struct kata_err *err)
{
	size_t len = id ? strlen(id) : 0;

	if (len == 0)
		return err_set(err, -EINVAL, "container id cannot be empty");
	if (len > OCI_ID_MAX)
		return err_set(err, -EINVAL,
			       "invalid container ID format: longer than %d characters",
			       OCI_ID_MAX);
	if (id[strspn(id, id_chars)])
		return err_set(
			err, -EINVAL,
			"invalid container ID format: only A-Z a-z 0-9 _ + . - may be in it");
	if (str_eq(id, ".") || str_eq(id, ".."))
		return err_set(err, -EINVAL, "invalid container ID format: \"%s\"", id);
	return 0;
}

/* capabilities(7), by number as in linux/capability.h */
const char *const oci_cap_names[] = {
	"CAP_CHOWN",
	"CAP_DAC_OVERRIDE",
	"CAP_DAC_READ_SEARCH",
	"CAP_FOWNER",
	"CAP_FSETID",
	"CAP_KILL",
	"CAP_SETGID",
	"CAP_SETUID",
	"CAP_SETPCAP",
	"CAP_LINUX_IMMUTABLE",
	"CAP_NET_BIND_SERVICE",
	"CAP_NET_BROADCAST",
	"CAP_NET_ADMIN",
	"CAP_NET_RAW",
	"CAP_IPC_LOCK",
	"CAP_IPC_OWNER",
	"CAP_SYS_MODULE",
	"CAP_SYS_RAWIO",
	"CAP_SYS_CHROOT",
	"CAP_SYS_PTRACE",
	"CAP_SYS_PACCT",
	"CAP_SYS_ADMIN",
	"CAP_SYS_BOOT",
	"CAP_SYS_NICE",
	"CAP_SYS_RESOURCE",
	"CAP_SYS_TIME",
	"CAP_SYS_TTY_CONFIG",
	"CAP_MKNOD",
	"CAP_LEASE",
	"CAP_AUDIT_WRITE",
	"CAP_AUDIT_CONTROL",
	"CAP_SETFCAP",
	"CAP_MAC_OVERRIDE",
	"CAP_MAC_ADMIN",
	"CAP_SYSLOG",
	"CAP_WAKE_ALARM",
	"CAP_BLOCK_SUSPEND",
	"CAP_AUDIT_READ",
	"CAP_PERFMON",
	"CAP_BPF",
	"CAP_CHECKPOINT_RESTORE",
	NULL,
};

#define CAP_PREFIX 4 /* "CAP_" */

int oci_cap_number(const char *name)
{
	if (strncasecmp(name, "CAP_", CAP_PREFIX) == 0)
		name += CAP_PREFIX;
	for (int i = 0; oci_cap_names[i]; i++)
		if (strcasecmp(name, oci_cap_names[i] + CAP_PREFIX) == 0)
			return i;
	return -1;
}

static const struct {
	const char *name;
	int number;
} rlimits[] = {
	{ "RLIMIT_AS", RLIMIT_AS },
	{ "RLIMIT_CORE", RLIMIT_CORE },
	{ "RLIMIT_CPU", RLIMIT_CPU },
	{ "RLIMIT_DATA", RLIMIT_DATA },
	{ "RLIMIT_FSIZE", RLIMIT_FSIZE },
	{ "RLIMIT_LOCKS", RLIMIT_LOCKS },
	{ "RLIMIT_MEMLOCK", RLIMIT_MEMLOCK },
	{ "RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE },
	{ "RLIMIT_NICE", RLIMIT_NICE },
	{ "RLIMIT_NOFILE", RLIMIT_NOFILE },
	{ "RLIMIT_NPROC", RLIMIT_NPROC },
	{ "RLIMIT_RSS", RLIMIT_RSS },
	{ "RLIMIT_RTPRIO", RLIMIT_RTPRIO },
	{ "RLIMIT_RTTIME", RLIMIT_RTTIME },
	{ "RLIMIT_SIGPENDING", RLIMIT_SIGPENDING },
	{ "RLIMIT_STACK", RLIMIT_STACK },
};

int oci_rlimit_number(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(rlimits); i++)
		if (str_eq(name, rlimits[i].name))
			return rlimits[i].number;
	return -1;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * compile: a profile through libseccomp, with runc's reading of it:
 *   - a rule whose action is the default's says nothing and is left out;
 *   - a name that libseccomp does not know is left out: profiles name the calls of all
 *     architectures and of kernels to come. (libkata/seccomp/stub.c is the other half.);
 *   - conditions of one rule must all hold, unless two are about the same argument: then each is a
 *     rule of its own, as runc had it before it knew better;
 *   - more than 32 calls are searched as a tree, which the guest walks faster.
 *
 * libseccomp asks the running kernel which actions and flags it has. That would be the host's, so it
 * is told instead.
 */
#include <errno.h>
#include <linux/audit.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/str.h"
#include "seccomp/filter.h"

/* SCMP_ACT_LOG, SCMP_ACT_KILL_PROCESS and the flags: Linux 4.17. The agent asks the guest's kernel. */
#define API_LEVEL 4
/* Fewer are quicker in a row; libseccomp up to 2.5.4 makes a tree of none wrongly. */
#define TREE_FROM 33
#define SYSCALL_ARGS 6
#define ARCHS_MAX 32
/* The kernel cuts larger ones (MAX_ERRNO). */
#define ERRNO_LARGEST 4095

struct arch_set {
	uint32_t token[ARCHS_MAX]; /* SCMP_ARCH_* */
	size_t n;
};

static void ctx_release(const scmp_filter_ctx *ctx)
{
	if (*ctx)
		seccomp_release(*ctx);
}

/* --- actions */

static int action_of(int action, const uint32_t *errno_ret, uint32_t *ret,
		     struct kata_err *err)
{
	uint32_t value = errno_ret ? *errno_ret : EPERM;
	uint32_t most = action == OCI_ACT_ERRNO ? ERRNO_LARGEST : UINT16_MAX;

	if (value > most)
		return err_set(err, -EINVAL, "errno %u is above %u", value, most);
	switch (action) {
	case OCI_ACT_KILL:
	case OCI_ACT_KILL_THREAD:
		*ret = SCMP_ACT_KILL_THREAD;
		return 0;
	case OCI_ACT_KILL_PROCESS:
		*ret = SCMP_ACT_KILL_PROCESS;
		return 0;
	case OCI_ACT_TRAP:
		*ret = SCMP_ACT_TRAP;
		return 0;
	case OCI_ACT_ERRNO:
		*ret = SCMP_ACT_ERRNO(value);
		return 0;
	case OCI_ACT_TRACE:
		*ret = SCMP_ACT_TRACE(value);
		return 0;
	case OCI_ACT_ALLOW:
		*ret = SCMP_ACT_ALLOW;
		return 0;
	case OCI_ACT_LOG:
		*ret = SCMP_ACT_LOG;
		return 0;
	default:
		return err_set(err, -ENOTSUP,
			       "%s: a host process cannot supervise system calls of a "
			       "guest kernel",
			       oci_seccomp_actions[action]);
	}
}

/* --- architectures */

static uint32_t arch_token(const char *name)
{
	static const char prefix[] = "SCMP_ARCH_";
	char low[24];
	size_t n = 0;

	if (!str_has_prefix(name, prefix))
		return 0;
	for (name += sizeof(prefix) - 1; *name && n < sizeof(low) - 1; name++)
		low[n++] = *name >= 'A' && *name <= 'Z' ? (char)(*name + ('a' - 'A'))
							: *name;
	low[n] = '\0';
	return seccomp_arch_resolve_name(low);
}

static int add_archs(scmp_filter_ctx ctx, const struct jt_strv *names,
		     struct arch_set *ret, struct kata_err *err)
{
	const struct scmp_version *v = seccomp_version();

	ret->token[0] = seccomp_arch_native();
	ret->n = 1;
	for (size_t i = 0; i < names->n; i++) {
		uint32_t token = arch_token(names->v[i]);
		int r = token ? seccomp_arch_add(ctx, token) : -EINVAL;

		if (r == -EEXIST)
			continue;
		if (r == -EINVAL)
			return err_set(err, r,
				       "linux.seccomp.architectures[%zu]: libseccomp "
				       "%u.%u.%u does not know %s",
				       i, v->major, v->minor, v->micro, names->v[i]);
		if (r < 0 || ret->n == ARCHS_MAX)
			return err_set(err, r < 0 ? r : -E2BIG,
				       "linux.seccomp.architectures[%zu]: %s cannot be "
				       "in one filter with the machine's own",
				       i, names->v[i]);
		ret->token[ret->n++] = token;
	}
	return 0;
}

/* --- rules */

static int compare_of(const struct oci_syscall_arg *arg, struct scmp_arg_cmp *ret,
		      struct kata_err *err)
{
	static const struct {
		const char *name;
		enum scmp_compare op;
	} ops[] = {
		{ "SCMP_CMP_NE", SCMP_CMP_NE },
		{ "SCMP_CMP_LT", SCMP_CMP_LT },
		{ "SCMP_CMP_LE", SCMP_CMP_LE },
		{ "SCMP_CMP_EQ", SCMP_CMP_EQ },
		{ "SCMP_CMP_GE", SCMP_CMP_GE },
		{ "SCMP_CMP_GT", SCMP_CMP_GT },
		{ "SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ },
	};

	for (size_t i = 0; i < ARRAY_SIZE(ops); i++) {
		if (!str_eq(ops[i].name, oci_seccomp_ops[arg->op]))
			continue;
		*ret = (struct scmp_arg_cmp){ arg->index, ops[i].op, arg->value,
					      arg->valueTwo };
		return 0;
	}
	return err_set(err, -EINVAL, "operator %s is unknown", oci_seccomp_ops[arg->op]);
}

struct rule {
	uint32_t action;
	struct scmp_arg_cmp compare[SYSCALL_ARGS];
	unsigned n;
};

static int add_rule(scmp_filter_ctx ctx, const struct rule *r, const char *name,
		    struct kata_err *err)
{
	int nr = seccomp_syscall_resolve_name(name), rc;

	if (nr == __NR_SCMP_ERROR)
		return 0;
	rc = seccomp_rule_add_array(ctx, r->action, nr, r->n, r->compare);
	return rc < 0 ? err_sys_code(err, rc, "%s", name) : 0;
}

static bool repeats_argument(const struct oci_syscall *sc)
{
	const struct oci_syscall_arg *args = sc->args.v;
	unsigned seen = 0;

	for (size_t i = 0; i < sc->args.n; i++) {
		if (seen & 1u << args[i].index)
			return true;
		seen |= 1u << args[i].index;
	}
	return false;
}

static int add_name(scmp_filter_ctx ctx, const struct oci_syscall *sc, uint32_t action,
		    const char *name, struct kata_err *err)
{
	const struct oci_syscall_arg *args = sc->args.v;
	struct rule rule = { .action = action };
	bool apart = repeats_argument(sc);
	int r = 0;

	for (size_t i = 0; i < sc->args.n && r == 0; i++) {
		r = compare_of(&args[i], &rule.compare[apart ? 0 : i], err);
		rule.n = apart ? 1 : (unsigned)i + 1;
		if (r == 0 && apart)
			r = add_rule(ctx, &rule, name, err);
	}
	return r < 0 || apart ? r : add_rule(ctx, &rule, name, err);
}

static int add_rules(scmp_filter_ctx ctx, const struct oci_seccomp *sec,
		     uint32_t default_action, struct kata_err *err)
{
	const struct oci_syscall *sc = sec->syscalls.v;

	for (size_t i = 0; i < sec->syscalls.n; i++) {
		uint32_t action;
		int r = action_of(sc[i].action, sc[i].errnoRet, &action, err);

		if (r == 0 && action == default_action)
			continue;
		for (size_t k = 0; k < sc[i].names.n && r == 0; k++)
			r = add_name(ctx, &sc[i], action, sc[i].names.v[k], err);
		if (r < 0)
			return err_ctx(err, "linux.seccomp.syscalls[%zu]", i);
	}
	return 0;
}

static size_t count_names(const struct oci_seccomp *sec)
{
	const struct oci_syscall *sc = sec->syscalls.v;
	size_t n = 0;

	for (size_t i = 0; i < sec->syscalls.n; i++)
		n += sc[i].names.n;
	return n;
}

/* --- what is newer than the profile */

static uint32_t last_syscall(const struct oci_seccomp *sec, uint32_t token)
{
	const struct oci_syscall *sc = sec->syscalls.v;
	int last = 0;

	for (size_t i = 0; i < sec->syscalls.n; i++) {
		for (size_t k = 0; k < sc[i].names.n; k++) {
			int nr = seccomp_syscall_resolve_name_arch(token,
								   sc[i].names.v[k]);

			last = nr > last ? nr : last;
		}
	}
	return last ? (uint32_t)last : FILTER_NO_LAST;
}

/* x32 is x86-64 to the kernel, with a bit in the number. */
static uint32_t audit_arch(uint32_t token)
{
	return token == SCMP_ARCH_X32 ? SCMP_ARCH_X86_64 : token;
}

static size_t stub_archs(const struct oci_seccomp *sec, const struct arch_set *archs,
			 struct filter_stub_arch *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < archs->n; i++) {
		uint32_t token = archs->token[i];
		uint32_t last = last_syscall(sec, token), audit = audit_arch(token);
		struct filter_stub_arch *a = ret;

		while (a < ret + n && a->audit != audit)
			a++;
		if (a == ret + n) {
			ret[n++] = (struct filter_stub_arch){ audit, FILTER_NO_LAST,
							      FILTER_NO_LAST };
		}
		if (token != SCMP_ARCH_X32)
			a->last = last;
		/* elsewhere the bit has no meaning, and such a number is beyond all others */
		if (audit != SCMP_ARCH_X86_64 || token == SCMP_ARCH_X32)
			a->last_x32 = last;
	}
	return n;
}

/* Where the default lets calls pass, or says ENOSYS itself, the kernel's own answer comes out. */
static bool needs_stub(uint32_t default_action)
{
	return default_action != SCMP_ACT_ALLOW && default_action != SCMP_ACT_LOG &&
	       default_action != SCMP_ACT_ERRNO(ENOSYS) &&
	       (default_action & SECCOMP_RET_ACTION_FULL) != SECCOMP_RET_TRACE;
}

/* --- all of it */

static int add_exported(scmp_filter_ctx ctx, struct buf *out, struct kata_err *err)
{
	const size_t most = BPF_MAXINSNS * sizeof(struct sock_filter);
	AUTO_CLOSE int fd = memfd_create("filter", MFD_CLOEXEC);
	AUTO_FREE char *program = NULL;
	size_t len;
	int r;

	if (fd < 0)
		return err_sys(err, "make a file in memory");
	r = seccomp_export_bpf(ctx, fd);
	if (r < 0)
		return err_sys_code(err, r, "linux.seccomp: compile the filter");
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(err, "rewind a file in memory");
	r = fs_read_fd(fd, most, &program, &len);
	if (r < 0 && r != -E2BIG)
		return err_sys_code(err, r, "read the compiled filter");
	if (r < 0 || buf_len(out) + len > most)
		return err_set(err, -E2BIG,
			       "linux.seccomp: the filter has more than the %d "
			       "instructions that a kernel takes",
			       BPF_MAXINSNS);
	buf_add(out, program, len);
	return 0;
}

int filter_compile(const struct oci_seccomp *sec, struct buf *out, struct kata_err *err)
{
	__attribute__((cleanup(ctx_release))) scmp_filter_ctx ctx = NULL;
	struct filter_stub_arch stub[ARCHS_MAX];
	struct arch_set archs;
	uint32_t action;
	int r = action_of(sec->defaultAction, sec->defaultErrnoRet, &action, err);

	if (r < 0)
		return err_ctx(err, "linux.seccomp.defaultAction");
	if (seccomp_api_set(API_LEVEL) < 0)
		return err_set(err, -ENOSYS, "libseccomp has no API level %d", API_LEVEL);
	ctx = seccomp_init(action);
	if (!ctx)
		return err_set(err, -EINVAL, "libseccomp cannot start a filter");
	r = add_archs(ctx, &sec->architectures, &archs, err);
	if (r == 0 && count_names(sec) >= TREE_FROM &&
	    seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2) < 0)
		r = err_set(err, -EINVAL, "libseccomp makes no trees");
	if (r == 0)
		r = add_rules(ctx, sec, action, err);
	if (r < 0)
		return r;
	if (needs_stub(action))
		filter_stub(stub, stub_archs(sec, &archs, stub), out);
	return add_exported(ctx, out, err);
}

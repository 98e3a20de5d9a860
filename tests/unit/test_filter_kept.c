/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux.seccomp of engines, compiled: all system calls; kept and found again. One is loaded, so that a
 * kernel has a say too.
 */
#include <errno.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "filter_bed.h"

/* --- engines' profiles, call by call ------------------------------------------------------- */

static const struct oci_seccomp *profile_of(struct arena *a, const char *file)
{
	const struct oci_spec *spec;
	struct kata_err err = { 0 };
	char path[512];
	size_t len;
	const char *text;

	snprintf(path, sizeof(path), TEST_DATA "/oci/valid/%s", file);
	text = oci_file(a, path, &len);
	ck_assert_msg(oci_spec_load(text, len, a, &spec, &err) == 0, "%s", err.msg);
	ck_assert_ptr_nonnull(spec->linux_->seccomp);
	return spec->linux_->seccomp;
}

static bool holds(const struct oci_syscall *rule, const uint64_t *args)
{
	const struct oci_syscall_arg *v = rule->args.v;

	for (size_t i = 0; i < rule->args.n; i++) {
		const char *op = oci_seccomp_ops[v[i].op];
		uint64_t arg = args[v[i].index];

		if (str_eq(op, "SCMP_CMP_EQ") && arg != v[i].value)
			return false;
		if (str_eq(op, "SCMP_CMP_NE") && arg == v[i].value)
			return false;
		if (str_eq(op, "SCMP_CMP_MASKED_EQ") &&
		    (arg & v[i].value) != v[i].valueTwo)
			return false;
	}
	return true;
}

static bool names(const struct oci_syscall *rule, const char *name)
{
	for (size_t i = 0; i < rule->names.n; i++) {
		if (str_eq(rule->names.v[i], name))
			return true;
	}
	return false;
}

/* What the profile says, read as a person reads it. */
static uint32_t meant(const struct oci_seccomp *sec, const char *name,
		      const uint64_t *args)
{
	const struct oci_syscall *v = sec->syscalls.v;

	for (size_t i = 0; name && i < sec->syscalls.n; i++) {
		if (!names(&v[i], name) || !holds(&v[i], args))
			continue;
		if (v[i].action == OCI_ACT_ALLOW)
			return ALLOW;
		ck_assert_int_eq(v[i].action, OCI_ACT_ERRNO);
		return ERRNO(v[i].errnoRet ? *v[i].errnoRet : EPERM);
	}
	return ERRNO(sec->defaultErrnoRet ? *sec->defaultErrnoRet : EPERM);
}

static uint32_t last_named(const struct oci_seccomp *sec, uint32_t arch)
{
	const struct oci_syscall *v = sec->syscalls.v;
	int last = 0;

	for (size_t i = 0; i < sec->syscalls.n; i++) {
		for (size_t k = 0; k < v[i].names.n; k++) {
			int nr = seccomp_syscall_resolve_name_arch(arch, v[i].names.v[k]);

			last = nr > last ? nr : last;
		}
	}
	return (uint32_t)last;
}

/* All system calls of an architecture, with arguments that the profiles look at. */
static void compare(const struct oci_seccomp *sec, const struct buf *program,
		    uint32_t arch, uint32_t audit, uint32_t bit)
{
	static const uint64_t args[][6] = {
		{ 0 },		{ 8 },	      { 0x20008 }, { 0xffffffff },
		{ 16, 0, 9 },	{ 16, 0, 8 }, { 2, 0, 9 }, { 0x7e020000, 0x7e020000 },
		{ 0x11, 0x11 },
	};
	uint32_t last = last_named(sec, arch);

	for (uint32_t nr = bit; nr < bit + 700; nr++) {
		char *name = seccomp_syscall_resolve_num_arch(arch, (int)nr);

		for (size_t i = 0; i < ARRAY_SIZE(args); i++) {
			struct seccomp_data d = { .arch = audit, .nr = (int)nr };
			uint32_t want = nr > last ? ERRNO(ENOSYS)
						  : meant(sec, name, args[i]);
			uint32_t got;

			memcpy(d.args, args[i], sizeof(d.args));
			got = answer(program, &d);
			ck_assert_msg(got == want, "%s (%u) %zu of 0x%x: 0x%x, not 0x%x",
				      name ? name : "?", nr, i, arch, got, want);
		}
		free(name);
	}
}

static const char *const engines[] = { "docker-20.10-run.json", "podman-4.3-run.json" };

START_TEST(profiles_of_engines)
{
	for (size_t i = 0; i < ARRAY_SIZE(engines); i++) {
		AUTO(arena) *a = arena_new();
		const struct oci_seccomp *sec = profile_of(a, engines[i]);
		struct buf b;

		compile(sec, &b);
		compare(sec, &b, seccomp_arch_native(), NATIVE, 0);
#if defined(__x86_64__)
		compare(sec, &b, SCMP_ARCH_X32, NATIVE, FILTER_X32);
#endif
		buf_done(&b);
	}
}
END_TEST

/* --- programs that are kept ----------------------------------------------------------------- */

static void make(const struct tmp *t, const struct oci_seccomp *sec, struct filter *ret)
{
	struct kata_err err = { 0 };

	ck_assert_msg(filter_make(t ? t->fd : -1, sec, ret, &err) == 0, "%s", err.msg);
}

static bool same(const struct filter *a, const struct filter *b)
{
	return a->flags == b->flags && buf_len(&a->program) == buf_len(&b->program) &&
	       memcmp(buf_ptr(&a->program), buf_ptr(&b->program), buf_len(&b->program)) ==
		       0;
}

/* The only file. */
static char *kept(const struct tmp *t, char name[64], size_t *ret_len)
{
	struct dirent **files;
	char *text;
	int n = scandir(t->path, &files, NULL, alphasort);

	ck_assert_int_eq(n, 3);
	snprintf(name, 64, "%.60s", files[2]->d_name);
	ck_assert(str_has_prefix(name, "@seccomp-"));
	while (n > 0)
		free(files[--n]);
	free(files);
	ck_assert_int_eq(fs_read_at(t->fd, name, 1 << 20, &text, ret_len), 0);
	return text;
}

START_TEST(kept_and_found)
{
	AUTO(arena) *a = arena_new();
	const struct oci_seccomp *sec = profile_of(a, engines[0]);
	TMP t = tmp_make();
	struct filter first, without, second;
	AUTO_FREE char *file = NULL;
	char name[64];
	size_t len;

	make(&t, sec, &first);
	make(NULL, sec, &without);
	ck_assert(same(&first, &without));
	file = kept(&t, name, &len);
	/* what it finds is what it takes: the last instruction is another now */
	file[len - 1] ^= 1;
	ck_assert_int_eq(fs_write_atomic(t.fd, name, file, len, 0600), 0);
	make(&t, sec, &second);
	ck_assert_uint_eq(buf_len(&second.program), buf_len(&first.program));
	ck_assert(!same(&first, &second));
	buf_done(&first.program);
	buf_done(&without.program);
	buf_done(&second.program);
}
END_TEST

START_TEST(damaged_is_none)
{
	static const size_t cuts[] = { 0, 4, 8, 100, 1 };
	AUTO(arena) *a = arena_new();
	const struct oci_seccomp *sec = profile_of(a, engines[0]);
	TMP t = tmp_make();
	struct filter first, again;
	AUTO_FREE char *file = NULL;
	char name[64];
	size_t len;

	make(&t, sec, &first);
	file = kept(&t, name, &len);
	for (size_t i = 0; i < ARRAY_SIZE(cuts) + 2; i++) {
		AUTO_FREE char *bad = mem_alloc(len), *now = NULL;
		size_t size = len;

		memcpy(bad, file, len);
		if (i < ARRAY_SIZE(cuts))
			size = i == 0 ? 0 : len - cuts[i];
		else if (i == ARRAY_SIZE(cuts))
			bad[0] = 'f'; /* longer than it can be */
		else
			bad[200] ^= 1; /* another profile */
		ck_assert_int_eq(fs_write_atomic(t.fd, name, bad, size, 0600), 0);
		make(&t, sec, &again);
		ck_assert_msg(same(&first, &again), "%zu", i);
		buf_done(&again.program);
		now = kept(&t, name, &size);
		ck_assert(size == len && memcmp(now, file, len) == 0);
	}
	buf_done(&first.program);
}
END_TEST

/* More profiles than places; each gets its own program. */
START_TEST(places_are_few)
{
	TMP t = tmp_make();
	struct dirent **files;
	int n;

	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < 60; i++) {
			AUTO(arena) *a = arena_new();
			const struct seccomp_data d = { .arch = NATIVE,
							.nr = number("mkdirat") };
			struct filter f;

			make(&t,
			     profile(a, arena_printf(a,
						     PASS RULE("'mkdirat'", "ERRNO",
							       ",'errnoRet':%u") "]",
						     i)),
			     &f);
			ck_assert_uint_eq(answer(&f.program, &d), ERRNO(i));
			buf_done(&f.program);
		}
	}
	n = scandir(t.path, &files, NULL, alphasort);
	ck_assert_int_gt(n, 2 + 4);
	ck_assert_int_le(n, 2 + 16);
	while (n > 0)
		free(files[--n]);
	free(files);
}
END_TEST

/* --- the kernel ---------------------------------------------------------------------------- */

/* Each test is a process of its own (check), so the filter may stay. */
START_TEST(loads)
{
	AUTO(arena) *a = arena_new();
	struct sock_fprog program;
	struct filter f;

	make(NULL,
	     profile(a,
		     "'architectures':['SCMP_ARCH_X86_64','SCMP_ARCH_X86','SCMP_ARCH_X32',"
		     "'SCMP_ARCH_AARCH64','SCMP_ARCH_ARM']," PASS RULE(
			     "'getpriority'", "ERRNO",
			     ",'errnoRet':100" ARGS(ARG(0, "EQ", "4294967301"))) "]"),
	     &f);
	program.len = (unsigned short)(buf_len(&f.program) / sizeof(struct sock_filter));
	program.filter = mem_alloc(buf_len(&f.program));
	memcpy(program.filter, buf_ptr(&f.program), buf_len(&f.program));
	ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	if (under_valgrind())
		goto out; /* it does not know seccomp(2) */
	ck_assert_int_eq(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, f.flags, &program),
			 0);
	ck_assert_int_ge(syscall(SYS_getpriority, 0l, 0l), 0);
	ck_assert_int_eq(syscall(SYS_getpriority, 4294967301l, 0l), -1);
	ck_assert_int_eq(errno, 100);
out:
	free(program.filter);
	buf_done(&f.program);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		profiles_of_engines, kept_and_found, damaged_is_none,
		places_are_few,	     loads,
	};

	return suite_run("filter_kept", tests, ARRAY_SIZE(tests));
}

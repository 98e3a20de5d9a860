// SPDX-License-Identifier: Apache-2.0
/* Device rules: what they come to, v1's lines, and v2's program, run by an interpreter and by the kernel. */
#include <errno.h>
#include <linux/bpf.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include "cgroup/impl.h"
#include "cgroup/plan.h"
#include "base/str.h"
#include "suite.h"

static struct kata_err err;
static const struct cgroup_extra none, vm = { .devices = true };

static const char everything[] = "{\"devices\":[{\"allow\":true,\"access\":\"rwm\"}]}";

static int make(const char *json, const struct cgroup_extra *extra,
		struct device_rules *ret)
{
	const struct oci_resources *res;

	ck_assert_msg(oci_resources_load(json, strlen(json), test_arena(), &res, &err) ==
			      0,
		      "%s", err.msg);
	return cg_devices_make(&res->devices, extra, test_arena(), ret, &err);
}

static struct device_rules rules(const char *json)
{
	struct device_rules d;

	ck_assert_msg(make(json, &none, &d) == 0, "%s", err.msg);
	return d;
}

/* ---- the machine of linux/bpf.h, as far as the program uses it ---- */

struct ctx {
	uint32_t type, major, minor;
};

static uint64_t alu(unsigned op, uint64_t a, uint64_t b)
{
	switch (op) {
	case BPF_MOV:
		return b;
	case BPF_AND:
		return a & b;
	case BPF_RSH:
		return a >> b;
	default:
		ck_abort_msg("operation %x", op);
	}
}

static bool jumps(unsigned op, uint32_t a, uint32_t b)
{
	ck_assert(op == BPF_JNE || op == BPF_JEQ);
	return op == BPF_JNE ? a != b : a == b;
}

static uint64_t run(const struct bpf_insn *p, size_t n, const struct ctx *c)
{
	uint64_t r[11] = { 0 };
	uint32_t word;

	for (size_t pc = 0;; pc++) {
		const struct bpf_insn *i = &p[pc];
		uint64_t b;

		ck_assert_uint_lt(pc, n);
		b = BPF_SRC(i->code) == BPF_X ? r[i->src_reg] : (uint64_t)(int64_t)i->imm;
		switch (BPF_CLASS(i->code)) {
		case BPF_LDX:
			ck_assert_uint_eq(i->src_reg, 1);
			ck_assert_int_le(i->off, 8);
			memcpy(&word, (const char *)c + i->off, 4);
			r[i->dst_reg] = word;
			break;
		case BPF_ALU64:
			r[i->dst_reg] = alu(BPF_OP(i->code), r[i->dst_reg], b);
			break;
		case BPF_JMP32:
			if (jumps(BPF_OP(i->code), (uint32_t)r[i->dst_reg], (uint32_t)b))
				pc += (size_t)i->off;
			break;
		case BPF_JMP:
			ck_assert_uint_eq(BPF_OP(i->code), BPF_EXIT);
			return r[0];
		default:
			ck_abort_msg("class of %x", i->code);
		}
	}
}

static bool allowed(const struct device_rules *d, char type, uint32_t major,
		    uint32_t minor, unsigned access)
{
	struct bpf_insn *p;
	size_t n = device_rules_program(d, test_arena(), &p);
	struct ctx c = { access << 16 |
				 (type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR),
			 major, minor };

	return run(p, n, &c) != 0;
}

static const char *lines(const struct device_rules *from, const struct device_rules *to)
{
	struct cg_plan p = { .a = test_arena() };
	const char *s = "";

	cg_plan_devices(from, to, &p);
	for (size_t i = 0; i < p.n; i++)
		s = arena_printf(p.a, "%s%s %s\n", s,
				 str_has_suffix(p.v[i].file, "allow") ? "+" : "-",
				 p.v[i].value);
	return s;
}

START_TEST(deny_all_leaves_the_defaults)
{
	struct device_rules d =
		rules("{\"devices\":[{\"allow\":false,\"access\":\"rwm\"}]}");

	ck_assert(!d.allow);
	ck_assert(allowed(&d, 'c', 1, 3, DEVICE_R | DEVICE_W));
	ck_assert(allowed(&d, 'c', 136, 77, DEVICE_R));
	ck_assert(!allowed(&d, 'c', 10, 232, DEVICE_R));
	ck_assert(!allowed(&d, 'b', 8, 0, DEVICE_R));
	/* a node may be made of any */
	ck_assert(allowed(&d, 'b', 8, 0, DEVICE_M));
	ck_assert(!allowed(&d, 'b', 8, 0, DEVICE_M | DEVICE_R));
}
END_TEST

START_TEST(vm_has_its_own)
{
	struct device_rules d;

	ck_assert_int_eq(
		make("{\"devices\":[{\"allow\":false,\"access\":\"rwm\"}]}", &vm, &d), 0);
	ck_assert(allowed(&d, 'c', 10, 232, DEVICE_R | DEVICE_W));
	ck_assert(allowed(&d, 'c', 10, 200, DEVICE_R | DEVICE_W));
	ck_assert(allowed(&d, 'c', 10, 238, DEVICE_R | DEVICE_W));
	ck_assert(allowed(&d, 'c', 10, 241, DEVICE_R | DEVICE_W));
	ck_assert(!allowed(&d, 'c', 10, 1, DEVICE_R));
}
END_TEST

START_TEST(rules_count_in_their_order)
{
	struct device_rules d = rules(
		"{\"devices\":[{\"allow\":true,\"type\":\"b\",\"major\":8,\"minor\":0,\"access\":\"rw\"},"
		"{\"allow\":false,\"access\":\"rwm\"},"
		"{\"allow\":true,\"type\":\"b\",\"major\":9,\"access\":\"r\"},"
		"{\"allow\":true,\"type\":\"b\",\"major\":7,\"minor\":1,\"access\":\"rw\"},"
		"{\"allow\":false,\"type\":\"b\",\"major\":7,\"minor\":1,\"access\":\"w\"}]}");

	ck_assert(!allowed(&d, 'b', 8, 0, DEVICE_R));
	ck_assert(allowed(&d, 'b', 9, 1234567, DEVICE_R));
	ck_assert(!allowed(&d, 'b', 9, 5, DEVICE_R | DEVICE_W));
	ck_assert(!allowed(&d, 'c', 9, 5, DEVICE_R));
	ck_assert(allowed(&d, 'b', 7, 1, DEVICE_R));
	ck_assert(!allowed(&d, 'b', 7, 1, DEVICE_W));
}
END_TEST

START_TEST(all_but_some)
{
	struct device_rules d = rules(
		"{\"devices\":[{\"allow\":true,\"access\":\"rwm\"},"
		"{\"allow\":false,\"type\":\"b\",\"major\":8,\"minor\":0,\"access\":\"w\"},"
		"{\"allow\":false,\"type\":\"c\",\"major\":4294967295,\"minor\":2147483648,"
		"\"access\":\"rwm\"}]}");

	ck_assert(d.allow);
	ck_assert(allowed(&d, 'b', 8, 0, DEVICE_R));
	ck_assert(!allowed(&d, 'b', 8, 0, DEVICE_W));
	/* a part of what is asked for is forbidden */
	ck_assert(!allowed(&d, 'b', 8, 0, DEVICE_R | DEVICE_W));
	ck_assert(allowed(&d, 'b', 8, 1, DEVICE_W));
	ck_assert(!allowed(&d, 'c', 4294967295u, 2147483648u, DEVICE_R));
	ck_assert(allowed(&d, 'c', 4294967295u, 2147483647u, DEVICE_R));
}
END_TEST

START_TEST(bad_rules_are_refused)
{
	static const struct {
		const char *json, *says;
	} rows[] = {
		{ "{\"devices\":[{\"allow\":true,\"access\":\"rwm\"},"
		  "{\"allow\":false,\"type\":\"c\",\"major\":1,\"access\":\"r\"},"
		  "{\"allow\":true,\"type\":\"c\",\"major\":1,\"minor\":9,\"access\":\"rw\"}]}",
		  "devices[2]: \"c 1:9 rw\" cannot be taken out of the wider rule \"c 1:* r\"" },
	};
	struct device_rules d;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		ck_assert_int_eq(make(rows[i].json, &none, &d), -EINVAL);
		ck_assert_msg(strstr(err.msg, rows[i].says) != NULL, "%s", err.msg);
	}
}
END_TEST

START_TEST(first_lines_of_a_group)
{
	struct device_rules from,
		to = rules(
			"{\"devices\":[{\"allow\":false,\"access\":\"rwm\"},"
			"{\"allow\":true,\"type\":\"b\",\"major\":8,\"minor\":3,\"access\":\"r\"}]}");
	const char *s;

	cg_devices_list("a *:* rwm\n", test_arena(), &from);
	ck_assert(from.allow);
	s = lines(&from, &to);
	ck_assert_msg(str_has_prefix(s, "- a\n+ b 8:3 r\n"), "%s", s);
	ck_assert_ptr_nonnull(strstr(s, "+ c *:* m\n"));
	ck_assert_ptr_nonnull(strstr(s, "+ c 136:* rwm\n"));
	to = rules(everything);
	ck_assert_str_eq(lines(&from, &to), "+ a\n");
}
END_TEST

START_TEST(running_group_changes_by_the_difference)
{
	static const char deny[] = "{\"allow\":false,\"access\":\"rwm\"}";
	struct device_rules first, now, to;

	first = rules(arena_printf(
		test_arena(),
		"{\"devices\":[%s,{\"allow\":true,\"type\":\"b\",\"major\":8,\"access\":\"rw\"}]}",
		deny));
	to = rules(arena_printf(
		test_arena(),
		"{\"devices\":[%s,{\"allow\":true,\"type\":\"b\",\"major\":8,\"access\":\"r\"},"
		"{\"allow\":true,\"type\":\"c\",\"major\":5,\"minor\":9,\"access\":\"w\"}]}",
		deny));
	ck_assert_str_eq(lines(&first, &to), "+ c 5:9 w\n- b 8:* w\n");
	cg_devices_list("b 8:* rw\nc 1:3 rwm\n", test_arena(), &now);
	ck_assert(!now.allow);
	ck_assert_uint_eq(now.n, 2);
	ck_assert_int_eq(now.v[0].major, 8);
	ck_assert_int_eq(now.v[0].minor, -1);
	ck_assert_uint_eq(now.v[0].access, DEVICE_R | DEVICE_W);
	ck_assert_ptr_null(strstr(lines(&now, &to), "- a"));
}
END_TEST

/* ---- the kernel's opinion, where a v2 hierarchy is ---- */

static int v2_group(const struct cg_host *h, char *path, size_t size)
{
	for (size_t i = 0; i < h->n; i++) {
		if (*h->v[i].names)
			continue;
		snprintf(path, size, "%s/kata-test-%ld", h->v[i].mount, (long)getpid());
		if (mkdir(path, 0755) < 0)
			return -1;
		return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	return -1;
}

/** errno of opening @device from within @group. */
static int open_inside(const char *group, const char *device)
{
	AUTO_FREE char *procs = mem_printf("%s/cgroup.procs", group);
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		int fd;

		if (fs_write_str(AT_FDCWD, procs, "0") < 0)
			_exit(255);
		fd = open(device, O_RDONLY | O_CLOEXEC);
		_exit(fd < 0 ? errno : 0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) != 255);
	return WEXITSTATUS(status);
}

START_TEST(kernel_takes_the_program)
{
	struct device_rules d =
		rules("{\"devices\":[{\"allow\":false,\"access\":\"rwm\"}]}");
	struct cg_host host;
	struct bpf_insn *p;
	char path[256];
	size_t n;
	int fd, r;

	if (geteuid() != 0 || cg_host_read(0, test_arena(), &host, &err) < 0)
		return;
	fd = v2_group(&host, path, sizeof(path));
	if (fd < 0)
		return;
	n = device_rules_program(&d, test_arena(), &p);
	r = device_filter_attach(fd, p, n);
	if (r == -ENOSYS || r == -EPERM || r == -EINVAL)
		printf("# no BPF device filters here: %s\n", err_text(-r));
	ck_assert(r == 0 || r == -ENOSYS || r == -EPERM);
	if (r == 0) {
		ck_assert_int_eq(open_inside(path, "/dev/null"), 0);
		ck_assert_int_eq(open_inside(path, "/dev/net/tun"),
				 access("/dev/net/tun", F_OK) ? ENOENT : EPERM);
		/* another instead of it, not beside it */
		d = rules(everything);
		n = device_rules_program(&d, test_arena(), &p);
		ck_assert_int_eq(device_filter_attach(fd, p, n), 0);
		ck_assert_int_ne(open_inside(path, "/dev/net/tun"), EPERM);
	}
	close(fd);
	ck_assert_int_eq(rmdir(path), 0);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		deny_all_leaves_the_defaults,
		vm_has_its_own,
		rules_count_in_their_order,
		all_but_some,
		bad_rules_are_refused,
		first_lines_of_a_group,
		running_group_changes_by_the_difference,
		kernel_takes_the_program,
	};

	return suite_run("cgroup_devices", tests, ARRAY_SIZE(tests));
}

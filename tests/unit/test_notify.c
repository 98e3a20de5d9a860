// SPDX-License-Identifier: Apache-2.0
/* What of a datagram leaves the guest, who is ready, how much is too much, whose socket it is. */
#include "proto/notify.h"

#include "oci/spec.h"
#include "sandbox/guest_notify.h"
#include "suite.h"

static const struct {
	const char *in, *out;
} datagrams[] = {
	{ "READY=1", "READY=1" },
	{ "READY=1\n", "READY=1" },
	{ "STATUS=x\nREADY=1", "STATUS=x\nREADY=1" },
	{ "READY=1\nMAINPID=1\nSTATUS=na\xc3\xafve", "READY=1\nSTATUS=na\xc3\xafve" },
	{ "\n\nWATCHDOG=1\n\n", "WATCHDOG=1" },
	{ "WATCHDOG=trigger\nRELOADING=1\nSTOPPING=1\nERRNO=2\nBUSERROR=x\nMONOTONIC_USEC=5",
	  "WATCHDOG=trigger\nRELOADING=1\nSTOPPING=1\nERRNO=2\nBUSERROR=x\nMONOTONIC_USEC=5" },
	/* means something to the host, and not what the guest means */
	{ "MAINPID=1\nFDSTORE=1\nBARRIER=1\nMAINPIDFDID=3\nWATCHDOG_USEC=1", "" },
	{ "WATCHDOG=10\nRELOADING=\nSTOPPING=11", "" },
	{ "READY\nREADY =1\n READY=1\nready=1", "" },
	{ "STATUS=\x1b[2J\nSTATUS=tab\there\nSTATUS=\x7f\nSTATUS=cut\xc3", "" },
	{ "READY=1\r", "" },
	{ "", "" },
};

START_TEST(lines_are_taken_by_themselves)
{
	char out[100];

	for (size_t i = 0; i < ARRAY_SIZE(datagrams); i++) {
		const char *in = datagrams[i].in;

		ck_assert_uint_eq(notify_filter(in, strlen(in), out, sizeof(out)),
				  strlen(datagrams[i].out));
		ck_assert_str_eq(out, datagrams[i].out);
		/* the host's look at what the agent has sent */
		in = datagrams[i].out;
		ck_assert_uint_eq(notify_filter(in, strlen(in), out, sizeof(out)),
				  strlen(in));
	}
}
END_TEST

START_TEST(a_nul_ends_nothing)
{
	static const char in[] = "READY=1\0\nSTATUS=y";
	char out[100];

	ck_assert_uint_eq(notify_filter(in, sizeof(in) - 1, out, sizeof(out)), 8);
	ck_assert_str_eq(out, "STATUS=y");
}
END_TEST

START_TEST(as_many_as_fit_and_whole)
{
	static const char in[] = "STATUS=123456789\nREADY=1\nERRNO=2";
	char out[17];

	ck_assert_uint_eq(notify_filter(in, strlen(in), out, 17), 16);
	ck_assert_str_eq(out, "STATUS=123456789");
	ck_assert_uint_eq(notify_filter(in, strlen(in), out, 16), 15);
	ck_assert_str_eq(out, "READY=1\nERRNO=2");
	ck_assert_uint_eq(notify_filter(in, strlen(in), out, 1), 0);
}
END_TEST

START_TEST(readiness_is_in_any_line)
{
	const char *text = "STATUS=READY=1\nREADY=1\nREADY=2";
	size_t n = 0;

	ck_assert_ptr_eq(notify_ready(text, &n), text + 15);
	ck_assert_uint_eq(n, 7);
	ck_assert_ptr_eq(notify_ready(text + 15, &n), text + 15);
	ck_assert_ptr_null(notify_ready("STATUS=READY=1\n", &n));
	ck_assert_ptr_null(notify_ready("", &n));
}
END_TEST

START_TEST(a_second_has_so_many)
{
	struct notify_rate r = { 0 };

	for (unsigned i = 0; i < NOTIFY_PER_SECOND; i++)
		ck_assert(notify_rate_take(&r, 5000000 + i));
	ck_assert(!notify_rate_take(&r, 5999999));
	ck_assert(notify_rate_take(&r, 6000000));
	/* what an agent that rests can send in one, and what it drains at an end */
	ck_assert_uint_gt(NOTIFY_PER_SECOND, (1000 / NOTIFY_REST_MS + 1) * NOTIFY_ROUNDS +
						     4 * NOTIFY_ROUNDS);
}
END_TEST

#define MOUNT(dest, type, options)                                                       \
	"{'destination':'" dest "','type':'" type "','source':'/x','options':" options "}"
#define TOLD "'NOTIFY_SOCKET=/run/notify/notify.sock'"

static const struct {
	const char *env, *mounts;
	int want;
} specs[] = {
	{ TOLD, MOUNT("/run/notify", "bind", "['ro']"), 0 },
	{ TOLD,
	  MOUNT("/run", "tmpfs", "[]") "," MOUNT("/run//notify/", "none", "['rbind']"),
	  1 },
	{ TOLD, MOUNT("/run/notify", "bind", "[]") "," MOUNT("/run/notify", "bind", "[]"),
	  1 },
	{ TOLD,
	  MOUNT("/run/notify", "bind", "[]") "," MOUNT("/run/notify", "tmpfs", "[]"),
	  -1 },
	{ TOLD, MOUNT("/run", "bind", "[]"), -1 },
	{ TOLD, "", -1 },
	{ "'A=b'", MOUNT("/run/notify", "bind", "[]"), -1 },
	{ "'NOTIFY_SOCKET=/run/systemd/notify'", MOUNT("/run/notify", "bind", "[]"), -1 },
	{ TOLD ",'NOTIFY_SOCKET=@other'", MOUNT("/run/notify", "bind", "[]"), -1 },
	{ "'NOTIFY_SOCKET='," TOLD, MOUNT("/run/notify", "bind", "[]"), 0 },
};

static int mount_of(const char *env, const char *mounts)
{
	AUTO_FREE char *text = mem_printf(
		"{'ociVersion':'1.3.0','root':{'path':'r'},'process':{'cwd':'/',"
		"'args':['a'],'env':[%s]},'mounts':[%s],'linux':{}}",
		env, mounts);
	AUTO(arena) *a = arena_new();
	const struct oci_spec *spec;
	struct kata_err err = { 0 };

	for (char *p = text; *p; p++)
		*p = *p == '\'' ? '"' : *p;
	ck_assert_msg(oci_spec_load(text, strlen(text), a, &spec, &err) == 0, "%s",
		      err.msg);
	return guest_notify_mount(spec);
}

START_TEST(its_socket_is_where_runc_and_podman_have_it)
{
	for (size_t i = 0; i < ARRAY_SIZE(specs); i++)
		ck_assert_int_eq(mount_of(specs[i].env, specs[i].mounts), specs[i].want);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		lines_are_taken_by_themselves,
		a_nul_ends_nothing,
		as_many_as_fit_and_whole,
		readiness_is_in_any_line,
		a_second_has_so_many,
		its_socket_is_where_runc_and_podman_have_it,
	};

	return suite_run("notify", tests, ARRAY_SIZE(tests));
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clh: command line and bodies as kept in tests/data/clh, each body also against the API's own
 * definition.
 */
#include "vmm/clh.h"

#include <errno.h>
#include <stdio.h>

#include "base/json.h"
#include "clh_bed.h"
#include "golden.h"
#include "schema.h"

static void check_body(const char *name, const char *schema, struct buf *body)
{
	AUTO(schema_dir) *dir = schema_dir_open(TEST_DATA "/clh");
	AUTO_FREE char *file = mem_printf("clh/%s.json", name);
	AUTO_FREE char *ref = mem_printf("openapi.json#/components/schemas/%s", schema);
	AUTO_FREE char *line = mem_printf("%s\n", buf_cstr(body));
	struct kata_err err = { 0 };
	const struct json *j;

	ck_assert_int_eq(json_parse(line, strlen(line), &json_limits_default,
				    test_arena(), &j, &err),
			 0);
	ck_assert_msg(schema_check(dir, ref, j, &err) == 0, "%s: %s", name, err.msg);
	golden_check(file, line);
	buf_done(body);
}

static void check_vm(const char *name, const struct vm_plan *p)
{
	struct buf body = { 0 };

	clh_vm_body(p, &body);
	check_body(name, "VmConfig", &body);
}

START_TEST(bodies)
{
	struct vm_plan p = plan_plain();
	struct buf body = { 0 };

	check_vm("plain", &p);
	p.share_tag = NULL;
	p.initrd = NULL;
	p.console = "console.log";
	p.landlock = 3;
	check_vm("console-landlock", &p);
	p.landlock = 2; /* Linux 6.1's, of which it would make no VM */
	check_vm("console", &p);
	p.landlock = 3;
	p.n_disks = 4;
	p.disks[0] = (struct vm_disk){ "/i,1", NULL, .readonly = true };
	p.disks[1] = (struct vm_disk){ "/i\"2", "qcow2", false };
	p.disks[2] = (struct vm_disk){ "/i3", "vhd", true, .serial = "kata-7-0" };
	p.disks[3] = (struct vm_disk){ "/i4", "vhdx", true };
	check_vm("disks", &p);
	p.n_cards = 1;
	p.cards[0] = (struct vm_card){ { 2, 0x4b, 0, 0xab, 5, 6 }, 2, false };
	clh_net_body(&p, 0, &body);
	check_body("card", "NetConfig", &body);
}
END_TEST

START_TEST(command_line)
{
	static const char *const extra[] = { "-v", "--log-file", NULL };
	struct vm_plan p = plan_plain();
	struct strv argv = { 0 };
	struct buf text = { 0 };

	p.extra_args = extra;
	clh_argv(&p, &argv);
	for (size_t i = 0; i < argv.n; i++)
		buf_addf(&text, "%s\n", argv.v[i]);
	golden_check("clh/argv", buf_cstr(&text));
	strv_done(&argv);
	buf_done(&text);
}
END_TEST

START_TEST(what_it_cannot_do)
{
	struct vm_plan p = plan_plain();
	struct kata_err err = { 0 };

	p.n_disks = 1;
	p.disks[0] = (struct vm_disk){ "/i", "raw", true };
	ck_assert_int_eq(clh_check(&p, &err), 0);
	p.disks[0].format = "vmdk";
	ck_assert_int_eq(clh_check(&p, &err), -ENOTSUP);
	ck_assert_ptr_nonnull(strstr(err.msg, "vm.image.format: vmdk"));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { bodies, command_line, what_it_cannot_do };

	return suite_run("clh", tests, ARRAY_SIZE(tests));
}

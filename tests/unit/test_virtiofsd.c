/* SPDX-License-Identifier: Apache-2.0 */
/* virtiofsd: whose options a binary takes, and every word of its command line. */
#include "golden.h"
#include "share/share.h"
#include "suite.h"

START_TEST(flavours)
{
	static const struct {
		const char *path;
		int flavour;
		bool is_rust;
	} cases[] = {
		{ "/usr/lib/qemu/virtiofsd", CONF_VIRTIOFSD_AUTO, false },
		{ "/usr/libexec/virtiofsd", CONF_VIRTIOFSD_AUTO, true },
		{ "/usr/lib/virtiofsd", CONF_VIRTIOFSD_AUTO, true },
		{ "/opt/qemu/virtiofsd", CONF_VIRTIOFSD_AUTO, false },
		{ "/usr/lib/qemu/virtiofsd", CONF_VIRTIOFSD_RUST, true },
		{ "/usr/libexec/virtiofsd", CONF_VIRTIOFSD_C, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct kata_conf c = { .virtiofsd = cases[i].path,
					     .virtiofsd_flavour = cases[i].flavour };

		ck_assert_int_eq(virtiofsd_is_rust(&c), cases[i].is_rust);
	}
}
END_TEST

START_TEST(command_lines)
{
	struct buf text = { 0 };

	for (int flavour = CONF_VIRTIOFSD_C; flavour <= CONF_VIRTIOFSD_RUST; flavour++)
		for (int cache = CONF_FS_CACHE_AUTO; cache <= CONF_FS_CACHE_NEVER;
		     cache++) {
			const struct kata_conf c = { .virtiofsd = "/v",
						     .virtiofsd_flavour = flavour,
						     .fs_cache = cache };
			struct strv argv = { 0 };

			virtiofsd_argv(&c, 3, "/run/kata,x/a/share", &argv);
			for (size_t i = 0; i < argv.n; i++)
				buf_addf(&text, "%s%s", i ? " " : "", argv.v[i]);
			buf_add_u8(&text, '\n');
			strv_done(&argv);
		}
	golden_check("share/virtiofsd.argv", buf_cstr(&text));
	buf_done(&text);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { flavours, command_lines };

	return suite_run("virtiofsd", tests, ARRAY_SIZE(tests));
}

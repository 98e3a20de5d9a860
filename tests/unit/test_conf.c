/* SPDX-License-Identifier: Apache-2.0 */
/* conf: what is read, what is refused and with which words, what is printed. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/mem.h"
#include "conf/conf.h"
#include "suite.h"

static int load_text(const char *text, size_t len, struct conf **ret,
		     struct kata_err *err)
{
	AUTO_CLOSE int fd = fs_memfd("kata.conf", text, len);

	ck_assert_int_ge(fd, 0);
	return conf_load_fd(fd, ret, err);
}

static struct conf *good(const char *text)
{
	struct kata_err err = { 0 };
	struct conf *c = NULL;

	ck_assert_msg(load_text(text, strlen(text), &c, &err) == 0, "%s", err.msg);
	return c;
}

static void put(const struct tmp *t, const char *name, const char *text)
{
	ck_assert_int_eq(fs_write_atomic(t->fd, name, text, strlen(text), 0644), 0);
}

START_TEST(defaults)
{
	AUTO(conf) *c = good("");
	const struct kata_conf *v = conf_get(c);

	ck_assert_str_eq(v->driver, "qemu");
	ck_assert_str_eq(v->hypervisor, "auto");
	ck_assert_uint_eq(v->allow_driver.n, 0);
	ck_assert_int_eq(v->accel, CONF_ACCEL_AUTO);
	ck_assert_uint_eq(v->memory, 512ull << 20);
	ck_assert_uint_eq(v->vcpus, 1);
	ck_assert_int_eq(v->unsupported, CONF_UNSUPPORTED_WARN);
	ck_assert_uint_eq(v->allow_kernel.n, 0);
	ck_assert(!v->console && !v->allow_hypervisor_args);
}
END_TEST

/* everything at once, with comments, odd spacing, indentation, CR LF and a byte order mark */
START_TEST(all_values)
{
	AUTO(conf) *c = good("\xef\xbb\xbf; a comment\r\n"
			     "[hypervisor]\r\n"
			     "  path=/opt/q\r\n"
			     "\taccel = tcg ; not kvm\n"
			     "machine : virt\n"
			     "vsock = vhost-user\n"
			     "extra_args = -a   b,c=d\t-e\n"
			     "# another\n"
			     "[guest]\n"
			     "memory = 1073741824\n"
			     "vcpus = 255\n"
			     "boot_timeout = 3600\n"
			     "console = on\n"
			     "kernel_params = a=b;c \"d\n"
			     "[share]\n"
			     "flavour = rust\n"
			     "cache = never\n"
			     "[runtime]\n"
			     "unsupported = refuse\n"
			     "allow_kernel = /a/* /b\n"
			     "allow_kernel_params = true");
	const struct kata_conf *v = conf_get(c);

	ck_assert_str_eq(v->hypervisor, "/opt/q");
	ck_assert_int_eq(v->accel, CONF_ACCEL_TCG);
	ck_assert_int_eq(v->machine, CONF_MACHINE_VIRT);
	ck_assert_int_eq(v->vsock, CONF_VSOCK_VHOST_USER);
	ck_assert_uint_eq(v->hypervisor_args.n, 3);
	ck_assert_str_eq(v->hypervisor_args.v[1], "b,c=d");
	ck_assert_uint_eq(v->memory, 1ull << 30);
	ck_assert_uint_eq(v->vcpus, 255);
	ck_assert_uint_eq(v->boot_timeout, 3600);
	ck_assert(v->console && v->allow_kernel_params);
	ck_assert_str_eq(v->kernel_params.v[0], "a=b;c");
	ck_assert_str_eq(v->kernel_params.v[1], "\"d");
	ck_assert_int_eq(v->virtiofsd_flavour, CONF_VIRTIOFSD_RUST);
	ck_assert_int_eq(v->fs_cache, CONF_FS_CACHE_NEVER);
	ck_assert_int_eq(v->unsupported, CONF_UNSUPPORTED_REFUSE);
	ck_assert_str_eq(v->allow_kernel.v[1], "/b");
}
END_TEST

#define AT(line) "caller's configuration:" #line ": "
static const struct {
	const char *text, *message;
} wrong[] = {
	{ "[guest]\nkernal = /x\n",
	  AT(2) "unknown key \"kernal\" in [guest]; did you mean \"kernel\"?" },
	{ "[guests]\nkernel = /x\n",
	  AT(1) "unknown section [guests]; did you mean \"guest\"?" },
	{ "[guests]\n", AT(1) "unknown section [guests]; did you mean \"guest\"?" },
	{ "[]\n", AT(1) "unknown section []" },
	{ "[guest]\nzzzzzzzzzzzzzzz = 1\n",
	  AT(2) "unknown key \"zzzzzzzzzzzzzzz\" in [guest]" },
	{ "[guest]\nvirtiofsd = /x\n",
	  AT(2) "unknown key \"virtiofsd\" in [guest]; it belongs in [share]" },
	{ "kernel = /x\n", AT(1) "a key before the first [section]" },
	{ "[guest]\nkernel\n", AT(2) "neither [section] nor key = value" },
	{ "[guest]\n[share\n", AT(2) "neither [section] nor key = value" },
	{ "[guest]\nkernel\nvcpus = 0\n", AT(2) "neither [section] nor key = value" },
	{ "[guest]\nvcpus = 0\nkernel\n", AT(2) "vcpus = 0: must be between 1 and 255" },
	{ "[guest]\n\n\nkernel = vmlinux\n",
	  AT(4) "kernel = vmlinux: must be an absolute path" },
	{ "[guest]\nkernel =\n", AT(2) "kernel has no value" },
	{ "[guest]\nkernel = ; x\n", AT(2) "kernel has no value" },
	{ "[guest]\nkernel_params =;x\n",
	  AT(2) "kernel_params: a value cannot begin with \";\"" },
	{ "[guest]\nvcpus = 1\nvcpus = 1\n",
	  AT(3) "vcpus is there twice, first in caller's configuration:2" },
	{ "[guest]\nvcpus = 256\n", AT(2) "vcpus = 256: must be between 1 and 255" },
	{ "[guest]\nvcpus = -1\n", AT(2) "vcpus = -1: must be between 1 and 255" },
	{ "[guest]\nvcpus = 1.5\n", AT(2) "vcpus = 1.5: not a whole number" },
	{ "[guest]\nvcpus = 99999999999999999999\n",
	  AT(2) "vcpus = 99999999999999999999: must be between 1 and 255" },
	{ "[guest]\nmemory = 63M\n", AT(2) "memory = 63M: must be between 64M and 1T" },
	{ "[guest]\nmemory = 2T\n", AT(2) "memory = 2T: must be between 64M and 1T" },
	{ "[guest]\nmemory = 1 G\n",
	  AT(2) "memory = 1 G: not a size (examples: 512M, 2G)" },
	{ "[guest]\nmemory = much\n",
	  AT(2) "memory = much: not a size (examples: 512M, 2G)" },
	{ "[guest]\nconsole = maybe\n", AT(2) "console = maybe: must be yes or no" },
	{ "[hypervisor]\naccel = xen\n", AT(2) "accel = xen: must be auto, kvm or tcg" },
	{ "[hypervisor]\naccel = KVM\n", AT(2) "accel = KVM: must be auto, kvm or tcg" },
	{ "[hypervisor]\ndriver = clh\n",
	  AT(2) "driver = clh: must be qemu or cloud-hypervisor" },
	{ "[hypervisor]\npath = qemu\n",
	  AT(2) "path = qemu: must be an absolute path or auto" },
	{ "[runtime]\nallow_driver = qemu xen\n",
	  AT(2) "allow_driver: xen: must be qemu or cloud-hypervisor" },
	{ "[runtime]\nallow_kernel = /a b\n",
	  AT(2) "allow_kernel: b: must be an absolute path" },
};

START_TEST(wrong_values)
{
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct kata_err err = { 0 };
		struct conf *c = NULL;

		ck_assert_int_lt(
			load_text(wrong[i].text, strlen(wrong[i].text), &c, &err), 0);
		ck_assert_str_eq(err.msg, wrong[i].message);
		ck_assert_ptr_null(c);
	}
}
END_TEST

START_TEST(nul_byte)
{
	static const char text[] = "[guest]\nvcpus = 1\0\n";
	struct kata_err err = { 0 };
	struct conf *c = NULL;

	ck_assert_int_lt(load_text(text, sizeof(text) - 1, &c, &err), 0);
	ck_assert_str_eq(err.msg, AT(2) "a NUL byte");
}
END_TEST

/* inih alone cuts lines at 200 bytes; words of all lengths meet the cuts everywhere */
START_TEST(long_lines)
{
	struct buf text = { 0 };
	const struct strv *args;
	struct conf *c;

	buf_add_str(&text, "[hypervisor]\nextra_args =");
	for (int i = 1; i < 300; i++)
		buf_addf(&text, " %0*d", i, i % 10);
	buf_add_str(&text, "\n[guest]\nkernel = /");
	for (int i = 0; i < 4000; i++)
		buf_add_u8(&text, i % 199 ? 'k' : ' ');
	buf_add_str(&text, "k\nvcpus = 3\n");
	c = good(buf_cstr(&text));
	args = &conf_get(c)->hypervisor_args;
	ck_assert_uint_eq(args->n, 299);
	for (size_t i = 0; i < args->n; i++)
		ck_assert_uint_eq(strlen(args->v[i]), i + 1);
	ck_assert_uint_eq(strlen(conf_get(c)->kernel), 4002);
	ck_assert_uint_eq(conf_get(c)->vcpus, 3);
	conf_free(c);
	buf_done(&text);
}
END_TEST

START_TEST(long_line_errors)
{
	struct buf text = { 0 };
	struct kata_err err = { 0 };
	struct conf *c = NULL;

	buf_add_str(&text, "[hypervisor]\nextra_args =");
	for (int i = 0; i < 500; i++)
		buf_add_str(&text, " word");
	buf_add_str(&text, "\nnonsense\n");
	ck_assert_int_lt(load_text(buf_cstr(&text), buf_len(&text), &c, &err), 0);
	ck_assert_str_eq(err.msg, AT(3) "neither [section] nor key = value");
	buf_consume(&text, buf_len(&text));
	buf_add_str(&text, "[hypervisor]\nextra_args = ");
	for (int i = 0; i < 70000; i++)
		buf_add_u8(&text, 'x');
	ck_assert_int_eq(load_text(buf_cstr(&text), buf_len(&text), &c, &err), -E2BIG);
	ck_assert_str_eq(err.msg, AT(2) "longer than 65536 bytes");
	buf_done(&text);
}
END_TEST

START_TEST(list_bound)
{
	struct buf text = { 0 };
	struct kata_err err = { 0 };
	struct conf *c = NULL;

	buf_add_str(&text, "[guest]\nkernel_params =");
	for (int i = 0; i < 1025; i++)
		buf_add_str(&text, " a");
	ck_assert_int_lt(load_text(buf_cstr(&text), buf_len(&text), &c, &err), 0);
	ck_assert_str_eq(err.msg, AT(2) "kernel_params: more than 1024 values");
	buf_done(&text);
}
END_TEST

static char *written(const struct conf *c)
{
	struct buf out = { 0 };
	char *text;

	conf_write(c, false, &out);
	text = mem_strdup(buf_cstr(&out));
	buf_done(&out);
	return text;
}

START_TEST(write_and_read_again)
{
	AUTO(conf) *a = good("[hypervisor]\nextra_args = -a b -c\naccel=tcg\n"
			     "[guest]\nmemory = 1000000000\nconsole=1\n"
			     "[runtime]\nallow_image = /x/*.img\n");
	AUTO_FREE char *text = written(a);
	AUTO(conf) *b = good(text);
	AUTO_FREE char *again = written(b);

	ck_assert_str_eq(text, again);
	ck_assert_ptr_nonnull(strstr(text, "\nmemory = 1000000000\n"));
	ck_assert_ptr_nonnull(strstr(text, "\nextra_args = -a b -c\n"));
	ck_assert_ptr_nonnull(strstr(text, "\nallow_kernel =\n"));
}
END_TEST

START_TEST(origins)
{
	TMP t = tmp_make();
	AUTO_FREE char *path = mem_printf("%s/a\nb.conf", t.path);
	struct kata_err err = { 0 };
	struct buf out = { 0 };
	struct json_out o = { .buf = &out };
	struct conf *c = NULL;

	put(&t, "a\nb.conf", "[guest]\n\nvcpus = 2\n");
	ck_assert_int_eq(conf_load(path, &c, &err), 0);
	conf_write(c, true, &out);
	ck_assert_ptr_nonnull(strstr(buf_cstr(&out), "/a?b.conf:3\nvcpus = 2\n"));
	ck_assert_ptr_nonnull(strstr(buf_cstr(&out), "# from default\nmemory = 512M\n"));
	buf_consume(&out, buf_len(&out));
	conf_write_json(c, &o);
	ck_assert_ptr_nonnull(
		strstr(buf_cstr(&out), "\"vcpus\":{\"value\":2,\"origin\":\""));
	ck_assert_ptr_nonnull(strstr(buf_cstr(&out), "\"memory\":{\"value\":536870912,"));
	buf_done(&out);
	conf_free(c);
}
END_TEST

START_TEST(drop_ins)
{
	TMP t = tmp_make();
	AUTO_FREE char *path = mem_printf("%s/kata.conf", t.path);
	AUTO_FREE char *dir = mem_printf("%s/kata.conf.d", t.path);
	struct kata_err err = { 0 };
	struct conf *c = NULL;

	ck_assert_int_eq(conf_load_system(path, &c, &err), 0); /* nothing there */
	ck_assert_uint_eq(conf_get(c)->vcpus, 1);
	conf_free(c);
	put(&t, "kata.conf", "[guest]\nvcpus = 2\nmemory = 1G\nboot_timeout = 5\n");
	ck_assert_int_eq(mkdir(dir, 0755), 0);
	put(&t, "kata.conf.d/20-b.conf", "[guest]\nvcpus = 4\n");
	put(&t, "kata.conf.d/10-a.conf", "[guest]\nvcpus = 3\nmemory = 2G\n");
	put(&t, "kata.conf.d/30-c.conf.off", "nonsense\n");
	put(&t, "kata.conf.d/.40.conf", "nonsense\n");
	ck_assert_int_eq(conf_load_system(path, &c, &err), 0);
	ck_assert_uint_eq(conf_get(c)->vcpus, 4);
	ck_assert_uint_eq(conf_get(c)->memory, 2ull << 30);
	ck_assert_uint_eq(conf_get(c)->boot_timeout, 5);
	conf_free(c);
	put(&t, "kata.conf.d/50.conf", "nonsense\n");
	ck_assert_int_lt(conf_load_system(path, &c, &err), 0);
	ck_assert_ptr_nonnull(strstr(err.msg, "/kata.conf.d/50.conf:1: neither"));
}
END_TEST

START_TEST(named_file)
{
	TMP t = tmp_make();
	AUTO_FREE char *path = mem_printf("%s/x", t.path);
	AUTO_FREE char *message = mem_printf("open %s: no such file or directory", path);
	struct kata_err err = { 0 };
	struct conf *c = NULL;

	ck_assert_int_eq(conf_load(path, &c, &err), -ENOENT);
	ck_assert_str_eq(err.msg, message);
	put(&t, "x", "[guest]\nvcpus = 7\n");
	setenv("KATA_CONFIG", path, 1);
	ck_assert_int_eq(conf_load(NULL, &c, &err), 0);
	ck_assert_uint_eq(conf_get(c)->vcpus, 7);
	conf_free(c);
	setenv("KATA_CONFIG", "/nowhere", 1);
	ck_assert_int_eq(conf_load(path, &c, &err), 0); /* the option wins */
	conf_free(c);
	ck_assert_int_eq(conf_load(NULL, &c, &err), -ENOENT);
	ck_assert_int_eq(conf_load(t.path, &c, &err), -EISDIR);
}
END_TEST

/* the sample says what holds: as it is it changes nothing, and uncommented neither */
START_TEST(template)
{
	AUTO(conf) *plain = good("");
	AUTO_FREE char *unset = written(plain);
	struct buf out = { 0 };
	char *text;

	conf_write_template(&out);
	text = mem_strdup(buf_cstr(&out));
	buf_done(&out);
	for (int pass = 0; pass < 2; pass++) {
		struct conf *c = good(text);
		AUTO_FREE char *same = written(c);

		ck_assert_str_eq(same, unset);
		conf_free(c);
		for (char *p = strstr(text, "\n#"); p; p = strstr(p + 1, "\n#"))
			if (p[2] >= 'a' && p[2] <= 'z')
				p[1] = ' ';
	}
	free(text);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		defaults,   all_values,	      wrong_values, nul_byte,
		long_lines, long_line_errors, list_bound,   write_and_read_again,
		origins,    drop_ins,	      named_file,   template,
	};

	return suite_run("conf", tests, ARRAY_SIZE(tests));
}

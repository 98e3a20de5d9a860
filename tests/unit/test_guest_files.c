/* SPDX-License-Identifier: Apache-2.0 */
/* guest_files: good and wrong kernels and initramfs, made here byte by byte. */
#include <elf.h>
#include <errno.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/str.h"
#include "suite.h"
#include "verb/guest_files.h"

static char *put(const struct tmp *t, const void *data, size_t len)
{
	ck_assert_int_eq(fs_write_atomic(t->fd, "f", data, len, 0644), 0);
	return mem_printf("%s/f", t->path);
}

/* What the check says of @data, without the file's name; "" when it is good. */
static const char *kernel_says(const struct tmp *t, const void *data, size_t len,
			       bool arm64, struct kata_err *err)
{
	AUTO_FREE char *path = put(t, data, len);

	*err = (struct kata_err){ 0 };
	if (guest_kernel_check(path, arm64, err) == 0)
		return "";
	ck_assert(str_has_prefix(err->msg, path));
	return err->msg + strlen(path) + 2;
}

/* An ELF file with one program header and the notes behind it. */
struct kernel {
	Elf64_Ehdr e;
	Elf64_Phdr ph;
	struct {
		uint32_t name_len, value_len, type;
		char name[4];
		uint32_t value;
	} notes[2];
};

static struct kernel good_kernel(void)
{
	return (struct kernel){
		.e = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB },
		       .e_machine = EM_X86_64,
		       .e_phoff = offsetof(struct kernel, ph),
		       .e_phnum = 1 },
		.ph = { .p_type = PT_NOTE,
			.p_offset = offsetof(struct kernel, notes),
			.p_filesz = sizeof(((struct kernel *)0)->notes) },
		.notes = { { 4, 4, 3, "GNU", 7 }, { 4, 4, 18, "Xen", 0x1000000 } },
	};
}

START_TEST(x86_kernels)
{
	TMP t = tmp_make();
	struct kata_err err;
	struct kernel k = good_kernel();

	ck_assert_str_eq(kernel_says(&t, &k, sizeof(k), false, &err), "");
	ck_assert_str_eq(kernel_says(&t, "MZ", 2, false, &err),
			 "not an ELF file; an uncompressed vmlinux is needed");
	ck_assert_str_eq(kernel_says(&t, &k, sizeof(k), true, &err),
			 "not an arm64 Image");
	k.e.e_machine = EM_AARCH64;
	ck_assert_str_eq(kernel_says(&t, &k, sizeof(k), false, &err),
			 "not a kernel for x86-64");
	k = good_kernel();
	k.notes[1].type = 17;
	ck_assert_str_eq(kernel_says(&t, &k, sizeof(k), false, &err),
			 "has no PVH entry (CONFIG_PVH)");
}
END_TEST

/* positions and lengths that lead out of the file */
START_TEST(x86_kernel_lies)
{
	TMP t = tmp_make();
	struct kata_err err;
	struct kernel k[7];

	for (size_t i = 0; i < ARRAY_SIZE(k); i++)
		k[i] = good_kernel();
	k[0].e.e_phoff = UINT64_MAX - 3;
	k[1].e.e_phnum = 0;
	k[2].ph.p_offset = UINT64_MAX;
	k[3].ph.p_filesz = UINT64_MAX;
	k[4].notes[0].name_len = UINT32_MAX;
	k[5].notes[0].value_len = UINT32_MAX - 2;
	k[6].notes[0].value_len = sizeof(k[6].notes);
	for (size_t i = 0; i < ARRAY_SIZE(k); i++)
		ck_assert_str_eq(kernel_says(&t, &k[i], sizeof(k[i]), false, &err),
				 "has no PVH entry (CONFIG_PVH)");
	for (size_t n = 0; n < sizeof(k[0]); n++) {
		struct kernel good = good_kernel();

		ck_assert_str_ne(kernel_says(&t, &good, n, false, &err), "");
	}
}
END_TEST

START_TEST(arm64_kernels)
{
	TMP t = tmp_make();
	struct kata_err err;
	unsigned char image[64] = { 0 };

	ck_assert_str_eq(kernel_says(&t, image, sizeof(image), true, &err),
			 "not an arm64 Image");
	memcpy(image + 56, "ARM\x64", 4);
	ck_assert_str_eq(kernel_says(&t, image, sizeof(image), true, &err), "");
	ck_assert_str_eq(kernel_says(&t, image, 59, true, &err), "not an arm64 Image");
}
END_TEST

static void cpio_entry(struct buf *b, const char *name, size_t size)
{
	size_t len = strlen(name) + 1;

	buf_addf(b, "070701%08x%08x%08x%08x%08x%08x%08zX%08x%08x%08x%08x%08zx%08x", 1,
		 0100644, 0, 0, 1, 0, size, 0, 0, 0, 0, len, 0);
	buf_add(b, name, len);
	while (buf_len(b) % 4)
		buf_add_u8(b, 0);
	for (size_t i = 0; i < (size + 3) / 4 * 4; i++)
		buf_add_u8(b, 'x');
}

static const char *initrd_says(const struct tmp *t, const void *data, size_t len,
			       bool *packed, struct kata_err *err)
{
	AUTO_FREE char *path = put(t, data, len);

	*err = (struct kata_err){ 0 };
	if (guest_initrd_check(path, packed, err) == 0)
		return "";
	ck_assert(str_has_prefix(err->msg, path));
	return err->msg + strlen(path) + 2;
}

START_TEST(initramfs)
{
	static const char *const inits[] = { "init", "/init", "./init" };
	TMP t = tmp_make();
	struct kata_err err;
	bool packed;

	for (size_t i = 0; i < ARRAY_SIZE(inits); i++) {
		struct buf b = { 0 };

		cpio_entry(&b, "lib", 0);
		cpio_entry(&b, "lib/a", 17);
		cpio_entry(&b, inits[i], 3);
		ck_assert_str_eq(initrd_says(&t, buf_ptr(&b), buf_len(&b), &packed, &err),
				 "");
		ck_assert(!packed);
		buf_done(&b);
	}
	ck_assert_str_eq(initrd_says(&t, "\x1f\x8b\x08....", 7, &packed, &err), "");
	ck_assert(packed);
	ck_assert_str_eq(initrd_says(&t, "", 0, &packed, &err), "is empty");
	ck_assert_str_eq(initrd_says(&t, "070702.", 7, &packed, &err),
			 "not a cpio archive");
	ck_assert_str_eq(initrd_says(&t, "070701.", 7, &packed, &err), "has no /init");
}
END_TEST

START_TEST(initramfs_without_init)
{
	TMP t = tmp_make();
	struct kata_err err;
	struct buf b = { 0 };
	bool packed;

	cpio_entry(&b, "sbin/init", 4);
	cpio_entry(&b, "TRAILER!!!", 0);
	cpio_entry(&b, "init", 4);
	ck_assert_str_eq(initrd_says(&t, buf_ptr(&b), buf_len(&b), &packed, &err),
			 "has no /init");
	buf_consume(&b, buf_len(&b));
	cpio_entry(&b, "a", 0);
	memcpy(b.data + b.start + 54, "ffffffff", 8); /* a size behind the end */
	cpio_entry(&b, "init", 4);
	ck_assert_str_eq(initrd_says(&t, buf_ptr(&b), buf_len(&b), &packed, &err),
			 "has no /init");
	memcpy(b.data + b.start + 94, "00000000", 8); /* a name of no length */
	ck_assert_str_eq(initrd_says(&t, buf_ptr(&b), buf_len(&b), &packed, &err),
			 "has no /init");
	memcpy(b.data + b.start + 94, "0000zzzz", 8);
	ck_assert_str_eq(initrd_says(&t, buf_ptr(&b), buf_len(&b), &packed, &err),
			 "has no /init");
	buf_done(&b);
}
END_TEST

START_TEST(no_files)
{
	TMP t = tmp_make();
	AUTO_FREE char *path = mem_printf("%s/f", t.path);
	struct kata_err err = { 0 };
	bool packed;

	ck_assert_int_eq(guest_kernel_check(path, false, &err), -ENOENT);
	ck_assert_int_eq(guest_initrd_check(t.path, &packed, &err), -EINVAL);
	ck_assert(str_has_suffix(err.msg, ": not a regular file"));
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_int_eq(guest_kernel_check(path, false, &err),
			 -EINVAL); /* and does not hang */
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		x86_kernels, x86_kernel_lies,	     arm64_kernels,
		initramfs,   initramfs_without_init, no_files,
	};

	return suite_run("guest_files", tests, ARRAY_SIZE(tests));
}

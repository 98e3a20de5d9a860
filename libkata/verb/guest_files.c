// SPDX-License-Identifier: Apache-2.0
/*
 * guest_files: looks into a kernel and an initramfs far enough to tell a good one from
 * the usual mistakes: a bzImage, a kernel without PVH, an initramfs of something else.
 * All positions come from the file and are checked against its size.
 */
#include "verb/guest_files.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"

/** Elfnote of the kernel's 32-bit entry (Xen's elfnote.h: XEN_ELFNOTE_PHYS32_ENTRY). */
#define NOTE_PVH_ENTRY 18
#define NOTES_MAX (64u << 10)
#define PROGRAM_HEADERS_MAX 64
/** Where an arm64 Image says so, and how (Documentation/arm64/booting.rst). */
#define IMAGE_MAGIC_AT 56
#define IMAGE_MAGIC "ARM\x64"
/** cpio, "newc": header, and the entries looked at before /init must have come. */
#define CPIO_HEADER 110
#define CPIO_ENTRIES_MAX 4096
#define CPIO_NAME_MAX 4096

static int open_file(const char *path, struct kata_err *err)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, "%s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, -EINVAL, "%s: not a regular file", path);
	return TAKE_FD(fd);
}

static bool read_at(int fd, void *dst, size_t n, off_t at)
{
	return pread(fd, dst, n, at) == (ssize_t)n;
}

static uint32_t round4(uint32_t n)
{
	return (n + 3) & ~3u;
}

/* Notes: u32 name size, u32 value size, u32 type, name, value, each padded to 4. */
static bool notes_have_pvh(struct cursor c)
{
	while (c.left >= 12) {
		uint32_t name_len = cursor_u32(&c), value_len = cursor_u32(&c);
		uint32_t type = cursor_u32(&c);
		const unsigned char *name;

		if (name_len > NOTES_MAX || value_len > NOTES_MAX)
			return false;
		name = cursor_bytes(&c, round4(name_len));
		cursor_bytes(&c, round4(value_len));
		if (c.bad)
			return false;
		if (type == NOTE_PVH_ENTRY && name_len == 4 &&
		    memcmp(name, "Xen", 4) == 0)
			return true;
	}
	return false;
}

static bool segment_has_pvh(int fd, const Elf64_Phdr *ph)
{
	AUTO_FREE unsigned char *notes = NULL;

	if (ph->p_type != PT_NOTE || ph->p_filesz > NOTES_MAX)
		return false;
	notes = mem_alloc(ph->p_filesz);
	return read_at(fd, notes, ph->p_filesz, (off_t)ph->p_offset) &&
	       notes_have_pvh(cursor_of(notes, ph->p_filesz));
}

static int check_x86(int fd, const char *path, struct kata_err *err)
{
	Elf64_Ehdr e;
	Elf64_Phdr ph;

	if (!read_at(fd, &e, sizeof(e), 0) || memcmp(e.e_ident, ELFMAG, SELFMAG) != 0)
		return err_set(err, -EINVAL,
			       "%s: not an ELF file; an uncompressed vmlinux is needed",
			       path);
	if (e.e_ident[EI_CLASS] != ELFCLASS64 || e.e_machine != EM_X86_64)
		return err_set(err, -EINVAL, "%s: not a kernel for x86-64", path);
	for (unsigned i = 0; i < e.e_phnum && i < PROGRAM_HEADERS_MAX; i++)
		if (read_at(fd, &ph, sizeof(ph), (off_t)(e.e_phoff + i * sizeof(ph))) &&
		    segment_has_pvh(fd, &ph))
			return 0;
	return err_set(err, -EINVAL, "%s: has no PVH entry (CONFIG_PVH)", path);
}

static int check_arm64(int fd, const char *path, struct kata_err *err)
{
	char magic[4];

	if (!read_at(fd, magic, sizeof(magic), IMAGE_MAGIC_AT) ||
	    memcmp(magic, IMAGE_MAGIC, sizeof(magic)) != 0)
		return err_set(err, -EINVAL, "%s: not an arm64 Image", path);
	return 0;
}

int guest_kernel_check(const char *path, bool arm64, struct kata_err *err)
{
	AUTO_CLOSE int fd = open_file(path, err);

	if (fd < 0)
		return fd;
	return arm64 ? check_arm64(fd, path, err) : check_x86(fd, path, err);
}

static bool is_packed(const unsigned char head[6])
{
	static const struct {
		const char *bytes;
		size_t n;
	} magics[] = {
		{ "\x1f\x8b", 2 },	   /* gzip */
		{ "\x28\xb5\x2f\xfd", 4 }, /* zstd */
		{ "\x02\x21\x4c\x18", 4 }, /* lz4, old frame format */
		{ "\xfd"
		  "7zXZ",
		  5 }, /* xz */
	};

	for (size_t i = 0; i < ARRAY_SIZE(magics); i++)
		if (memcmp(head, magics[i].bytes, magics[i].n) == 0)
			return true;
	return false;
}

/* A header field: eight hex digits. */
static bool hex8(const char *p, uint32_t *ret)
{
	static const char digits[] = "0123456789abcdefABCDEF";
	uint32_t n = 0;

	for (int i = 0; i < 8; i++) {
		const char *d = p[i] ? strchr(digits, p[i]) : NULL;
		uint32_t value = d ? (uint32_t)(d - digits) : 0;

		if (!d)
			return false;
		n = n << 4 | (value < 16 ? value : value - 6);
	}
	*ret = n;
	return true;
}

/* The entry at *@at: its name, and *@at behind it. Return: false at anything that is not one. */
static bool next_entry(int fd, off_t *at, char name[CPIO_NAME_MAX])
{
	char head[CPIO_HEADER];
	uint32_t size, name_len;

	if (!read_at(fd, head, sizeof(head), *at) || memcmp(head, "070701", 6) != 0 ||
	    !hex8(head + 54, &size) || !hex8(head + 94, &name_len) || name_len < 1 ||
	    name_len > CPIO_NAME_MAX || !read_at(fd, name, name_len, *at + CPIO_HEADER) ||
	    name[name_len - 1] != 0)
		return false;
	*at += (off_t)round4(CPIO_HEADER + name_len);
	*at += ((off_t)size + 3) & ~(off_t)3;
	return true;
}

static bool has_init(int fd)
{
	char name[CPIO_NAME_MAX];
	off_t at = 0;

	for (int i = 0; i < CPIO_ENTRIES_MAX && next_entry(fd, &at, name); i++) {
		const char *plain = str_has_prefix(name, "./") ? name + 2 : name;

		if (str_eq(plain, "init") || str_eq(plain, "/init"))
			return true;
		if (str_eq(plain, "TRAILER!!!"))
			return false;
	}
	return false;
}

int guest_initrd_check(const char *path, bool *ret_packed, struct kata_err *err)
{
	AUTO_CLOSE int fd = open_file(path, err);
	unsigned char head[6];

	if (fd < 0)
		return fd;
	if (!read_at(fd, head, sizeof(head), 0))
		return err_set(err, -EINVAL, "%s: is empty", path);
	*ret_packed = is_packed(head);
	if (!*ret_packed && memcmp(head, "070701", 6) != 0)
		return err_set(err, -EINVAL, "%s: not a cpio archive", path);
	if (!*ret_packed && !has_init(fd))
		return err_set(err, -EINVAL, "%s: has no /init", path);
	return 0;
}

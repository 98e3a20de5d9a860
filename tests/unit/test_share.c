/* SPDX-License-Identifier: Apache-2.0 */
/*
 * share: real mounts in a mount namespace of the test's own. Without the right to make one
 * (not root, or a sandbox of some kind) the tests pass without having run; e2e needs root anyway.
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "share/share.h"
#include "suite.h"

struct fixture {
	struct tmp t;
	int share;
	struct arena *a;
	struct oci_root root;
	struct oci_mount mounts[2];
	struct oci_spec spec;
	struct share_plan plan;
	struct kata_err err;
};

static bool has_rights(void)
{
	return unshare(CLONE_NEWNS) == 0 &&
	       mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) == 0;
}

static void make_dir(const struct fixture *f, const char *name)
{
	ck_assert_int_eq(mkdirat(f->t.fd, name, 0755), 0);
}

static void make_file(const struct fixture *f, const char *name)
{
	AUTO_CLOSE int fd = openat(f->t.fd, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC,
				   0644);

	ck_assert_int_ge(fd, 0);
}

static void setup(struct fixture *f)
{
	*f = (struct fixture){ .t = tmp_make(),
			       .a = arena_new(),
			       .root = { "rootfs", false } };
	f->spec = (struct oci_spec){ .root = &f->root, .mounts = { f->mounts, 0 } };
	make_dir(f, "rootfs");
	f->share = share_open(f->t.fd, &f->err);
	ck_assert_msg(f->share >= 0, "%s", f->err.msg);
}

static void fixture_done(struct fixture *f)
{
	AUTO_FREE char *share = mem_printf("%s/share", f->t.path);

	close(f->share);
	ck_assert_int_eq(umount2(share, MNT_DETACH), 0);
	tmp_done(&f->t);
	arena_free(f->a);
}
#define FIXTURE __attribute__((cleanup(fixture_done))) struct fixture

static void add_bind(struct fixture *f, const char *source, const char *const *options,
		     size_t n)
{
	f->mounts[f->spec.mounts.n++] = (struct oci_mount){ .destination = "/in/side",
							    .type = "bind",
							    .source = source,
							    .options = { options, n } };
}

static int apply(struct fixture *f, unsigned number)
{
	AUTO_FREE char *rootfs = mem_printf("%s/rootfs", f->t.path);

	if (share_plan_make(&f->spec, f->t.path, rootfs, number, f->a, &f->plan,
			    &f->err) < 0)
		return f->err.code;
	return share_apply(f->share, -1, &f->plan, &f->err);
}

static void apply_good(struct fixture *f, unsigned number)
{
	ck_assert_msg(apply(f, number) == 0, "%s", f->err.msg);
}

/* What creating a file at @path below the share gives: 0 or -errno. */
static int try_write(const struct fixture *f, const char *path)
{
	AUTO_CLOSE int fd = openat(f->share, path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);

	return fd < 0 ? -errno : 0;
}

static bool exists(int dirfd, const char *path)
{
	struct stat st;

	return fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

START_TEST(binds)
{
	static const char *const ro[] = { "ro" };
	FIXTURE f;

	setup(&f);
	make_dir(&f, "vol");
	make_file(&f, "file");
	add_bind(&f, "vol", ro, 1);
	add_bind(&f, "file", NULL, 0);
	apply_good(&f, 1);
	ck_assert_int_eq(try_write(&f, "c1/rootfs/new"), 0);
	ck_assert(exists(f.t.fd, "rootfs/new"));
	ck_assert_int_eq(try_write(&f, "c1/m0/new"), -EROFS);
	ck_assert_int_eq(try_write(&f, "c1/m1"), 0);
	/* the tree itself is read-only */
	ck_assert_int_eq(try_write(&f, "new"), -EROFS);
	ck_assert_int_eq(try_write(&f, "c1/new"), -EROFS);
	ck_assert_int_eq(share_remove(f.share, 1), 0);
	ck_assert(!exists(f.share, "c1"));
	ck_assert(exists(f.t.fd, "rootfs/new") && exists(f.t.fd, "file"));
	ck_assert_int_eq(share_remove(f.share, 1), 0); /* again */
}
END_TEST

START_TEST(two_containers)
{
	FIXTURE f;

	setup(&f);
	apply_good(&f, 1);
	apply_good(&f, 2);
	ck_assert_int_eq(share_remove(f.share, 1), 0);
	ck_assert(!exists(f.share, "c1") && exists(f.share, "c2/rootfs"));
	/* a number that is taken is an error and takes nothing away */
	ck_assert_int_eq(apply(&f, 2), -EEXIST);
	ck_assert_int_eq(try_write(&f, "c2/rootfs/x"), 0);
}
END_TEST

START_TEST(readonly_root)
{
	FIXTURE f;

	setup(&f);
	make_file(&f, "file");
	make_file(&f, "rootfs/old");
	f.root.readonly = true;
	add_bind(&f, "file", NULL, 0);
	apply_good(&f, 1);
	ck_assert_int_eq(try_write(&f, "c1/rootfs/new"), -EROFS);
	ck_assert_int_eq(try_write(&f, "c1/rootfs/old"), -EROFS);
	ck_assert(exists(f.t.fd, "rootfs/in/side"));
	ck_assert_int_eq(try_write(&f, "c1/m0"), 0);
}
END_TEST

/* a mount point that is a way out of the root leads back into it */
START_TEST(mount_points_stay_inside)
{
	FIXTURE f;

	setup(&f);
	make_dir(&f, "outside");
	f.root.readonly = true;
	ck_assert_int_eq(symlinkat("../outside", f.t.fd, "rootfs/in"), 0);
	make_dir(&f, "vol");
	add_bind(&f, "vol", NULL, 0);
	(void)apply(&f, 1);
	ck_assert(!exists(f.t.fd, "outside/side"));
}
END_TEST

static void submount_case(struct fixture *f, const char *option, bool there,
			  int write_code)
{
	const char *const options[] = { "ro", option };
	AUTO_FREE char *sub = NULL;

	setup(f);
	sub = mem_printf("%s/vol/sub", f->t.path);
	make_dir(f, "vol");
	make_dir(f, "vol/sub");
	ck_assert_int_eq(mount("tmpfs", sub, "tmpfs", 0, NULL), 0);
	make_file(f, "vol/sub/mark");
	add_bind(f, "vol", options, 2);
	f->mounts[0].options.n = 2;
	apply_good(f, 1);
	ck_assert_int_eq(exists(f->share, "c1/m0/sub/mark"), there);
	ck_assert_int_eq(try_write(f, "c1/m0/sub/new"), write_code);
	ck_assert_int_eq(umount2(sub, MNT_DETACH), 0);
}

/* "ro" is the mount's own, as with runc; "rro" goes below */
START_TEST(mounts_below)
{
	FIXTURE f;
	FIXTURE g;

	submount_case(&f, "bind", false, -EROFS);
	submount_case(&g, "rbind", true, 0);
}
END_TEST

START_TEST(mounts_below_readonly)
{
	static const char *const options[] = { "rbind", "rro" };
	FIXTURE f;
	AUTO_FREE char *sub = NULL;

	setup(&f);
	sub = mem_printf("%s/vol/sub", f.t.path);
	make_dir(&f, "vol");
	make_dir(&f, "vol/sub");
	ck_assert_int_eq(mount("tmpfs", sub, "tmpfs", 0, NULL), 0);
	add_bind(&f, "vol", options, 2);
	apply_good(&f, 1);
	ck_assert_int_eq(try_write(&f, "c1/m0/sub/new"), -EROFS);
	make_file(&f, "vol/sub/still-writable"); /* the host's own mount */
	ck_assert_int_eq(umount2(sub, MNT_DETACH), 0);
}
END_TEST

/* what a clone of the share made before sees of a bind made after */
START_TEST(reaches_an_earlier_clone)
{
	FIXTURE f;
	AUTO_FREE char *from = NULL;
	AUTO_FREE char *to = NULL;

	setup(&f);
	make_dir(&f, "clone");
	from = mem_printf("%s/share", f.t.path);
	to = mem_printf("%s/clone", f.t.path);
	ck_assert_int_eq(mount(from, to, NULL, MS_BIND | MS_REC, NULL), 0);
	apply_good(&f, 1);
	make_file(&f, "rootfs/mark");
	ck_assert(exists(f.t.fd, "clone/c1/rootfs/mark"));
	ck_assert_int_eq(mkdirat(f.t.fd, "clone/evil", 0755), -1);
	ck_assert_int_eq(errno, EROFS);
	ck_assert_int_eq(umount2(to, MNT_DETACH), 0);
}
END_TEST

/* each with the path that is wrong in front, and nothing left behind */
START_TEST(refused)
{
	static const struct {
		const char *source, *message;
	} cases[] = {
		{ "/nowhere/x",
		  "mounts[0].source: /nowhere/x: no such file or directory" },
		{ "/dev/ptmx",
		  "mounts[0].source: /dev/ptmx: a character device cannot cross into the VM" },
		{ "/etc/passwd/x", "mounts[0].source: /etc/passwd/x: not a directory" },
	};
	FIXTURE f;
	AUTO_FREE char *fifo = NULL;
	AUTO_FREE char *message = NULL;

	setup(&f);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		f.spec.mounts.n = 0;
		add_bind(&f, cases[i].source, NULL, 0);
		ck_assert_int_lt(apply(&f, 1), 0);
		ck_assert_str_eq(f.err.msg, cases[i].message);
		ck_assert(!exists(f.share, "c1"));
	}
	fifo = mem_printf("%s/fifo", f.t.path);
	message = mem_printf(
		"mounts[0].source: %s: a named pipe cannot cross into the VM", fifo);
	ck_assert_int_eq(mkfifoat(f.t.fd, "fifo", 0600), 0);
	f.spec.mounts.n = 0;
	add_bind(&f, fifo, NULL, 0);
	ck_assert_int_lt(apply(&f, 1), 0);
	ck_assert_str_eq(f.err.msg, message);
}
END_TEST

START_TEST(root_must_be_a_directory)
{
	FIXTURE f;
	AUTO_FREE char *message = NULL;

	setup(&f);
	message = mem_printf("root.path: %s/rootfs: no such file or directory", f.t.path);
	ck_assert_int_eq(unlinkat(f.t.fd, "rootfs", AT_REMOVEDIR), 0);
	ck_assert_int_eq(apply(&f, 1), -ENOENT);
	ck_assert_str_eq(f.err.msg, message);
	make_file(&f, "rootfs");
	ck_assert_int_eq(apply(&f, 1), -ENOTDIR);
}
END_TEST

/* What is passed is the file that is open, whatever has its name. */
START_TEST(open_files)
{
	struct share_tree trees[2] = { { -1, "c1/x0-0", false },
				       { -1, "c1/x0-1", true } };
	struct stat st, found;
	FIXTURE f;

	setup(&f);
	apply_good(&f, 1);
	make_file(&f, "file");
	make_dir(&f, "dir");
	for (int i = 0; i < 2; i++) {
		AUTO_CLOSE int fd = openat(f.t.fd, i ? "dir" : "file",
					   O_RDONLY | O_CLOEXEC);

		ck_assert_int_eq(fstat(fd, i ? &found : &st), 0);
		ck_assert_int_eq(renameat(f.t.fd, "file", f.t.fd, "other"), i ? -1 : 0);
		trees[i].tree = share_clone(fd, i == 0);
		ck_assert_int_ge(trees[i].tree, 0);
	}
	ck_assert_msg(share_add(f.share, trees, 2, &f.err) == 0, "%s", f.err.msg);
	close(trees[0].tree);
	close(trees[1].tree);
	ck_assert_int_eq(fstatat(f.share, "c1/x0-0", &found, 0), 0);
	ck_assert(st.st_dev == found.st_dev && st.st_ino == found.st_ino);
	ck_assert_int_eq(try_write(&f, "c1/x0-0"), -EROFS);
	ck_assert_int_eq(try_write(&f, "c1/x0-1/new"), 0);
	ck_assert(exists(f.t.fd, "dir/new"));
	ck_assert_int_eq(share_drop(f.share, "c1/x0-0"), 0);
	ck_assert(!exists(f.share, "c1/x0-0"));
	ck_assert_int_eq(try_write(&f, "c1/new"), -EROFS);
	ck_assert_int_eq(share_remove(f.share, 1), 0);
	ck_assert(exists(f.t.fd, "dir/new"));
}
END_TEST

START_TEST(files_without_a_place)
{
	AUTO_CLOSE int fd = fs_memfd("x", "x", 1);

	ck_assert_int_eq(share_clone(fd, false), -EINVAL);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		binds,
		two_containers,
		readonly_root,
		mount_points_stay_inside,
		mounts_below,
		mounts_below_readonly,
		reaches_an_earlier_clone,
		refused,
		root_must_be_a_directory,
		open_files,
		files_without_a_place,
	};

	if (!has_rights()) {
		printf("1..0 # SKIP no right to make a mount namespace\n");
		return EXIT_SUCCESS;
	}
	return suite_run("share", tests, ARRAY_SIZE(tests));
}

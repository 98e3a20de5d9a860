/* SPDX-License-Identifier: Apache-2.0 */
/* Files, atomic writes, removing trees, and that nothing gets out of a root. */
#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/fs.h"
#include "suite.h"

static void put(int dirfd, const char *name, const char *text)
{
	int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fs_write_all(fd, text, strlen(text)), 0);
	close(fd);
}

static void check_file(int dirfd, const char *name, const char *want)
{
	AUTO_FREE char *text = NULL;

	ck_assert_int_eq(fs_read_at(dirfd, name, 1 << 20, &text, NULL), 0);
	ck_assert_str_eq(text, want);
}

static bool is_there(int dirfd, const char *name)
{
	return faccessat(dirfd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool same_file(int fd, int dirfd, const char *name)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && fstatat(dirfd, name, &b, AT_SYMLINK_NOFOLLOW) == 0 &&
	       a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* ---- reading and writing ---- */

START_TEST(read_up_to_the_limit)
{
	TMP t = tmp_make();
	char *data = NULL;
	size_t len = 0;

	put(t.fd, "f", "12345");
	ck_assert_int_eq(fs_read_at(t.fd, "f", 4, &data, &len), -E2BIG);
	ck_assert_ptr_null(data);
	ck_assert_int_eq(fs_read_at(t.fd, "f", 5, &data, &len), 0);
	ck_assert_str_eq(data, "12345");
	ck_assert_uint_eq(len, 5);
	free(data);
	put(t.fd, "f", "");
	ck_assert_int_eq(fs_read_at(t.fd, "f", 0, &data, &len), 0);
	ck_assert_str_eq(data, "");
	free(data);
	ck_assert_int_eq(fs_read_at(t.fd, "none", 5, &data, &len), -ENOENT);
	ck_assert_int_eq(fs_read_at(AT_FDCWD, t.path, 5, &data, &len), -EISDIR);
}
END_TEST

START_TEST(read_what_has_no_size)
{
	AUTO_FREE char *big = mem_alloc(60000);
	char *data;
	size_t len;
	int p[2];

	memset(big, 'p', 60000);
	ck_assert_int_eq(pipe2(p, O_CLOEXEC), 0);
	ck_assert_int_eq(fs_write_all(p[1], big, 60000), 0);
	close(p[1]);
	ck_assert_int_eq(fs_read_fd(p[0], 60000, &data, &len), 0);
	ck_assert_uint_eq(len, 60000);
	ck_assert_mem_eq(data, big, len);
	ck_assert_int_eq(data[len], '\0');
	free(data);
	close(p[0]);
	ck_assert_int_eq(fs_read_at(AT_FDCWD, "/proc/self/stat", 4096, &data, &len), 0);
	ck_assert_uint_gt(len, 20);
	free(data);
	ck_assert_int_eq(fs_read_at(AT_FDCWD, "/dev/zero", 100000, &data, &len), -E2BIG);
}
END_TEST

START_TEST(write_str_does_not_create)
{
	TMP t = tmp_make();

	ck_assert_int_eq(fs_write_str(t.fd, "f", "x"), -ENOENT);
	ck_assert(!is_there(t.fd, "f"));
	put(t.fd, "f", "");
	ck_assert_int_eq(fs_write_str(t.fd, "f", "42"), 0);
	check_file(t.fd, "f", "42");
}
END_TEST

static size_t count_entries(const char *path)
{
	DIR *dir = opendir(path);
	size_t n = 0;

	ck_assert_ptr_nonnull(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n - 2;
}

START_TEST(atomic_write_replaces)
{
	struct kata_err err = { 0 };
	TMP t = tmp_make();
	struct stat st;
	char path[400];

	umask(022);
	ck_assert_int_eq(fs_write_atomic(t.fd, "f", "one", 3, 0600), 0);
	check_file(t.fd, "f", "one");
	ck_assert_int_eq(fstatat(t.fd, "f", &st, 0), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	ck_assert_int_eq(fs_write_atomic(t.fd, "f", "second", 6, 0644), 0);
	check_file(t.fd, "f", "second");
	snprintf(path, sizeof(path), "%s/pid", t.path);
	ck_assert_int_eq(fs_write_atomic_path(path, "123", 3, 0644, &err), 0);
	check_file(t.fd, "pid", "123");
	ck_assert_int_eq(fchdir(t.fd), 0);
	ck_assert_int_eq(fs_write_atomic_path("rel", "1", 1, 0644, &err), 0);
	check_file(t.fd, "rel", "1");
	ck_assert_uint_eq(count_entries(t.path), 3);
}
END_TEST

START_TEST(atomic_write_failure_leaves_nothing)
{
	struct kata_err err = { 0 };
	TMP t = tmp_make();
	char path[400], want[500];

	ck_assert_int_eq(mkdirat(t.fd, "d", 0700), 0);
	put(t.fd, "d/x", "");
	ck_assert_int_lt(fs_write_atomic(t.fd, "d", "x", 1, 0600), 0);
	ck_assert(is_there(t.fd, "d/x"));
	ck_assert_uint_eq(count_entries(t.path), 1);
	snprintf(path, sizeof(path), "%s/none/pid", t.path);
	ck_assert_int_eq(fs_write_atomic_path(path, "1", 1, 0600, &err), -ENOENT);
	snprintf(want, sizeof(want), "write %s: no such file or directory", path);
	ck_assert_str_eq(err.msg, want);
	snprintf(path, sizeof(path), "%s/", t.path);
	ck_assert_int_eq(fs_write_atomic_path(path, "1", 1, 0600, &err), -EISDIR);
}
END_TEST

START_TEST(leftover_temp_file_is_no_obstacle)
{
	TMP t = tmp_make();
	char name[64];

	snprintf(name, sizeof(name), ".tmp.%ld.0", (long)getpid());
	put(t.fd, name, "of a crash");
	ck_assert_int_eq(fs_write_atomic(t.fd, "f", "x", 1, 0600), 0);
	check_file(t.fd, "f", "x");
	check_file(t.fd, name, "of a crash");
}
END_TEST

START_TEST(memfd_is_sealed)
{
	char *data;
	size_t len;
	int fd = fs_memfd("test", "content", 7);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(fs_read_fd(fd, 100, &data, &len), 0);
	ck_assert_str_eq(data, "content");
	free(data);
	ck_assert_int_lt(pwrite(fd, "x", 1, 0), 0);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_int_lt(ftruncate(fd, 0), 0);
	ck_assert_int_lt(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), 0);
	close(fd);
	fd = fs_memfd("empty", NULL, 0);
	ck_assert_int_ge(fd, 0);
	close(fd);
}
END_TEST

/* ---- directories ---- */

START_TEST(mkdir_p_makes_parents)
{
	struct kata_err err = { 0 };
	TMP t = tmp_make();
	char path[400];

	snprintf(path, sizeof(path), "%s/a//b/./c/", t.path);
	ck_assert_int_eq(fs_mkdir_p(path, 0700, &err), 0);
	ck_assert(is_there(t.fd, "a/b/c"));
	ck_assert_int_eq(fs_mkdir_p(path, 0700, &err), 0);
	ck_assert_int_eq(fs_mkdir_p("/", 0700, &err), 0);
	ck_assert_int_eq(fchdir(t.fd), 0);
	ck_assert_int_eq(fs_mkdir_p("r/s", 0700, &err), 0);
	ck_assert(is_there(t.fd, "r/s"));
	ck_assert_int_eq(symlinkat("r", t.fd, "link"), 0);
	ck_assert_int_eq(fs_mkdir_p("link/t/u", 0700, &err), 0);
	ck_assert(is_there(t.fd, "r/t/u"));
}
END_TEST

START_TEST(mkdir_p_refuses_what_is_no_directory)
{
	struct kata_err err = { 0 };
	TMP t = tmp_make();
	char path[400];

	put(t.fd, "f", "");
	snprintf(path, sizeof(path), "%s/f", t.path);
	ck_assert_int_eq(fs_mkdir_p(path, 0700, &err), -ENOTDIR);
	ck_assert_ptr_nonnull(strstr(err.msg, "/f: not a directory"));
	snprintf(path, sizeof(path), "%s/f/g/h", t.path);
	ck_assert_int_eq(fs_mkdir_p(path, 0700, &err), -ENOTDIR);
	ck_assert_int_eq(symlinkat("nowhere", t.fd, "dangling"), 0);
	snprintf(path, sizeof(path), "%s/dangling/x", t.path);
	ck_assert_int_lt(fs_mkdir_p(path, 0700, &err), 0);
	ck_assert_int_eq(fs_mkdir_p("", 0700, &err), -ENOENT);
}
END_TEST

START_TEST(remove_tree_of_all_kinds)
{
	struct kata_err err = { 0 };
	TMP t = tmp_make();
	char path[400];

	snprintf(path, sizeof(path), "%s/d/e/f", t.path);
	ck_assert_int_eq(fs_mkdir_p(path, 0700, &err), 0);
	put(t.fd, "d/1", "x");
	put(t.fd, "d/e/2", "x");
	put(t.fd, "d/e/f/.hidden", "x");
	ck_assert_int_eq(mkfifoat(t.fd, "d/fifo", 0600), 0);
	put(t.fd, "outside", "stays");
	ck_assert_int_eq(mkdirat(t.fd, "outdir", 0700), 0);
	put(t.fd, "outdir/x", "stays");
	ck_assert_int_eq(symlinkat("../outside", t.fd, "d/l1"), 0);
	ck_assert_int_eq(symlinkat("../../outdir", t.fd, "d/e/l2"), 0);
	ck_assert_int_eq(fs_remove_tree(t.fd, "d"), 0);
	ck_assert(!is_there(t.fd, "d"));
	check_file(t.fd, "outside", "stays");
	check_file(t.fd, "outdir/x", "stays");
	ck_assert_int_eq(symlinkat("outdir", t.fd, "l3"), 0);
	ck_assert_int_eq(fs_remove_tree(t.fd, "l3"), 0);
	ck_assert(!is_there(t.fd, "l3"));
	check_file(t.fd, "outdir/x", "stays");
	ck_assert_int_eq(fs_remove_tree(t.fd, "outside"), 0);
	ck_assert_int_eq(fs_remove_tree(t.fd, "outside"), 0); /* absent */
	ck_assert_int_eq(fs_remove_tree(t.fd, "no/such"), 0);
}
END_TEST

/* deeper than PATH_MAX, than descriptors, and wide */
START_TEST(remove_tree_deep_and_wide)
{
	TMP t = tmp_make();
	int fd = fcntl(t.fd, F_DUPFD_CLOEXEC, 3), next, i;
	char name[32];

	for (i = 0; i < 1500; i++) {
		ck_assert_int_eq(mkdirat(fd, "deep", 0700), 0);
		if (i % 100 == 0)
			put(fd, "zz", "x");
		next = openat(fd, "deep", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		ck_assert_int_ge(next, 0);
		close(fd);
		fd = next;
	}
	for (i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "file%d", i);
		put(fd, name, "");
		snprintf(name, sizeof(name), "dir%d", i);
		ck_assert_int_eq(mkdirat(fd, name, 0700), 0);
		snprintf(name, sizeof(name), "dir%d/x", i);
		put(fd, name, "");
	}
	close(fd);
	ck_assert_int_eq(fs_remove_tree(t.fd, "deep"), 0);
	ck_assert(!is_there(t.fd, "deep"));
}
END_TEST

START_TEST(remove_tree_stays_on_its_mount)
{
	TMP t = tmp_make();
	char path[400], out[400];
	int ns;

	if (unshare(CLONE_NEWNS) < 0)
		return; /* needs root */
	close(t.fd);	/* it sees the mounts of the namespace it was opened in */
	t.fd = open(t.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_eq(mount("", "/", "", MS_REC | MS_PRIVATE, NULL), 0);
	ck_assert_int_eq(mkdirat(t.fd, "out", 0700), 0);
	put(t.fd, "out/keep", "x");
	ck_assert_int_eq(mkdirat(t.fd, "d", 0700), 0);
	ck_assert_int_eq(mkdirat(t.fd, "d/m", 0700), 0);
	put(t.fd, "d/m/covered", "x");
	snprintf(out, sizeof(out), "%s/out", t.path);
	snprintf(path, sizeof(path), "%s/d/m", t.path);
	ck_assert_int_eq(mount(out, path, "", MS_BIND, NULL), 0);
	ck_assert_int_eq(fs_remove_tree(t.fd, "d"), -EBUSY);
	check_file(t.fd, "out/keep", "x");
	/* a mount that only t.fd's namespace has: the kernel does not say EBUSY for it */
	ns = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC); /* keeps it */
	ck_assert_int_eq(unshare(CLONE_NEWNS), 0);
	ck_assert_int_eq(umount2(path, MNT_DETACH), 0);
	ck_assert_int_eq(fs_remove_tree(t.fd, "d"), -EXDEV);
	close(ns);
	check_file(t.fd, "out/keep", "x");
	snprintf(path, sizeof(path), "%s/d", t.path);
	ck_assert_int_eq(fs_remove_tree(AT_FDCWD, path), 0);
}
END_TEST

/* ---- below a root ---- */

struct root {
	struct tmp tmp;
	int fd; /* of tmp/root */
};

static struct root root_make(void)
{
	struct root r = { .tmp = tmp_make() };

	ck_assert_int_eq(mkdirat(r.tmp.fd, "root", 0755), 0);
	r.fd = openat(r.tmp.fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(r.fd, 0);
	put(r.tmp.fd, "secret", "host");
	return r;
}

static void root_done(struct root *r)
{
	close(r->fd);
	tmp_done(&r->tmp);
}

#define ROOT __attribute__((cleanup(root_done))) struct root

START_TEST(open_in_root_cannot_leave)
{
	ROOT r = root_make();
	char link[300];
	int fd;

	if (under_valgrind())
		return; /* no openat2 */
	put(r.fd, "f", "inside");
	ck_assert_int_eq(fs_open_in_root(r.fd, "../secret", O_RDONLY, 0), -ENOENT);
	ck_assert_int_eq(fs_open_in_root(r.fd, "/../../secret", O_RDONLY, 0), -ENOENT);
	snprintf(link, sizeof(link), "%s/secret", r.tmp.path);
	ck_assert_int_eq(symlinkat(link, r.fd, "abs"), 0);
	ck_assert_int_eq(symlinkat("../secret", r.fd, "rel"), 0);
	ck_assert_int_eq(fs_open_in_root(r.fd, "abs", O_RDONLY, 0), -ENOENT);
	ck_assert_int_eq(fs_open_in_root(r.fd, "rel", O_RDONLY, 0), -ENOENT);
	ck_assert_int_eq(symlinkat("/f", r.fd, "good"), 0);
	fd = fs_open_in_root(r.fd, "good", O_RDONLY, 0);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	ck_assert(same_file(fd, r.fd, "f"));
	close(fd);
	fd = fs_open_in_root(r.fd, "new", O_WRONLY | O_CREAT | O_EXCL, 0640);
	ck_assert_int_ge(fd, 0);
	close(fd);
	fd = fs_open_in_root(r.fd, "", O_PATH, 0777); /* a mode that is not needed */
	ck_assert_int_ge(fd, 0);
	close(fd);
	fd = fs_open_in_root(r.fd, "/", O_PATH | O_DIRECTORY, 0);
	ck_assert_int_ge(fd, 0);
	close(fd);
}
END_TEST

static void check_mkdir(const struct root *r, const char *path, const char *real)
{
	int fd = fs_mkdir_in_root(r->fd, path, 0755);

	ck_assert_msg(fd >= 0, "%s: %d", path, fd);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	ck_assert_msg(same_file(fd, r->fd, real), "%s is not %s", path, real);
	close(fd);
}

START_TEST(mkdir_in_root)
{
	ROOT r = root_make();

	if (under_valgrind())
		return; /* no openat2 */
	check_mkdir(&r, "a/b/c", "a/b/c");
	check_mkdir(&r, "/a/b/c", "a/b/c");
	check_mkdir(&r, "//x//y/.//z/", "x/y/z");
	check_mkdir(&r, "", ".");
	check_mkdir(&r, "/", ".");
	check_mkdir(&r, "../../up", "up");
	check_mkdir(&r, "a/../n/../../../m", "m");
	check_mkdir(&r, "p/q/../s", "p/s"); /* p/q is made on the way, as mkdir -p does */
	ck_assert(!is_there(r.tmp.fd, "up"));
	ck_assert(!is_there(r.tmp.fd, "m"));
}
END_TEST

START_TEST(mkdir_in_root_follows_links_inside)
{
	ROOT r = root_make();
	char outside[300], inside[310];

	if (under_valgrind())
		return; /* no openat2 */
	check_mkdir(&r, "var/run", "var/run");
	ck_assert_int_eq(symlinkat("/var/run", r.fd, "abs"), 0);
	check_mkdir(&r, "abs/new/dir", "var/run/new/dir");
	ck_assert_int_eq(symlinkat("../../../../../t1", r.fd, "var/up"), 0);
	check_mkdir(&r, "var/up/x", "t1/x"); /* a link to what is missing: made inside */
	ck_assert_int_eq(symlinkat("abs", r.fd, "twice"), 0);
	check_mkdir(&r, "twice/y", "var/run/y");
	snprintf(outside, sizeof(outside), "%s/evil", r.tmp.path);
	ck_assert_int_eq(symlinkat(outside, r.fd, "out"), 0);
	snprintf(inside, sizeof(inside), "%s/z", outside + 1);
	check_mkdir(&r, "out/z", inside); /* the host's path, made below the root */
	ck_assert(!is_there(r.tmp.fd, "evil"));
	ck_assert(!is_there(r.tmp.fd, "t1"));
	ck_assert_int_eq(symlinkat(".", r.fd, "dot"), 0);
	check_mkdir(&r, "dot/dot/dot/w", "w");
}
END_TEST

START_TEST(mkdir_in_root_refuses)
{
	ROOT r = root_make();
	AUTO_FREE char *big = mem_alloc(5000);

	if (under_valgrind())
		return; /* no openat2 */
	put(r.fd, "file", "");
	ck_assert_int_eq(fs_mkdir_in_root(r.fd, "file", 0755), -ENOTDIR);
	ck_assert_int_eq(fs_mkdir_in_root(r.fd, "file/x", 0755), -ENOTDIR);
	ck_assert_int_eq(symlinkat("loop2", r.fd, "loop1"), 0);
	ck_assert_int_eq(symlinkat("loop1", r.fd, "loop2"), 0);
	ck_assert_int_eq(fs_mkdir_in_root(r.fd, "loop1", 0755), -ELOOP);
	ck_assert_int_eq(fs_mkdir_in_root(r.fd, "new/../loop1/x", 0755), -ELOOP);
	ck_assert_int_eq(symlinkat("file", r.fd, "tofile"), 0);
	ck_assert_int_eq(fs_mkdir_in_root(r.fd, "n2/../tofile/x", 0755), -ENOTDIR);
	memset(big, 'a', 4999);
	big[4999] = '\0';
	ck_assert_int_eq(fs_mkdir_in_root(r.fd, big, 0755), -ENAMETOOLONG);
}
END_TEST

/* links that grow what is left to do must come to an end */
START_TEST(mkdir_in_root_growing_links_end)
{
	ROOT r = root_make();

	if (under_valgrind())
		return; /* no openat2 */
	ck_assert_int_eq(symlinkat("g/g/g/missing", r.fd, "g"), 0);
	ck_assert_int_eq(fs_mkdir_in_root(r.fd, "q/../g", 0755), -ELOOP);
}
END_TEST

START_TEST(mkfile_in_root)
{
	ROOT r = root_make();
	struct stat st;
	int fd;

	if (under_valgrind())
		return; /* no openat2 */
	umask(022);
	fd = fs_mkfile_in_root(r.fd, "etc/sub/hosts", 0644);
	ck_assert_int_ge(fd, 0);
	ck_assert(same_file(fd, r.fd, "etc/sub/hosts"));
	close(fd);
	ck_assert_int_eq(fstatat(r.fd, "etc/sub", &st, 0), 0);
	ck_assert_uint_eq(st.st_mode, S_IFDIR | 0755);
	ck_assert_int_eq(fstatat(r.fd, "etc/sub/hosts", &st, 0), 0);
	ck_assert_uint_eq(st.st_mode, S_IFREG | 0644);
	put(r.fd, "etc/sub/hosts", "kept");
	fd = fs_mkfile_in_root(r.fd, "/etc/sub/hosts", 0644);
	ck_assert_int_ge(fd, 0);
	close(fd);
	check_file(r.fd, "etc/sub/hosts", "kept");
	ck_assert_int_eq(symlinkat("/run/target", r.fd, "etc/link"), 0);
	fd = fs_mkfile_in_root(r.fd, "etc/link", 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert(same_file(fd, r.fd, "run/target"));
	close(fd);
	ck_assert_int_eq(symlinkat("../../secret2", r.fd, "evil"), 0);
	fd = fs_mkfile_in_root(r.fd, "evil", 0600);
	ck_assert(same_file(fd, r.fd, "secret2"));
	close(fd);
	ck_assert(!is_there(r.tmp.fd, "secret2"));
	ck_assert_int_eq(fs_mkfile_in_root(r.fd, "etc/sub/hosts/x", 0644), -ENOTDIR);
}
END_TEST

/*
 * Another process swaps a directory for a link to the host all the while:
 * whatever comes of each call, nothing may appear outside.
 */
START_TEST(mkdir_in_root_survives_a_race)
{
	ROOT r = root_make();
	char outside[300], name[64];
	pid_t pid;
	int i, fd;

	if (under_valgrind())
		return; /* no openat2 */
	snprintf(outside, sizeof(outside), "%s/out", r.tmp.path);
	ck_assert_int_eq(mkdir(outside, 0700), 0);
	ck_assert_int_eq(mkdirat(r.fd, "d", 0700), 0);
	ck_assert_int_eq(symlinkat("../../out", r.fd, "l"), 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			(void)!renameat2(r.fd, "d", r.fd, "l", RENAME_EXCHANGE);
	}
	for (i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "d/x%d/y", i);
		fd = fs_mkdir_in_root(r.fd, name, 0755);
		if (fd >= 0)
			close(fd);
	}
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert_uint_eq(count_entries(outside), 0);
}
END_TEST

/* ---- paths as text ---- */

START_TEST(abspath)
{
	static const char *const cases[][3] = {
		{ "/a/b", "c", "/a/b/c" },
		{ "/a/b", "../c", "/a/c" },
		{ "/a/b", "/x/./y//z/", "/x/y/z" },
		{ "/a", "../../..", "/" },
		{ "/", ".", "/" },
		{ "/a//b/../c/", "", "/a/c" },
		{ "/a", "..b/...", "/a/..b/..." },
		{ "/a", "/", "/" },
	};
	AUTO_FREE char *cwd = getcwd(NULL, 0);
	AUTO_FREE char *here = fs_abspath(NULL, "x/..");
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_FREE char *p = fs_abspath(cases[i][0], cases[i][1]);

		ck_assert_str_eq(p, cases[i][2]);
	}
	ck_assert_str_eq(here, cwd);
}
END_TEST

START_TEST(below)
{
	ck_assert(fs_is_below("/a/b", "/a"));
	ck_assert(fs_is_below("/a", "/a"));
	ck_assert(fs_is_below("/a", "/"));
	ck_assert(fs_is_below("/", "/"));
	ck_assert(!fs_is_below("/ab", "/a"));
	ck_assert(!fs_is_below("/", "/a"));
	ck_assert(!fs_is_below("/b/a", "/a"));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		read_up_to_the_limit,
		read_what_has_no_size,
		write_str_does_not_create,
		atomic_write_replaces,
		atomic_write_failure_leaves_nothing,
		leftover_temp_file_is_no_obstacle,
		memfd_is_sealed,
		mkdir_p_makes_parents,
		mkdir_p_refuses_what_is_no_directory,
		remove_tree_of_all_kinds,
		remove_tree_deep_and_wide,
		remove_tree_stays_on_its_mount,
		open_in_root_cannot_leave,
		mkdir_in_root,
		mkdir_in_root_follows_links_inside,
		mkdir_in_root_refuses,
		mkdir_in_root_growing_links_end,
		mkfile_in_root,
		mkdir_in_root_survives_a_race,
		abspath,
		below,
	};

	return suite_run("fs", tests, ARRAY_SIZE(tests));
}

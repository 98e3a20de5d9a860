// SPDX-License-Identifier: Apache-2.0
/* Directories and records of containers: whose they are, what is left of them, what they say. */
#include <errno.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/proc.h"
#include "store/store.h"
#include "suite.h"

static struct kata_err err;

static struct store_record sample(const char *id)
{
	return (struct store_record){
		.version = STORE_RECORD_VERSION,
		.id = id,
		.bundle = "/b",
		.rootfs = "/b/rootfs",
		.created = "2026-01-02T03:04:05.000000006Z",
		.owner = "root",
		.oci_version = "1.3.0",
		.sandbox_id = id,
		.cgroup = "",
	};
}

static struct store_dir create(const char *root, const char *id)
{
	struct store_dir d = STORE_DIR_INIT;
	struct store_record r = sample(id);

	ck_assert_int_eq(store_create(root, id, &d, &err), 0);
	ck_assert_int_eq(store_record_write(&d, &r, &err), 0);
	return d;
}

static void make_file(int dirfd, const char *name, const char *text)
{
	ck_assert_int_eq(fs_write_atomic(dirfd, name, text, strlen(text), 0600), 0);
}

static bool exists(const struct tmp *t, const char *name)
{
	return faccessat(t->fd, name, F_OK, 0) == 0;
}

START_TEST(create_makes_private_directory)
{
	TMP t = tmp_make();
	AUTO_FREE char *root = mem_printf("%s/deep/root", t.path);
	struct store_dir d = create(root, "a");
	struct stat st;

	ck_assert_int_eq(fstat(d.fd, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
	ck_assert_int_eq(stat(root, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0711);
	ck_assert_int_ge(d.lock_fd, 0);
	ck_assert(str_has_suffix(d.path, "/deep/root/a"));
	store_dir_done(&d);
}
END_TEST

START_TEST(create_refuses_existing)
{
	TMP t = tmp_make();
	struct store_dir d = create(t.path, "a"), again = STORE_DIR_INIT;

	ck_assert_int_eq(store_create(t.path, "a", &again, &err), -EEXIST);
	ck_assert_str_eq(err.msg, "container with given ID already exists");
	/* another runtime's; an empty one could be what a killed create of ours left */
	ck_assert_int_eq(mkdirat(t.fd, "foreign", 0700), 0);
	make_file(t.fd, "foreign/state.json", "{}");
	ck_assert_int_eq(store_create(t.path, "foreign", &again, &err), -EEXIST);
	ck_assert(exists(&t, "foreign"));
	store_dir_done(&d);
}
END_TEST

static const char *const bad_ids[] = { "", ".", "..", "a/b", "a b", "\xc3\xa4", "../a" };

START_TEST(bad_ids_touch_nothing)
{
	TMP t = tmp_make();
	struct store_dir d = STORE_DIR_INIT;
	struct strv ids = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(bad_ids); i++) {
		ck_assert_int_lt(store_create(t.path, bad_ids[i], &d, &err), 0);
		ck_assert_int_lt(store_open(t.path, bad_ids[i], true, &d, &err), 0);
	}
	ck_assert_int_eq(store_list(t.path, &ids, &err), 0);
	ck_assert_uint_eq(ids.n, 0);
}
END_TEST

START_TEST(open_knows_its_own_only)
{
	TMP t = tmp_make();
	struct store_dir d = STORE_DIR_INIT;

	ck_assert_int_eq(store_open(t.path, "a", false, &d, &err), -ENOENT);
	ck_assert_str_eq(err.msg, "container does not exist");
	ck_assert_int_eq(mkdirat(t.fd, "foreign", 0700), 0);
	ck_assert_int_eq(store_open(t.path, "foreign", true, &d, &err), -ENOENT);
	make_file(t.fd, "file", "");
	ck_assert_int_eq(store_open(t.path, "file", false, &d, &err), -ENOENT);
	ck_assert_int_eq(symlinkat("/tmp", t.fd, "link"), 0);
	ck_assert_int_eq(store_open(t.path, "link", false, &d, &err), -ENOENT);
}
END_TEST

START_TEST(list_is_sorted_and_skips_strangers)
{
	TMP t = tmp_make();
	static const char *const made[] = { "b", "a", "c.d", "_x" };
	struct strv ids = { 0 };
	struct store_dir d;

	for (size_t i = 0; i < ARRAY_SIZE(made); i++) {
		d = create(t.path, made[i]);
		store_dir_done(&d);
	}
	ck_assert_int_eq(mkdirat(t.fd, "moby", 0700), 0);
	make_file(t.fd, "file", "x");
	ck_assert_int_eq(store_list(t.path, &ids, &err), 0);
	ck_assert_uint_eq(ids.n, 4);
	ck_assert_str_eq(ids.v[0], "_x");
	ck_assert_str_eq(ids.v[1], "a");
	ck_assert_str_eq(ids.v[2], "b");
	ck_assert_str_eq(ids.v[3], "c.d");
	strv_done(&ids);
	ck_assert_int_eq(store_list("/nonexistent/root", &ids, &err), -ENOENT);
}
END_TEST

START_TEST(remove_takes_everything)
{
	TMP t = tmp_make();
	struct store_dir d = create(t.path, "a");

	make_file(d.fd, "config.json", "{}");
	ck_assert_int_eq(mkdirat(d.fd, "share", 0700), 0);
	ck_assert_int_eq(symlinkat("/etc/passwd", d.fd, "link"), 0);
	ck_assert_int_eq(store_remove(t.path, "a", &d, &err), 0);
	ck_assert(!exists(&t, "a"));
	ck_assert_int_eq(d.fd, -1);
	ck_assert_int_eq(access("/etc/passwd", F_OK), 0);
}
END_TEST

/* A delete that was killed half-way left the record: the next one finds it again. */
START_TEST(remove_may_be_repeated)
{
	TMP t = tmp_make();
	struct store_dir d = create(t.path, "a");

	store_dir_done(&d);
	ck_assert_int_eq(store_open(t.path, "a", true, &d, &err), 0);
	ck_assert_int_eq(store_remove(t.path, "a", &d, &err), 0);
	ck_assert_int_eq(store_open(t.path, "a", true, &d, &err), -ENOENT);
}
END_TEST

START_TEST(sweep_removes_unrecorded_leftovers_only)
{
	TMP t = tmp_make();
	struct store_dir d = STORE_DIR_INIT, held = STORE_DIR_INIT;

	/* killed between mkdir and the first record */
	ck_assert_int_eq(store_create(t.path, "left", &d, &err), 0);
	store_dir_done(&d);
	store_sweep(t.path, "left");
	ck_assert(!exists(&t, "left"));
	/* while it wrote that */
	ck_assert_int_eq(store_create(t.path, "left", &d, &err), 0);
	make_file(d.fd, FS_TMP_PREFIX "77.0", "{");
	store_dir_done(&d);
	store_sweep(t.path, "left");
	ck_assert(!exists(&t, "left"));
	/* the same, but its creator is alive */
	ck_assert_int_eq(store_create(t.path, "held", &held, &err), 0);
	store_sweep(t.path, "held");
	ck_assert(exists(&t, "held/lock"));
	store_dir_done(&held);
	/* a container */
	d = create(t.path, "real");
	store_dir_done(&d);
	store_sweep(t.path, "real");
	ck_assert(exists(&t, "real/record.json"));
	/* somebody else's */
	ck_assert_int_eq(mkdirat(t.fd, "foreign", 0700), 0);
	make_file(t.fd, "foreign/state.json", "{}");
	store_sweep(t.path, "foreign");
	ck_assert(exists(&t, "foreign/state.json"));
	/* nobody's */
	ck_assert_int_eq(mkdirat(t.fd, "empty", 0700), 0);
	store_sweep(t.path, "empty");
	ck_assert(!exists(&t, "empty"));
}
END_TEST

START_TEST(leftover_does_not_block_its_id)
{
	TMP t = tmp_make();
	struct store_dir d = STORE_DIR_INIT;

	ck_assert_int_eq(store_create(t.path, "a", &d, &err), 0);
	store_dir_done(&d);
	d = create(t.path, "a");
	store_dir_done(&d);
}
END_TEST

START_TEST(lock_is_exclusive_and_told)
{
	TMP t = tmp_make();
	struct store_dir d = create(t.path, "a"), other = STORE_DIR_INIT;
	int fd;

	ck_assert(!store_is_busy(&d)); /* it is us */
	ck_assert_int_eq(store_open(t.path, "a", false, &other, &err), 0);
	ck_assert(store_is_busy(&other));
	fd = openat(d.fd, "lock", O_RDWR | O_CLOEXEC);
	ck_assert_int_eq(flock(fd, LOCK_EX | LOCK_NB), -1);
	store_dir_done(&d);
	ck_assert_int_eq(flock(fd, LOCK_EX | LOCK_NB), 0);
	close(fd);
	store_dir_done(&other);
}
END_TEST

START_TEST(record_survives_the_disk)
{
	TMP t = tmp_make();
	static const char *const keys[] = { "k\"1", "k2" }, *const vals[] = { "v\n1",
									      "" };
	const struct store_proc shim = { 42, UINT64_MAX };
	struct store_dir d = create(t.path, "a");
	struct store_record r = sample("a"), got;
	AUTO(arena) *arena = arena_new();

	r.phase = STORE_RUNNING;
	r.shim = &shim;
	r.has_hooks = true;
	r.has_process = true;
	r.cgroup = "cpu:/a\nmemory:/b/a"; /* a name may have lines */
	r.sandbox_cgroup = "cgroupfs:/first";
	r.vm_memory = UINT64_C(1) << 40;
	r.annotations = (struct jt_map){ keys, vals, 2 };
	ck_assert_int_eq(store_record_write(&d, &r, &err), 0);
	ck_assert_int_eq(store_record_read(&d, arena, &got, &err), 0);
	ck_assert_int_eq(got.phase, STORE_RUNNING);
	ck_assert_int_eq(got.shim->pid, 42);
	ck_assert(got.shim->start == UINT64_MAX);
	ck_assert_ptr_null(got.sandbox);
	ck_assert(got.has_hooks && got.has_process);
	ck_assert_uint_eq(got.annotations.n, 2);
	ck_assert_str_eq(got.annotations.keys[0], "k\"1");
	ck_assert_str_eq(got.annotations.vals[0], "v\n1");
	ck_assert_str_eq(got.created, r.created);
	ck_assert_str_eq(got.sandbox_id, "a");
	ck_assert_str_eq(got.cgroup, r.cgroup);
	ck_assert_str_eq(got.sandbox_cgroup, r.sandbox_cgroup);
	ck_assert(got.vm_memory == r.vm_memory);
	store_dir_done(&d);
}
END_TEST

/* What another VM still stands in is not given out, whoever it was made for. */
START_TEST(sandbox_names_are_free)
{
	static const char *const names[] = { "a", "a~2", "a~3" };
	TMP t = tmp_make();

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		AUTO_FREE char *name = store_sandbox_name(t.path, "a");
		AUTO_CLOSE int fd = -1;

		ck_assert_str_eq(name, names[i]);
		fd = store_sandbox_create(t.path, name, &err);
		ck_assert_int_ge(fd, 0);
		ck_assert_int_eq(store_sandbox_create(t.path, name, &err), -EEXIST);
	}
	ck_assert_int_eq(store_sandbox_remove(t.path, "a", &err), 0);
	ck_assert_int_eq(store_sandbox_remove(t.path, "a", &err), 0);
	{
		AUTO_FREE char *again = store_sandbox_name(t.path, "a");

		ck_assert_str_eq(again, "a");
	}
}
END_TEST

static const struct {
	const char *text, *says;
} bad_records[] = {
	{ "", "record.json: " },
	{ "{", "record.json: " },
	{ "{\"version\":2,\"id\":5}", "version 2 is not known" },
	{ "{\"version\":1}", "id" },
	{ "{\"version\":1,\"id\":\"a\",\"bundle\":\"/b\",\"rootfs\":\"/r\",\"created\":\"x\","
	  "\"phase\":\"flying\",\"sandboxId\":\"a\"}",
	  "phase" },
	{ "{\"version\":1,\"id\":\"a\",\"bundle\":\"/b\",\"rootfs\":\"/r\",\"created\":\"x\","
	  "\"phase\":\"running\",\"sandboxId\":\"a\",\"shim\":{\"pid\":-1,\"start\":1}}",
	  "shim.pid" },
};

START_TEST(damaged_records_are_errors)
{
	TMP t = tmp_make();
	struct store_dir d = create(t.path, "a");
	AUTO(arena) *arena = arena_new();
	struct store_record got;

	for (size_t i = 0; i < ARRAY_SIZE(bad_records); i++) {
		make_file(d.fd, "record.json", bad_records[i].text);
		ck_assert_int_lt(store_record_read(&d, arena, &got, &err), 0);
		ck_assert_msg(strstr(err.msg, bad_records[i].says) != NULL, "%s",
			      err.msg);
	}
	store_dir_done(&d);
}
END_TEST

START_TEST(status_follows_the_shim)
{
	TMP t = tmp_make();
	struct store_proc me = { getpid(), 0 }, other;
	struct store_dir d = create(t.path, "a"), reader = STORE_DIR_INIT;
	struct store_record r = sample("a");

	ck_assert_int_eq(proc_start_time(getpid(), &me.start), 0);
	ck_assert_int_eq(store_open(t.path, "a", false, &reader, &err), 0);
	/* no shim yet: the creator at work, then gone */
	ck_assert_int_eq(store_status(&reader, &r), OCI_CREATING);
	store_dir_done(&d);
	ck_assert_int_eq(store_status(&reader, &r), OCI_STOPPED);
	r.shim = &me;
	ck_assert_int_eq(store_status(&reader, &r), OCI_CREATING);
	r.phase = STORE_CREATED;
	ck_assert_int_eq(store_status(&reader, &r), OCI_CREATED);
	r.phase = STORE_RUNNING;
	ck_assert_int_eq(store_status(&reader, &r), OCI_RUNNING);
	r.phase = STORE_PAUSED;
	ck_assert_int_eq(store_status(&reader, &r), OCI_PAUSED);
	/* the pid is somebody else's by now */
	other = (struct store_proc){ me.pid, me.start + 1 };
	r.shim = &other;
	ck_assert_int_eq(store_status(&reader, &r), OCI_STOPPED);
	store_dir_done(&reader);
}
END_TEST

START_TEST(default_root_of_root_ignores_the_environment)
{
	AUTO_FREE char *root = NULL;

	setenv("XDG_RUNTIME_DIR", "/somewhere", 1);
	root = store_default_root();
	ck_assert_str_eq(root, geteuid() == 0 ? "/run/kata" : "/somewhere/kata");
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		create_makes_private_directory,
		create_refuses_existing,
		bad_ids_touch_nothing,
		open_knows_its_own_only,
		list_is_sorted_and_skips_strangers,
		remove_takes_everything,
		remove_may_be_repeated,
		sweep_removes_unrecorded_leftovers_only,
		leftover_does_not_block_its_id,
		lock_is_exclusive_and_told,
		record_survives_the_disk,
		sandbox_names_are_free,
		damaged_records_are_errors,
		status_follows_the_shim,
		default_root_of_root_ignores_the_environment,
	};

	return suite_run("store", tests, ARRAY_SIZE(tests));
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oom: engines learn that a container ran out of memory from the host's memory cgroup: containerd and
 * conmon wait for the kernel's notice there (v1 an eventfd on memory.oom_control, v2 memory.events).
 * When the limit was met in the guest the host's kernel knows of nothing. So we let it see one more of
 * the kind: a helper in the container's group takes memory until the kernel kills it, and for that
 * moment the group's limit is a little above what it uses now.
 *
 * It offers itself (oom_score_adj 1000). That alone does not save the VMM: the kernel's score of the
 * helper is its memory plus the limit, of the VMM its memory with the pages of files that count
 * for others (70 MB of QEMU and its libraries, measured: QEMU was chosen with 16 MB of room). So the
 * room, which is in the helper's score twice, is larger than that.
 *
 * Exits of the container are told when that has happened: an engine that hears of the exit first does
 * not look any more.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"
#include "sandbox.h"

/** Room above the present use while the helper works, bytes. */
#define OOM_ROOM (128ull << 20)
/** More than this the helper never takes, bytes. */
#define OOM_MAX (1ull << 40)

/* @both: of memory and swap together, never below @limit; with v2 swap has a limit of its own. */
struct names {
	const char *usage, *limit, *both;
};

static const struct names v1 = { "memory.usage_in_bytes", "memory.limit_in_bytes",
				 "memory.memsw.limit_in_bytes" };
static const struct names v2 = { "memory.current", "memory.max", NULL };

static const struct names *names_in(int dir)
{
	return faccessat(dir, v2.limit, F_OK, 0) == 0 ? &v2 : &v1;
}

/* A line of digits; "max" is UINT64_MAX. */
static int read_number(int dir, const char *name, char text[32], uint64_t *ret)
{
	AUTO_FREE char *all = NULL;
	size_t len;
	int r = fs_read_at(dir, name, 4096, &all, &len);

	if (r < 0)
		return r;
	all[strcspn(all, "\n")] = '\0';
	if (!str_copy(text, 32, all))
		return -EINVAL;
	*ret = UINT64_MAX;
	return str_eq(text, "max") ? 0 : str_to_u64(text, 0, UINT64_MAX, ret);
}

/* With v1 a group may be told not to kill but to wait: then a helper would hang. */
static bool waits_instead(int dir)
{
	AUTO_FREE char *text = NULL;
	size_t len;

	return fs_read_at(dir, "memory.oom_control", 4096, &text, &len) == 0 &&
	       strstr(text, "oom_kill_disable 1");
}

/* The kubelet sets it as low as the limit, which could not be raised then. None without swap accounting. */
static int raise_both(struct container *ct, const char *name, uint64_t to)
{
	char was[32], text[32];
	uint64_t now;
	int r = name ? read_number(ct->memory_fd, name, was, &now) : -ENOENT;

	if (r < 0 || now >= to)
		return r == -ENOENT ? 0 : r;
	snprintf(text, sizeof(text), "%llu", (unsigned long long)to);
	r = fs_write_str(ct->memory_fd, name, text);
	if (r == 0)
		str_copy(ct->oom.both, sizeof(ct->oom.both), was);
	return r;
}

/* Return in @ret_bytes what the helper has to ask for to meet the limit for sure. */
static int set_limit(struct container *ct, uint64_t *ret_bytes)
{
	const struct names *n = names_in(ct->memory_fd);
	uint64_t limit, usage;
	char text[32];
	int r = read_number(ct->memory_fd, n->limit, ct->oom.limit, &limit);

	if (r == 0)
		r = read_number(ct->memory_fd, n->usage, text, &usage);
	if (r == 0)
		r = raise_both(ct, n->both, usage + OOM_ROOM);
	if (r < 0)
		return r;
	/* above the old one, too, when that is near */
	snprintf(text, sizeof(text), "%llu", (unsigned long long)(usage + OOM_ROOM));
	*ret_bytes = usage + 2 * OOM_ROOM;
	return fs_write_str(ct->memory_fd, n->limit, text);
}

static void restore(struct container *ct, const char *name, char was[32])
{
	int r = *was ? fs_write_str(ct->memory_fd, name, was) : 0;

	if (r < 0)
		log_warn("%s of %s is not what it was: %s", name, ct->id, err_text(-r));
	was[0] = '\0';
}

static void restore_limit(struct container *ct)
{
	const struct names *n = names_in(ct->memory_fd);

	restore(ct, n->limit, ct->oom.limit);
	restore(ct, n->both, ct->oom.both);
}

static void on_helper_end(struct child *c, const char *why)
{
	struct container *ct = CONTAINER_OF(c, struct container, oom.helper);

	log_debug("out of memory in the guest, shown on the host: %s", why);
	restore_limit(ct);
	container_tell_exits(ct);
}

static int start_helper(struct container *ct, uint64_t bytes, struct kata_err *err)
{
	AUTO_CLOSE int exe = open("/proc/self/exe", O_PATH | O_CLOEXEC);
	AUTO_CLOSE int procs = openat(ct->memory_fd, "cgroup.procs",
				      O_WRONLY | O_CLOEXEC);
	struct proc_spawn sp = PROC_SPAWN_INIT;
	char text[32];

	if (exe < 0 || procs < 0)
		return err_sys(err, "open what the helper needs");
	snprintf(text, sizeof(text), "%llu", (unsigned long long)bytes);
	sp.exec_fd = exe;
	sp.argv = (char *[]){ (char *)"kata-sandbox", (char *)OOM_HELPER_ARG, text,
			      NULL };
	sp.cgroup_procs = &procs;
	sp.n_cgroup_procs = 1;
	sp.pdeathsig = SIGKILL;
	ct->oom.helper.name = "the memory helper";
	ct->oom.helper.on_end = on_helper_end;
	return child_start(&ct->oom.helper, ct->sb->loop, &sp, err);
}

void oom_show(struct container *ct)
{
	struct kata_err err = { 0 };
	uint64_t bytes;
	int r;

	if (ct->memory_fd < 0 || !oom_is_shown(ct) || waits_instead(ct->memory_fd))
		return;
	r = set_limit(ct, &bytes);
	if (r == 0)
		r = start_helper(ct, bytes, &err);
	if (r < 0) {
		log_debug("out of memory cannot be shown on the host: %s",
			  *err.msg ? err.msg : err_text(-r));
		restore_limit(ct);
	}
}

bool oom_is_shown(const struct container *ct)
{
	return !child_is_running(&ct->oom.helper);
}

void oom_stop(struct container *ct)
{
	if (oom_is_shown(ct))
		return;
	child_stop(&ct->oom.helper);
	restore_limit(ct);
}

int oom_helper(const char *bytes)
{
	uint64_t n, page = (uint64_t)sysconf(_SC_PAGESIZE);
	volatile unsigned char *p;

	if (fs_write_str(AT_FDCWD, "/proc/self/oom_score_adj", "1000") < 0 ||
	    str_to_u64(bytes, 1, OOM_MAX, &n) < 0)
		return 2;
	p = mmap(NULL, n, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		return 2;
	for (uint64_t at = 0; at < n; at += page)
		p[at] = 1;
	return 1; /* the limit let all of it pass */
}

// SPDX-License-Identifier: Apache-2.0
#include "net/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/jtab.h"
#include "base/log.h"
#include "base/str.h"
#include "net/tc.h"

#define TRACE_NAME "net.json"
#define TRACE_MAX 16384
#define PORTS_PATH "/proc/sys/net/ipv4/ip_local_port_range" /* of IPv6 as well */
#define MOUNTINFO_MAX (16u << 20)

/* As it is in the file. */
struct trace_file {
	uint64_t dev, ino, cookie;
	const char *path, *ports;
	struct jt_objv interfaces;
};

static const struct jt_field mark_fields[] = {
	JT(struct net_mark, index, JT_I32, .flags = JT_REQUIRED, .min = 1,
	   .max = INT32_MAX),
	JT(struct net_mark, qdisc, JT_BOOL),
};

static const struct jtab mark_tab = {
	.what = "interface",
	.size = sizeof(struct net_mark),
	.fields = mark_fields,
	.n_fields = ARRAY_SIZE(mark_fields),
};

static const struct jt_field trace_fields[] = {
	JT(struct trace_file, dev, JT_U64, .flags = JT_REQUIRED),
	JT(struct trace_file, ino, JT_U64, .flags = JT_REQUIRED),
	JT(struct trace_file, cookie, JT_U64),
	JT(struct trace_file, path, JT_STR),
	JT(struct trace_file, ports, JT_STR),
	JT(struct trace_file, interfaces, JT_OBJV, .sub = &mark_tab),
};

static const struct jtab trace_tab = {
	.what = "network",
	.size = sizeof(struct trace_file),
	.fields = trace_fields,
	.n_fields = ARRAY_SIZE(trace_fields),
};

static int remove_trace(int dirfd, struct kata_err *err)
{
	return unlinkat(dirfd, TRACE_NAME, 0) < 0 && errno != ENOENT
		       ? err_sys(err, "remove " TRACE_NAME)
		       : 0;
}

int net_trace_write(int dirfd, const struct net_trace *t, struct kata_err *err)
{
	const struct trace_file f = {
		.dev = t->ns.dev,
		.ino = t->ns.ino,
		.cookie = t->ns.cookie,
		.path = t->path,
		.ports = t->ports,
		.interfaces = { t->marks, t->n_marks },
	};
	struct buf b = { 0 };
	struct json_out o = { .buf = &b };
	int r;

	if (!t->n_marks && !t->ports)
		return remove_trace(dirfd, err);
	jtab_encode(&trace_tab, &f, &o);
	r = fs_write_atomic(dirfd, TRACE_NAME, buf_ptr(&b), buf_len(&b), 0600);
	buf_done(&b);
	return r < 0 ? err_sys_code(err, r, "write " TRACE_NAME) : 0;
}

int net_trace_read(int dirfd, struct arena *a, struct net_trace *ret,
		   struct kata_err *err)
{
	AUTO_FREE char *text = NULL;
	const struct json *j;
	struct trace_file f;
	size_t len;
	int r = fs_read_at(dirfd, TRACE_NAME, TRACE_MAX, &text, &len);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return err_sys_code(err, r, "read " TRACE_NAME);
	r = json_parse(text, len, &json_limits_default, a, &j, err);
	if (r == 0)
		r = jtab_decode(&trace_tab, j, a, "", &f, err);
	if (r == 0 && f.interfaces.n > NET_MAX_CARDS)
		r = err_set(err, -E2BIG, "interfaces: more than a VM has");
	if (r < 0)
		return err_ctx(err, TRACE_NAME);
	*ret = (struct net_trace){ .ns = { f.dev, f.ino, f.cookie },
				   .path = f.path,
				   .ports = f.ports,
				   .n_marks = f.interfaces.n };
	if (f.interfaces.n)
		memcpy(ret->marks, f.interfaces.v, f.interfaces.n * sizeof(*ret->marks));
	return 1;
}

/* --- finding the namespace --------------------------------------------------------------- */

static int open_if_it(const char *path, const struct netns_id *ns)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || st.st_dev != ns->dev || st.st_ino != ns->ino)
		return -1;
	return TAKE_FD(fd);
}

/* Octal escapes of proc_pid_mountinfo(5), in place. */
static void unescape(char *s)
{
	char *to = s;

	for (; *s; s++) {
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' &&
		    s[2] <= '7' && s[3] >= '0' && s[3] <= '7') {
			*to++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 |
				       (s[3] - '0'));
			s += 3;
		} else {
			*to++ = *s;
		}
	}
	*to = 0;
}

/* "36 35 0:4 net:[4026532281] /run/netns/x rw ...": engines keep namespaces by mounting them. */
static int open_mounted(const struct netns_id *ns)
{
	AUTO_FREE char *want = mem_printf("net:[%llu]", (unsigned long long)ns->ino);
	AUTO_FREE char *text = NULL;
	char *line, *lines, *word;
	size_t len;
	int fd = -1;

	if (fs_read_at(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_MAX, &text, &len) < 0)
		return -1;
	lines = text;
	while (fd < 0 && (line = strsep(&lines, "\n"))) {
		for (int i = 0; i < 3; i++)
			strsep(&line, " ");
		word = strsep(&line, " ");
		if (!word || !line || !str_eq(word, want))
			continue;
		word = strsep(&line, " ");
		unescape(word);
		fd = open_if_it(word, ns);
	}
	return fd;
}

/* --- ports ------------------------------------------------------------------------------- */

int net_ports_get(char **ret_ports, struct kata_err *err)
{
	AUTO_FREE char *text = NULL;
	size_t len = 0;
	int r = fs_read_at(AT_FDCWD, PORTS_PATH, 64, &text, &len);

	if (r < 0)
		return err_sys_code(err, r, "read " PORTS_PATH);
	text[strcspn(text, "\n")] = 0;
	*ret_ports = TAKE_PTR(text);
	return 0;
}

int net_ports_set(const char *ports, struct kata_err *err)
{
	int r = fs_write_str(AT_FDCWD, PORTS_PATH, ports);

	return r < 0 ? err_sys_code(err, r, "write \"%s\" to " PORTS_PATH, ports) : 0;
}

/* --- undoing ----------------------------------------------------------------------------- */

static int undo_here(void *arg, struct kata_err *err)
{
	const struct net_trace *t = arg;
	AUTO_NL *sk = NULL;
	struct netns_id here;
	int r = netns_id_own(&here, err);

	if (r < 0)
		return r;
	if (t->ns.cookie && here.cookie && t->ns.cookie != here.cookie)
		return 0; /* another one, that has got its number */
	r = nl_open(&sk, err);
	for (size_t i = 0; i < t->n_marks && r == 0; i++)
		r = tc_unwire(sk, t->marks[i].index, t->marks[i].qdisc, err);
	return r == 0 && t->ports ? net_ports_set(t->ports, err) : r;
}

int net_trace_undo(int dirfd, struct kata_err *err)
{
	AUTO(arena) *a = arena_new();
	AUTO_CLOSE int fd = -1;
	struct net_trace t;
	int r = net_trace_read(dirfd, a, &t, err);

	if (r <= 0)
		return r;
	if (t.path)
		fd = open_if_it(t.path, &t.ns);
	if (fd < 0)
		fd = open_mounted(&t.ns);
	if (fd < 0)
		log_debug("the network namespace %llu has gone",
			  (unsigned long long)t.ns.ino);
	else
		r = netns_run(fd, undo_here, &t, err);
	return r < 0 ? err_ctx(err, "clean up the network") : remove_trace(dirfd, err);
}

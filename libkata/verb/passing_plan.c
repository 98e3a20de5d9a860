// SPDX-License-Identifier: Apache-2.0
/*
 * passing_plan: a table of kinds of descriptors, the first that fits counts. A kind either says what
 * is made of it in the guest or why nothing is.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>

#include "base/str.h"
#include "verb/passing.h"

/* Members of major 1 (Documentation/admin-guide/devices.txt) that are the same in every machine. */
static const char *device_name(const struct passing_facts *f)
{
	static const struct {
		unsigned minor;
		const char *name;
	} devices[] = {
		{ 3, "null" },	 { 5, "zero" },	   { 7, "full" },
		{ 8, "random" }, { 9, "urandom" },
	};

	if (!S_ISCHR(f->st.st_mode) || major(f->st.st_rdev) != 1)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
		if (minor(f->st.st_rdev) == devices[i].minor)
			return devices[i].name;
	}
	return NULL;
}

static bool is_mode(const struct passing_facts *f, mode_t type)
{
	return (f->st.st_mode & S_IFMT) == type;
}

/* The kernel mounts nothing that has no name left. */
static bool is_nameless(const struct passing_facts *f)
{
	return (is_mode(f, S_IFREG) || is_mode(f, S_IFDIR)) && f->st.st_nlink == 0;
}

static bool is_file(const struct passing_facts *f)
{
	return is_mode(f, S_IFREG) || is_mode(f, S_IFDIR);
}

static bool is_device(const struct passing_facts *f)
{
	return device_name(f) != NULL && !(f->flags & O_PATH);
}

static bool is_terminal(const struct passing_facts *f)
{
	return f->tty;
}

static bool is_char_device(const struct passing_facts *f)
{
	return is_mode(f, S_IFCHR);
}

static bool is_block_device(const struct passing_facts *f)
{
	return is_mode(f, S_IFBLK);
}

static bool is_link(const struct passing_facts *f)
{
	return is_mode(f, S_IFLNK);
}

/* Of a fifo or a socket in a directory. */
static bool is_handle(const struct passing_facts *f)
{
	return f->flags & O_PATH;
}

static bool is_both_ends(const struct passing_facts *f)
{
	return is_mode(f, S_IFIFO) && (f->flags & O_ACCMODE) == O_RDWR;
}

static bool is_pipe(const struct passing_facts *f)
{
	return is_mode(f, S_IFIFO);
}

/* -1 = of no use in the guest */
static int family_of(const struct passing_facts *f)
{
	switch (f->family) {
	case AF_UNIX:
		return PASSED_UNIX;
	case AF_INET:
		return PASSED_INET;
	case AF_INET6:
		return PASSED_INET6;
	default:
		return -1;
	}
}

static bool is_listener(const struct passing_facts *f)
{
	return is_mode(f, S_IFSOCK) && f->listens && f->type == SOCK_STREAM &&
	       family_of(f) >= 0;
}

static bool is_other_listener(const struct passing_facts *f)
{
	return is_mode(f, S_IFSOCK) && f->listens;
}

static bool is_stream(const struct passing_facts *f)
{
	return is_mode(f, S_IFSOCK) && f->type == SOCK_STREAM && f->connected;
}

static bool is_lone_stream(const struct passing_facts *f)
{
	return is_mode(f, S_IFSOCK) && f->type == SOCK_STREAM;
}

static bool is_socket(const struct passing_facts *f)
{
	return is_mode(f, S_IFSOCK);
}

#define REFUSED PASSED_KINDS

static const struct {
	bool (*is)(const struct passing_facts *f);
	enum passed_kind kind;
	const char *name; /* of a refused one */
} kinds[] = {
	{ is_nameless, REFUSED, "a file without a name (deleted, or a memfd)" },
	{ is_file, PASSED_FILE, NULL },
	{ is_device, PASSED_DEVICE, NULL },
	{ is_terminal, REFUSED, "a terminal" },
	{ is_char_device, REFUSED, "a character device" },
	{ is_block_device, REFUSED, "a block device" },
	{ is_link, REFUSED, "a symbolic link" },
	{ is_handle, REFUSED, "a handle of a fifo or socket (O_PATH)" },
	{ is_both_ends, REFUSED, "a fifo that is open for reading and writing" },
	{ is_pipe, PASSED_PIPE, NULL },
	{ is_listener, PASSED_LISTENER, NULL },
	{ is_other_listener, REFUSED,
	  "a listening socket that is no unix or TCP stream" },
	{ is_stream, PASSED_SOCKET, NULL },
	{ is_lone_stream, REFUSED, "a socket without a connection" },
	{ is_socket, REFUSED, "a socket that keeps messages apart (no SOCK_STREAM)" },
};

static enum passed_access access_of(const struct passing_facts *f)
{
	if (is_socket(f))
		return PASSED_BOTH;
	switch (f->flags & O_ACCMODE) {
	case O_WRONLY:
		return PASSED_WRITE;
	case O_RDWR:
		return PASSED_BOTH;
	default:
		return PASSED_READ;
	}
}

static void fill(const struct passing_facts *f, enum passed_kind kind,
		 struct passed_fd *ret)
{
	*ret = (struct passed_fd){
		.kind = kind,
		.access = access_of(f),
		.path = kind == PASSED_DEVICE ? device_name(f) : NULL,
		.append = f->flags & O_APPEND,
		.nonblock = f->flags & O_NONBLOCK,
		.directory = is_mode(f, S_IFDIR),
		.handle = f->flags & O_PATH,
		.offset = is_mode(f, S_IFREG) ? f->offset : 0,
		.family = kind == PASSED_LISTENER ? family_of(f) : -1,
		.port = kind == PASSED_LISTENER ? f->port : 0,
	};
}

int passing_plan(const struct passing_facts *f, struct passed_fd *ret,
		 struct kata_err *err)
{
	const char *name = f->link ? f->link : "of an unknown kind";

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (!kinds[i].is(f))
			continue;
		if (kinds[i].kind != REFUSED) {
			fill(f, kinds[i].kind, ret);
			return 0;
		}
		name = kinds[i].name;
		break;
	}
	return err_set(err, -ENOTSUP, "is %s, which cannot be passed into a VM", name);
}

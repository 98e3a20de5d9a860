// SPDX-License-Identifier: Apache-2.0
/* passed: the tables behind passed.h; both sides link them. */
#include "proto/passed.h"

static const char *const kinds[] = {
	[PASSED_FILE] = "file",		[PASSED_DEVICE] = "device",
	[PASSED_PIPE] = "pipe",		[PASSED_SOCKET] = "socket",
	[PASSED_LISTENER] = "listener", [PASSED_KINDS] = NULL,
};

static const char *const accesses[] = {
	[PASSED_READ] = "read",
	[PASSED_WRITE] = "write",
	[PASSED_BOTH] = "both",
	NULL,
};

static const char *const families[] = {
	[PASSED_UNIX] = "unix",
	[PASSED_INET] = "inet",
	[PASSED_INET6] = "inet6",
	NULL,
};

static const struct jt_field fields[] = {
	JT(struct passed_fd, kind, JT_ENUM, .flags = JT_REQUIRED, .names = kinds),
	JT(struct passed_fd, access, JT_ENUM, .flags = JT_REQUIRED, .names = accesses),
	JT(struct passed_fd, path, JT_STR),
	JT(struct passed_fd, append, JT_BOOL, .flags = JT_OMIT_ZERO),
	JT(struct passed_fd, nonblock, JT_BOOL, .flags = JT_OMIT_ZERO),
	JT(struct passed_fd, directory, JT_BOOL, .flags = JT_OMIT_ZERO),
	JT(struct passed_fd, handle, JT_BOOL, .flags = JT_OMIT_ZERO),
	JT(struct passed_fd, offset, JT_U64, .flags = JT_OMIT_ZERO),
	JT(struct passed_fd, family, JT_ENUM, .names = families),
	JT(struct passed_fd, port, JT_U32, .flags = JT_OMIT_ZERO, .min = 0, .max = 65535),
	JT(struct passed_fd, in, JT_STR),
	JT(struct passed_fd, out, JT_STR),
};

const struct jtab passed_tab = {
	.what = "descriptor",
	.size = sizeof(struct passed_fd),
	.fields = fields,
	.n_fields = ARRAY_SIZE(fields),
};

static const struct jt_field list_fields[] = {
	JT(struct passed_list, fds, JT_OBJV, .flags = JT_REQUIRED, .sub = &passed_tab),
};

const struct jtab passed_list_tab = {
	.what = "",
	.size = sizeof(struct passed_list),
	.fields = list_fields,
	.n_fields = ARRAY_SIZE(list_fields),
};

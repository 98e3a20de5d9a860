// SPDX-License-Identifier: Apache-2.0
/* requests: the tables behind requests.h; the decoding itself is jtab's. */
#include "requests.h"

#include <signal.h>

#include "base/str.h"

static const struct jt_field welcome_fields[] = {
	JT(struct req_welcome, version, JT_U32, .flags = JT_REQUIRED),
	JT(struct req_welcome, time_sec, JT_I64),
	JT(struct req_welcome, time_nsec, JT_I64, .min = 0, .max = 999999999),
	JT(struct req_welcome, entropy, JT_STR),
};

#define TARGET_FIELDS(type)                                                              \
	JT_AS(type, target.container, "container", JT_U32, .flags = JT_REQUIRED),        \
		JT_AS(type, target.process, "process", JT_U32)

static const struct jt_field streams_fields[] = {
	JT_AS(struct req_streams, token[STREAM_STDIN], "stdin", JT_STR),
	JT_AS(struct req_streams, token[STREAM_STDOUT], "stdout", JT_STR),
	JT_AS(struct req_streams, token[STREAM_STDERR], "stderr", JT_STR),
	JT_AS(struct req_streams, token[STREAM_TTY], "tty", JT_STR),
};

static const struct jtab streams_tab = {
	.what = "streams",
	.size = sizeof(struct req_streams),
	.fields = streams_fields,
	.n_fields = ARRAY_SIZE(streams_fields),
};

static const struct jt_field filter_fields[] = {
	JT(struct req_filter, flags, JT_U32),
	JT(struct req_filter, program, JT_STR, .flags = JT_REQUIRED),
};

static const struct jtab filter_tab = {
	.what = "filter",
	.size = sizeof(struct req_filter),
	.fields = filter_fields,
	.n_fields = ARRAY_SIZE(filter_fields),
};

static const struct jt_field create_fields[] = {
	TARGET_FIELDS(struct req_create),
	JT(struct req_create, id, JT_STR, .flags = JT_REQUIRED),
	JT(struct req_create, rootfs, JT_STR, .flags = JT_REQUIRED | JT_NONEMPTY),
	JT(struct req_create, spec, JT_OBJ, .flags = JT_REQUIRED, .sub = &oci_spec_tab),
	JT(struct req_create, streams, JT_OBJ, .sub = &streams_tab),
	JT(struct req_create, filter, JT_OBJ, .sub = &filter_tab),
	JT_AS(struct req_create, passed.fds, "fds", JT_OBJV, .sub = &passed_tab),
	JT(struct req_create, bundle, JT_STR),
	JT(struct req_create, noKeyring, JT_BOOL),
	JT(struct req_create, shared, JT_OBJV, .sub = &shared_tab),
	JT(struct req_create, notify, JT_OPT_U32),
};

static const struct jt_field exec_fields[] = {
	TARGET_FIELDS(struct req_exec),
	JT(struct req_exec, spec, JT_OBJ, .flags = JT_REQUIRED, .sub = &oci_process_tab),
	JT(struct req_exec, streams, JT_OBJ, .sub = &streams_tab),
	JT_AS(struct req_exec, passed.fds, "fds", JT_OBJV, .sub = &passed_tab),
};

static const struct jt_field signal_fields[] = {
	TARGET_FIELDS(struct req_signal),
	/* 0 asks whether it is there */
	JT(struct req_signal, signal, JT_I32, .min = 0, .max = 64),
	JT(struct req_signal, all, JT_BOOL),
};

static const struct jt_field winsize_fields[] = {
	TARGET_FIELDS(struct req_winsize),
	JT(struct req_winsize, height, JT_U32, .min = 0, .max = UINT16_MAX),
	JT(struct req_winsize, width, JT_U32, .min = 0, .max = UINT16_MAX),
};

static const struct jt_field stdin_end_fields[] = {
	TARGET_FIELDS(struct req_stdin_end),
	JT(struct req_stdin_end, stream, JT_U32),
	JT(struct req_stdin_end, bytes, JT_U64),
};

static const struct jt_field connect_fields[] = {
	TARGET_FIELDS(struct req_connect),
	JT(struct req_connect, fd, JT_U32, .min = 0, .max = PROTO_PASSED_MAX - 1),
	JT(struct req_connect, connection, JT_U32, .min = 0, .max = UINT32_MAX / 4),
	JT(struct req_connect, in, JT_STR, .flags = JT_REQUIRED),
	JT(struct req_connect, out, JT_STR, .flags = JT_REQUIRED),
};

static const struct jt_field forward_fields[] = {
	JT(struct req_forward, port, JT_U32, .flags = JT_REQUIRED, .min = 1,
	   .max = UINT16_MAX),
	JT(struct req_forward, ipv6, JT_BOOL),
	JT(struct req_forward, token, JT_STR, .flags = JT_REQUIRED),
};

static const struct jt_field update_fields[] = {
	TARGET_FIELDS(struct req_update),
	/* "linux.resources" in messages, as in config.json */
	JT(struct req_update, resources, JT_OBJ, .flags = JT_REQUIRED,
	   .sub = &oci_resources_tab),
};

static const struct jt_field target_fields[] = {
	JT_AS(struct req_target, container, "container", JT_U32, .flags = JT_REQUIRED),
	JT_AS(struct req_target, process, "process", JT_U32),
};

#define TAB(name, type, list)                                                            \
	const struct jtab name = {                                                       \
		.what = "",                                                              \
		.size = sizeof(type),                                                    \
		.fields = (list),                                                        \
		.n_fields = ARRAY_SIZE(list),                                            \
	}

TAB(req_welcome_tab, struct req_welcome, welcome_fields);
TAB(req_create_tab, struct req_create, create_fields);
TAB(req_exec_tab, struct req_exec, exec_fields);
TAB(req_signal_tab, struct req_signal, signal_fields);
TAB(req_winsize_tab, struct req_winsize, winsize_fields);
TAB(req_stdin_end_tab, struct req_stdin_end, stdin_end_fields);
TAB(req_connect_tab, struct req_connect, connect_fields);
TAB(req_forward_tab, struct req_forward, forward_fields);
TAB(req_update_tab, struct req_update, update_fields);
TAB(req_target_tab, struct req_target, target_fields);

const struct jtab req_empty_tab = { .what = "", .size = 1 };

uint64_t req_token_of(const char *text)
{
	uint64_t token;

	return text && str_to_u64(text, 1, UINT64_MAX, &token) == 0 ? token : 0;
}

uint64_t req_token(const struct req_streams *s, enum msg_stream kind)
{
	return s ? req_token_of(s->token[kind]) : 0;
}

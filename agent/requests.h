/* SPDX-License-Identifier: Apache-2.0 */
/* requests: bodies of the host's messages (proto/msg.h) as structs, and their tables. */
#ifndef KATA_AGENT_REQUESTS_H
#define KATA_AGENT_REQUESTS_H

#include "base/jtab.h"
#include "oci/spec.h"
#include "proto/msg.h"
#include "proto/passed.h"
#include "proto/shared.h"

/** struct req_streams - tokens as decimal strings; NULL = no such stream. */
struct req_streams {
	const char *token[STREAM_KINDS];
};

/** Every body that names a container begins with this. */
struct req_target {
	uint32_t container, process;
};

struct req_welcome {
	uint32_t version;
	int64_t time_sec, time_nsec;
	const char *entropy;
};

/** struct req_filter - @program: hex */
struct req_filter {
	uint32_t flags;
	const char *program;
};

struct req_create {
	struct req_target target;
	const char *id, *rootfs;
	const struct oci_spec *spec;
	const struct req_streams *streams;
	const struct req_filter *filter;
	struct passed_list passed;
	const char *bundle; /* on the host, for hooks */
	bool noKeyring;
	struct jt_objv shared;	/* struct shared_mount */
	const uint32_t *notify; /* NULL = no NOTIFY_SOCKET */
};

struct req_exec {
	struct req_target target;
	const struct oci_process *spec;
	const struct req_streams *streams;
	struct passed_list passed;
};

struct req_signal {
	struct req_target target;
	int32_t signal;
	bool all;
};

struct req_winsize {
	struct req_target target;
	uint32_t height, width;
};

struct req_stdin_end {
	struct req_target target;
	uint32_t stream;
	uint64_t bytes;
};

struct req_connect {
	struct req_target target;
	uint32_t fd, connection;
	const char *in, *out;
};

/** struct req_forward - @token: as those of streams */
struct req_forward {
	uint32_t port;
	bool ipv6;
	const char *token;
};

struct req_update {
	struct req_target target;
	const struct oci_resources *resources;
};

extern const struct jtab req_welcome_tab, req_create_tab, req_exec_tab, req_signal_tab,
	req_winsize_tab, req_stdin_end_tab, req_connect_tab, req_forward_tab,
	req_update_tab, req_target_tab, req_empty_tab;

/** req_token_of() - a token as a number: 0 = there is none, or it is no number. */
uint64_t req_token_of(const char *text);
/** req_token() - the same of a stream. */
uint64_t req_token(const struct req_streams *s, enum msg_stream kind);

#endif

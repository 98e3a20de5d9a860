/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rest: a client of a VMM's HTTP API on a connected unix socket.
 *
 * Requests wait in line and are sent one at a time; descriptors go along with one
 * (SCM_RIGHTS). What arrives is hostile: see rest_reply.h for its limits. Whatever is not
 * an answer to what was asked, or is not there in time, ends the connection.
 */
#ifndef KATA_VMM_REST_H
#define KATA_VMM_REST_H

#include "base/err.h"
#include "base/loop.h"

/** Requests under way or waiting, descriptors of one, bytes of one's body. */
#define REST_MAX_REQUESTS 24
#define REST_MAX_FDS 16
#define REST_REQUEST_MAX (64u << 10)
/** Longest text of the VMM's that is passed on, with its NUL. */
#define REST_TEXT_MAX 512

struct rest;

struct rest_ops {
	/** closed, broken, late or garbage; called once, nothing after it, also no answers.
	 *  @why: "closed its API socket" */
	void (*on_gone)(void *arg, const char *why);
	void *arg;
};

/** struct rest_answer - valid during the call only. */
struct rest_answer {
	int code;	  /* 0 for a status of 2xx, else -EIO */
	unsigned status;  /* of HTTP */
	const char *text; /* printable: of a refusal the VMM's own words, else "" */
	const char *body; /* NUL-terminated; "" when there is none */
	size_t len;
};
typedef void rest_done_fn(void *arg, const struct rest_answer *a);

/** struct rest_request - all borrowed; descriptors are duplicated and closed once they are sent. */
struct rest_request {
	const char *method; /* "PUT", "GET", "PATCH" */
	const char *path;   /* "/api/v1/vm.boot" */
	const char *body;   /* JSON, NULL = none */
	const int *fds;
	size_t n_fds;
	unsigned deadline_ms; /* from when it is sent to the end of its answer */
	rest_done_fn *done;
};

/** rest_new_take() - @fd: a connected stream socket; taken over, made non-blocking. */
int rest_new_take(struct loop *l, int fd, const struct rest_ops *ops, struct rest **ret,
		  struct kata_err *err) MUST_CHECK;
/** rest_free() - forgets requests under way without calling them back. Also from within one. */
void rest_free(struct rest *h);
/** rest_request() - last in line; -EBUSY when that is full, -ESRCH when the connection has ended. */
int rest_request(struct rest *h, const struct rest_request *q,
		 struct kata_err *err) MUST_CHECK;
/**
 * rest_finish() - wait until all requests are answered, at most @ms: for an owner who is about to
 * end and whose loop runs no more. Return: milliseconds left; 0 = in vain.
 */
int rest_finish(struct rest *h, int ms) MUST_CHECK;
/** rest_drain() - take in what has arrived already. */
void rest_drain(struct rest *h);

#endif

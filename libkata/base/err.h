/* SPDX-License-Identifier: Apache-2.0 */
/*
 * err: how every function of ours reports failure.
 *
 * A function that can fail returns 0 (or a positive result), or a negative
 * errno, and takes a `struct kata_err *` as its last parameter.  The caller
 * owns the struct (usually on its stack), so that reporting a failure never
 * allocates.  The text grows from the inside out: the place that fails calls
 * err_sys() or err_set(), each caller that knows more puts it in front with
 * err_ctx().  Only a program's main prints it.
 *
 * Texts follow Go's casing, because engines match on them case-sensitively
 * (CONTRACT 0.7): err_text(ENOENT) is "no such file or directory".
 */
#ifndef KATA_BASE_ERR_H
#define KATA_BASE_ERR_H

#include <stddef.h>

/** Longest error text including its NUL; longer ones end in "...". */
#define KATA_ERR_MAX 1024

/**
 * struct kata_err - one failure, complete.
 * @code:   negative errno; 0 = no failure
 * @status: exit status the program should end with; 0 = the program's default
 *          (126: not executable, 127: not found, as shells have it)
 * @msg:    one line without a newline at its end
 */
struct kata_err {
	int code;
	int status;
	char msg[KATA_ERR_MAX];
};

#define KATA_PRINTF(f, a) __attribute__((format(printf, f, a)))
#define MUST_CHECK __attribute__((warn_unused_result))

/** err_set() - make an error from a code. Returns @code (always negative). */
int err_set(struct kata_err *err, int code, const char *fmt, ...) KATA_PRINTF(3, 4);

/** err_sys() - make an error from errno: "<fmt>: <err_text(errno)>". Returns -errno. */
int err_sys(struct kata_err *err, const char *fmt, ...) KATA_PRINTF(2, 3);

/** err_sys_code() - the same from a negative errno at hand. Returns @code. */
int err_sys_code(struct kata_err *err, int code, const char *fmt, ...) KATA_PRINTF(3, 4);

/** err_ctx() - put context in front: "<fmt>: <old text>". Returns err->code. */
int err_ctx(struct kata_err *err, const char *fmt, ...) KATA_PRINTF(2, 3);

/** err_text() - text of a positive errno in Go's words and casing; never NULL. */
const char *err_text(int errnum);

/** err_done() - forget the failure: code and status 0, empty text. */
void err_done(struct kata_err *err);

#endif

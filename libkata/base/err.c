/* SPDX-License-Identifier: Apache-2.0 */
/*
 * err: building the text of a failure from the inside out.
 *
 * Owns the table of errno texts. They are Go's (syscall/zerrors_linux.go),
 * word for word: engines match on them case-sensitively, and libc's differ in
 * casing and here and there in wording.
 *
 * Must not know: logging, JSON, or what any caller does.
 */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const errno_text[] = {
	[EPERM] = "operation not permitted",
	[ENOENT] = "no such file or directory",
	[ESRCH] = "no such process",
	[EINTR] = "interrupted system call",
	[EIO] = "input/output error",
	[ENXIO] = "no such device or address",
	[E2BIG] = "argument list too long",
	[ENOEXEC] = "exec format error",
	[EBADF] = "bad file descriptor",
	[ECHILD] = "no child processes",
	[EAGAIN] = "resource temporarily unavailable",
	[ENOMEM] = "cannot allocate memory",
	[EACCES] = "permission denied",
	[EFAULT] = "bad address",
	[ENOTBLK] = "block device required",
	[EBUSY] = "device or resource busy",
	[EEXIST] = "file exists",
	[EXDEV] = "invalid cross-device link",
	[ENODEV] = "no such device",
	[ENOTDIR] = "not a directory",
	[EISDIR] = "is a directory",
	[EINVAL] = "invalid argument",
	[ENFILE] = "too many open files in system",
	[EMFILE] = "too many open files",
	[ENOTTY] = "inappropriate ioctl for device",
	[ETXTBSY] = "text file busy",
	[EFBIG] = "file too large",
	[ENOSPC] = "no space left on device",
	[ESPIPE] = "illegal seek",
	[EROFS] = "read-only file system",
	[EMLINK] = "too many links",
	[EPIPE] = "broken pipe",
	[EDOM] = "numerical argument out of domain",
	[ERANGE] = "numerical result out of range",
	[EDEADLK] = "resource deadlock avoided",
	[ENAMETOOLONG] = "file name too long",
	[ENOLCK] = "no locks available",
	[ENOSYS] = "function not implemented",
	[ENOTEMPTY] = "directory not empty",
	[ELOOP] = "too many levels of symbolic links",
	[ENOMSG] = "no message of desired type",
	[EIDRM] = "identifier removed",
	[ECHRNG] = "channel number out of range",
	[EL2NSYNC] = "level 2 not synchronized",
	[EL3HLT] = "level 3 halted",
	[EL3RST] = "level 3 reset",
	[ELNRNG] = "link number out of range",
	[EUNATCH] = "protocol driver not attached",
	[ENOCSI] = "no CSI structure available",
	[EL2HLT] = "level 2 halted",
	[EBADE] = "invalid exchange",
	[EBADR] = "invalid request descriptor",
	[EXFULL] = "exchange full",
	[ENOANO] = "no anode",
	[EBADRQC] = "invalid request code",
	[EBADSLT] = "invalid slot",
	[EBFONT] = "bad font file format",
	[ENOSTR] = "device not a stream",
	[ENODATA] = "no data available",
	[ETIME] = "timer expired",
	[ENOSR] = "out of streams resources",
	[ENONET] = "machine is not on the network",
	[ENOPKG] = "package not installed",
	[EREMOTE] = "object is remote",
	[ENOLINK] = "link has been severed",
	[EADV] = "advertise error",
	[ESRMNT] = "srmount error",
	[ECOMM] = "communication error on send",
	[EPROTO] = "protocol error",
	[EMULTIHOP] = "multihop attempted",
	[EDOTDOT] = "RFS specific error",
	[EBADMSG] = "bad message",
	[EOVERFLOW] = "value too large for defined data type",
	[ENOTUNIQ] = "name not unique on network",
	[EBADFD] = "file descriptor in bad state",
	[EREMCHG] = "remote address changed",
	[ELIBACC] = "can not access a needed shared library",
	[ELIBBAD] = "accessing a corrupted shared library",
	[ELIBSCN] = ".lib section in a.out corrupted",
	[ELIBMAX] = "attempting to link in too many shared libraries",
	[ELIBEXEC] = "cannot exec a shared library directly",
	[EILSEQ] = "invalid or incomplete multibyte or wide character",
	[ERESTART] = "interrupted system call should be restarted",
	[ESTRPIPE] = "streams pipe error",
	[EUSERS] = "too many users",
	[ENOTSOCK] = "socket operation on non-socket",
	[EDESTADDRREQ] = "destination address required",
	[EMSGSIZE] = "message too long",
	[EPROTOTYPE] = "protocol wrong type for socket",
	[ENOPROTOOPT] = "protocol not available",
	[EPROTONOSUPPORT] = "protocol not supported",
	[ESOCKTNOSUPPORT] = "socket type not supported",
	[EOPNOTSUPP] = "operation not supported",
	[EPFNOSUPPORT] = "protocol family not supported",
	[EAFNOSUPPORT] = "address family not supported by protocol",
	[EADDRINUSE] = "address already in use",
	[EADDRNOTAVAIL] = "cannot assign requested address",
	[ENETDOWN] = "network is down",
	[ENETUNREACH] = "network is unreachable",
	[ENETRESET] = "network dropped connection on reset",
	[ECONNABORTED] = "software caused connection abort",
	[ECONNRESET] = "connection reset by peer",
	[ENOBUFS] = "no buffer space available",
	[EISCONN] = "transport endpoint is already connected",
	[ENOTCONN] = "transport endpoint is not connected",
	[ESHUTDOWN] = "cannot send after transport endpoint shutdown",
	[ETOOMANYREFS] = "too many references: cannot splice",
	[ETIMEDOUT] = "connection timed out",
	[ECONNREFUSED] = "connection refused",
	[EHOSTDOWN] = "host is down",
	[EHOSTUNREACH] = "no route to host",
	[EALREADY] = "operation already in progress",
	[EINPROGRESS] = "operation now in progress",
	[ESTALE] = "stale NFS file handle",
	[EUCLEAN] = "structure needs cleaning",
	[ENOTNAM] = "not a XENIX named type file",
	[ENAVAIL] = "no XENIX semaphores available",
	[EISNAM] = "is a named type file",
	[EREMOTEIO] = "remote I/O error",
	[EDQUOT] = "disk quota exceeded",
	[ENOMEDIUM] = "no medium found",
	[EMEDIUMTYPE] = "wrong medium type",
	[ECANCELED] = "operation canceled",
	[ENOKEY] = "required key not available",
	[EKEYEXPIRED] = "key has expired",
	[EKEYREVOKED] = "key has been revoked",
	[EKEYREJECTED] = "key was rejected by service",
	[EOWNERDEAD] = "owner died",
	[ENOTRECOVERABLE] = "state not recoverable",
	[ERFKILL] = "operation not possible due to RF-kill",
	[EHWPOISON] = "memory page has hardware error",
};

const char *err_text(int errnum)
{
	size_t n = sizeof(errno_text) / sizeof(errno_text[0]);

	if (errnum > 0 && (size_t)errnum < n && errno_text[errnum])
		return errno_text[errnum];
	return "unknown error";
}

/** A code of 0 or a positive errno is a slip of the caller: never let it look like success. */
static int negative(int code)
{
	if (code == 0)
		return -EIO;
	return code > 0 ? -code : code;
}

/** Replace the end of a text that did not fit by "...", not inside a character. */
static void mark_cut(char *msg)
{
	size_t at = KATA_ERR_MAX - 4;

	while (at > 0 && ((unsigned char)msg[at] & 0xc0) == 0x80)
		at--;
	memcpy(msg + at, "...", 4);
}

/** Append what fits, from @at on; returns the new end. */
static size_t append(char *msg, size_t at, const char *s)
{
	size_t n = strlen(s);

	if (at + n >= KATA_ERR_MAX) {
		memcpy(msg + at, s, KATA_ERR_MAX - 1 - at);
		msg[KATA_ERR_MAX - 1] = '\0';
		mark_cut(msg);
		return KATA_ERR_MAX - 1;
	}
	memcpy(msg + at, s, n + 1);
	return at + n;
}

static size_t format(char *msg, const char *fmt, va_list ap)
{
	int n = vsnprintf(msg, KATA_ERR_MAX, fmt, ap);

	if (n < 0)
		n = 0;
	if (n >= KATA_ERR_MAX) {
		mark_cut(msg);
		return KATA_ERR_MAX - 1;
	}
	msg[n] = '\0';
	return (size_t)n;
}

static int set_sys(struct kata_err *err, int code, const char *fmt, va_list ap)
{
	char msg[KATA_ERR_MAX]; /* an argument may be err->msg itself */
	size_t at;

	code = negative(code);
	if (!err)
		return code;
	at = format(msg, fmt, ap);
	at = append(msg, at, ": ");
	append(msg, at, err_text(-code));
	memcpy(err->msg, msg, sizeof(msg));
	err->code = code;
	err->status = 0;
	return code;
}

/**
 * err_set() - make an error from a code
 * @err: owned by the caller; NULL when nobody wants the text
 * @code: negative errno
 *
 * Return: @code, always negative.
 */
int err_set(struct kata_err *err, int code, const char *fmt, ...)
{
	char msg[KATA_ERR_MAX];
	va_list ap;

	code = negative(code);
	if (!err)
		return code;
	va_start(ap, fmt);
	format(msg, fmt, ap);
	va_end(ap);
	memcpy(err->msg, msg, sizeof(msg));
	err->code = code;
	err->status = 0;
	return code;
}

/**
 * err_sys() - make an error from errno
 *
 * Return: -errno as it was on entry.
 */
int err_sys(struct kata_err *err, const char *fmt, ...)
{
	int code = -errno;
	va_list ap;

	va_start(ap, fmt);
	code = set_sys(err, code, fmt, ap);
	va_end(ap);
	return code;
}

/**
 * err_sys_code() - err_sys() for a negative errno at hand
 *
 * Return: @code, always negative.
 */
int err_sys_code(struct kata_err *err, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	code = set_sys(err, code, fmt, ap);
	va_end(ap);
	return code;
}

/**
 * err_ctx() - put context in front of an error; code and status stay
 *
 * Return: the error's code.
 */
int err_ctx(struct kata_err *err, const char *fmt, ...)
{
	char msg[KATA_ERR_MAX];
	va_list ap;
	size_t at;

	if (!err)
		return -EIO;
	va_start(ap, fmt);
	at = format(msg, fmt, ap);
	va_end(ap);
	at = append(msg, at, ": ");
	append(msg, at, err->msg);
	memcpy(err->msg, msg, sizeof(msg));
	err->code = negative(err->code);
	return err->code;
}

/** err_done() - forget the failure. */
void err_done(struct kata_err *err)
{
	if (!err)
		return;
	err->code = 0;
	err->status = 0;
	err->msg[0] = '\0';
}

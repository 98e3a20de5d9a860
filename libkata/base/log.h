/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log: runc's log lines, text or JSON (CONTRACT 1.7).
 *
 * Engines read the log file: podman parses the whole file as one JSON object,
 * containerd takes the last line of level "error".  So on success nothing is
 * written at the default level, and on failure exactly one line.  Warnings
 * appear only with --debug or, in text form, when stderr is a terminal: the
 * stderr of `create` is the container's own.
 */
#ifndef KATA_BASE_LOG_H
#define KATA_BASE_LOG_H

#include <stdbool.h>

enum log_level { LOG_LVL_DEBUG, LOG_LVL_INFO, LOG_LVL_WARNING, LOG_LVL_ERROR };
enum log_format { LOG_TEXT, LOG_JSON };

struct kata_err;

/**
 * log_setup() - where lines go.
 * @fd:     descriptor of --log's file (borrowed, kept open by the caller for the
 *          program's life), or -1 for stderr
 * @debug:  let debug, info and warning lines through
 * The state behind this is the only mutable file-scope state outside main.
 */
void log_setup(int fd, enum log_format format, bool debug);

/** log_open() - open FILE for --log: append, create 0644. Return: fd or -errno. */
int log_open(const char *path, struct kata_err *err) __attribute__((warn_unused_result));

/** log_msg() - write one line; newlines inside become spaces in text form, escapes in JSON. */
void log_msg(enum log_level level, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/**
 * log_failure() - the one line of a failed call: an error line to the log, and
 * when the log is a file the plain text to stderr as well (go-runc and conmon read it).
 */
void log_failure(const struct kata_err *err);

bool log_is_debug(void);

#define log_debug(...) log_msg(LOG_LVL_DEBUG, __VA_ARGS__)
#define log_info(...) log_msg(LOG_LVL_INFO, __VA_ARGS__)
#define log_warn(...) log_msg(LOG_LVL_WARNING, __VA_ARGS__)

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kata.h: the public face of libkata: one call per OCI verb and its argument
 * struct. kata-runtime is a thin layer of options over it; nothing else of
 * libkata is exported.
 *
 * All calls return 0 or more, or a negative errno with the reason in @err, one
 * line for the user. They may be called from one thread at a time.
 */
#ifndef KATA_H
#define KATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

#include "base/err.h"

/** struct kata - what every verb needs; filled by the caller, read only. */
struct kata {
	const char *root; /* state directory; NULL = the default */
	bool root_given;  /* --root was given: then a missing one is an error for list */
	const char *config;  /* --config's file; NULL = KATA_CONFIG or the system's */
	bool systemd_cgroup; /* --systemd-cgroup, --cgroup-manager systemd */
	bool no_cgroup;	     /* --cgroup-manager disabled */
	bool debug;
	const char *notify_socket; /* NOTIFY_SOCKET, for create, start, run; NULL = none */
};

/**
 * kata_log_open() - where the library's lines and kata_log_failure()'s go from now on.
 * @file:   appended to, made when missing; NULL = stderr
 * @format: "text" or "json"; NULL = text
 */
int kata_log_open(const char *file, const char *format, bool debug, struct kata_err *err);
/** kata_log_failure() - the one line of a failed call, in the log and in plain on stderr. */
void kata_log_failure(const struct kata_err *err);

struct kata_create_args {
	const char *id;
	const char *bundle;	    /* NULL = "." */
	const char *config_file;    /* NULL = <bundle>/config.json */
	const char *pid_file;	    /* NULL = none */
	const char *console_socket; /* NULL = none */
	/* How many descriptors of the calling process, from 3 on, the program gets in the same places:
	 * first those that it is told of in LISTEN_FDS. They are taken: closed in any case. */
	unsigned listen_fds, preserve_fds;
	const char *listen_fdnames; /* their LISTEN_FDNAMES; NULL = none */
	bool no_pivot;		    /* meaningless in a VM; accepted */
	bool no_new_keyring;	    /* no session keyring of the container's own */
	bool detach;		    /* run */
	bool keep;		    /* run */
};

/** kata_create() - build the container up to the exec gate. */
int kata_create(const struct kata *k, const struct kata_create_args *args,
		struct kata_err *err);
/** kata_start() - let its program run; with notify_socket, until it has said that it is ready. */
int kata_start(const struct kata *k, const char *id, struct kata_err *err);
/**
 * kata_run() - create and start; unless detached wait, pass signals on, delete.
 * Return: exit status of the program (128 + signal), or a negative errno.
 */
int kata_run(const struct kata *k, const struct kata_create_args *args,
	     struct kata_err *err);
/** kata_state() - the state document as JSON to @out. */
int kata_state(const struct kata *k, const char *id, FILE *out, struct kata_err *err);
/** kata_kill() - one signal, delivered once. @signal: name or number as given; @all: every process. */
int kata_kill(const struct kata *k, const char *id, const char *signal, bool all,
	      struct kata_err *err);
/** kata_delete() - @force: kill first; a missing container is fine. */
int kata_delete(const struct kata *k, const char *id, bool force, struct kata_err *err);

struct kata_exec_args {
	const char *id;
	const char *
		process_file; /* --process; NULL = made from the container's and what follows */
	const char *const *argv;	       /* without process_file: NULL-terminated */
	const char *pid_file, *console_socket; /* NULL = none */
	bool detach;
	bool tty;			    /* -t */
	const char *cwd;		    /* NULL = the container's */
	const char *const *env;		    /* added; NULL-terminated or NULL */
	const char *user;		    /* "uid[:gid]"; NULL = the container's */
	const char *const *additional_gids; /* decimal; NULL-terminated or NULL */
	const char *const *caps; /* added to all sets; NULL-terminated or NULL */
	bool no_new_privs;
	const char *process_label, *apparmor; /* NULL = the container's */
	unsigned preserve_fds;		      /* as in create */
	bool ignore_paused;
};

/**
 * kata_exec() - run a further process. Detached: 0 when it runs. In the foreground the calling
 * process becomes its kata-shim by exec: returns only on failure.
 */
int kata_exec(const struct kata *k, const struct kata_exec_args *args,
	      struct kata_err *err);
/** kata_pause() - freeze all its processes; kata_resume() - let them go on. */
int kata_pause(const struct kata *k, const char *id, struct kata_err *err);
int kata_resume(const struct kata *k, const char *id, struct kata_err *err);

/**
 * kata_ps() - host pids of its shims. @json: an array of them; else the lines of ps(1), run with
 * @ps_args (NULL-terminated; NULL or empty = -ef), that are about them.
 */
int kata_ps(const struct kata *k, const char *id, bool json, const char *const *ps_args,
	    FILE *out, struct kata_err *err);

/** What an option of update sets: one member of linux.resources. */
enum kata_update_member {
	KATA_UPDATE_BLKIO_WEIGHT,
	KATA_UPDATE_CPU_PERIOD,
	KATA_UPDATE_CPU_QUOTA,
	KATA_UPDATE_CPU_BURST,
	KATA_UPDATE_CPU_SHARE,
	KATA_UPDATE_CPUSET_CPUS,
	KATA_UPDATE_CPUSET_MEMS,
	KATA_UPDATE_CPU_IDLE,
	KATA_UPDATE_MEMORY,
	KATA_UPDATE_MEMORY_RESERVATION,
	KATA_UPDATE_MEMORY_SWAP,
	KATA_UPDATE_PIDS_LIMIT,
	KATA_UPDATE_MEMBERS
};

struct kata_update_args {
	const char *id;
	const char *resources; /* file of JSON LinuxResources, "-" = stdin; NULL = none */
	const char *
		value[KATA_UPDATE_MEMBERS]; /* as given, over the file's; NULL = not given */
};

/** kata_update() - new limits, on the host and in the guest. What is not named stays. */
int kata_update(const struct kata *k, const struct kata_update_args *args,
		struct kata_err *err);

/**
 * kata_events() - one JSON object per line until the container has ended: {"type":"stats"} every
 * @interval_ms (> 0), {"type":"oom"}. @stats: one stats object, then return.
 */
int kata_events(const struct kata *k, const char *id, bool stats, uint64_t interval_ms,
		FILE *out, struct kata_err *err);

enum kata_list_format { KATA_LIST_TABLE, KATA_LIST_JSON, KATA_LIST_QUIET };
int kata_list(const struct kata *k, enum kata_list_format format, FILE *out,
	      struct kata_err *err);

struct kata_spec_args {
	const char *bundle; /* NULL = "." */
	bool rootless;
	bool network; /* with the hooks that make one, kata-hook-net(8) */
};

/** kata_spec() - write a template config.json into the bundle; never overwrites. */
int kata_spec(const struct kata_spec_args *args, struct kata_err *err);
int kata_features(FILE *out, struct kata_err *err);
/** kata_spec_version() - the newest runtime-spec that is known: "1.3.0". */
const char *kata_spec_version(void);
/** kata_check() - can this host run containers? Return: 0 yes, 1 no (told on @out), -errno. */
int kata_check(const struct kata *k, bool json, FILE *out, struct kata_err *err);
/** kata_config() - every effective value and where it came from. */
int kata_config(const struct kata *k, bool json, FILE *out, struct kata_err *err);

#ifdef __cplusplus
}
#endif
#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fake_sandbox: stands where kata-sandbox would, in front of a real kata-shim
 * of the build tree. The test plays the guest: it holds the far ends of the
 * streams. All waiting is bounded; what does not come fails the test.
 */
#ifndef KATA_TESTS_FAKE_SANDBOX_H
#define KATA_TESTS_FAKE_SANDBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/proc.h"
#include "proto/msg.h"
#include "sandbox/ctl.h"

/** struct fake_start - how the shim is started; descriptors are borrowed, 0 = /dev/null. */
struct fake_start {
	int in, out, err;
	bool terminal;
	bool ctty; /* @in becomes the controlling terminal */
	bool callers_tty;
	unsigned long clone_flags;
	const char *rootfs, *hostname, *comm;
	const char *const *env; /* instead of the usual one */
	const char *passed;	/* SHIM_ENV_PASSED; NULL = "" */
	int passed_fd[4];	/* its descriptors, but for the '-' */
};

struct fake_sandbox {
	struct proc shim;
	int ctl;
	int guest[STREAM_MAX]; /* -1 = none */
};

void fake_start(struct fake_sandbox *f, const struct fake_start *how);
/** fake_streams() - connect stdin, stdout and stderr (or the terminal). */
void fake_streams(struct fake_sandbox *f, bool terminal);
/** fake_stream() - Return: the guest's end; a connection's is the caller's to close. */
int fake_stream(struct fake_sandbox *f, unsigned s);
/** fake_hang_up() - the guest closes a stream. */
void fake_hang_up(struct fake_sandbox *f, unsigned s);
void fake_end(struct fake_sandbox *f, unsigned s, uint64_t bytes);
void fake_exit(struct fake_sandbox *f, uint32_t status);
/** fake_exit_with_all() - the process has ended because its container has. */
void fake_exit_with_all(struct fake_sandbox *f, uint32_t status);
/** fake_die() - the connection closes as if the sandbox had been killed. */
void fake_die(struct fake_sandbox *f);
/** fake_expect() - the shim's next message has to be of @type. */
struct ctl_msg fake_expect(struct fake_sandbox *f, uint16_t type);
/** fake_silent() - no message within @ms. */
bool fake_silent(struct fake_sandbox *f, int ms);
/** fake_wait() - the shim's exit status; fails the test after 20 s. */
int fake_wait(struct fake_sandbox *f);
bool fake_alive(struct fake_sandbox *f, int ms);
/** fake_done() - whatever is left: kill, reap, close. */
void fake_done(struct fake_sandbox *f);

/**
 * struct lane - one stream of patterned bytes through the system under test:
 * written to @to, read back at @from. Either may be -1.
 */
struct lane {
	int to, from;
	uint64_t total;
	uint64_t sent, got;
	size_t chunk; /* most bytes per read, 0 = 64 KiB: a slow reader */
};
/** lanes_run() - all lanes at once until all is through; fails after 60 s or on a wrong byte. */
void lanes_run(struct lane *lanes, size_t n);
/** pattern_fill() - the bytes that a lane has at @offset. */
void pattern_fill(unsigned char *dst, size_t n, uint64_t offset);

/** make_pipe() - [0] read, [1] write; blocking, close-on-exec. */
void make_pipe(int ret_fd[2]);
void close_fd(int *fd);

#endif

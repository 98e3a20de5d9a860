/* SPDX-License-Identifier: Apache-2.0 */
/*
 * notify: what a program says at its NOTIFY_SOCKET (sd_notify(3)), as far as it may leave the
 * guest. Pure; both sides link it: the agent sends nothing else, the host believes nothing else.
 */
#ifndef KATA_PROTO_NOTIFY_H
#define KATA_PROTO_NOTIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/msg.h"

/** Where runc and podman have a container's socket. */
#define NOTIFY_DIR "/run/notify"
#define NOTIFY_NAME "notify.sock"
#define NOTIFY_ENV "NOTIFY_SOCKET=" NOTIFY_DIR "/" NOTIFY_NAME

/** Longest datagram that is read; runc's buffer. */
#define NOTIFY_DATAGRAM_MAX 4096u
/**
 * Datagrams of one container that the host passes on in a second. The agent rests after
 * NOTIFY_ROUNDS for NOTIFY_REST_MS, so an honest one stays below.
 */
#define NOTIFY_PER_SECOND 400u
#define NOTIFY_ROUNDS 16
#define NOTIFY_REST_MS 100u

/**
 * notify_filter() - the lines of a datagram that may go on, whole and in their order, as many as
 * fit. Those are what conmon passes on: a process id or descriptors would be the guest's own, and
 * mean another process to the host's service manager.
 * @out: @size bytes, terminated
 * Return: its length, 0 = nothing is left
 */
size_t notify_filter(const char *in, size_t len, char *out, size_t size);

/** notify_ready() - the first line that says READY=, with its length; NULL = there is none. */
const char *notify_ready(const char *text, size_t *ret_len);

/** struct notify_rate - zero to begin with. */
struct notify_rate {
	uint64_t since_us;
	unsigned n;
};
/** notify_rate_take() - may one more pass at @now_us (CLOCK_MONOTONIC)? */
bool notify_rate_take(struct notify_rate *r, uint64_t now_us);

#endif

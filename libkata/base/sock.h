/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sock: unix sockets (addressed through a directory descriptor, so that the
 * 108-byte limit of sun_path never bites), vsock, and descriptors in messages.
 */
#ifndef KATA_BASE_SOCK_H
#define KATA_BASE_SOCK_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "base/err.h"

/** Most descriptors in one message, by our own choice (the kernel's SCM_MAX_FD is 253). */
#define SOCK_MAX_FDS 72

/** sock_listen_at() - bind @name in @dirfd (mode 0600) and listen. @type: SOCK_STREAM or SOCK_SEQPACKET,
 *  may be or'ed with SOCK_NONBLOCK. An existing name is -EADDRINUSE. Return: fd or -errno. */
int sock_listen_at(int dirfd, const char *name, int type) MUST_CHECK;
/** sock_bind_at() - bind only, for SOCK_DGRAM; the rest as sock_listen_at(). */
int sock_bind_at(int dirfd, const char *name, int type) MUST_CHECK;
/** sock_connect_at() - connect; -ECONNREFUSED or -ENOENT when nobody listens. */
int sock_connect_at(int dirfd, const char *name, int type) MUST_CHECK;
/** sock_connect_path() - an ordinary path (console socket); long paths work too. */
int sock_connect_path(const char *path, int type) MUST_CHECK;
int sock_pair(int type, int ret_fd[2]) MUST_CHECK;
/** sock_accept() - close-on-exec, non-blocking; -EAGAIN when there is none. */
int sock_accept(int fd) MUST_CHECK;

/** sock_vsock_listen() - host side of vhost-vsock: VMADDR_CID_ANY:@port, non-blocking. */
int sock_vsock_listen(uint32_t port) MUST_CHECK;
/** sock_vsock_connect() - blocking connect; @timeout_ms bounds it (SO_VM_SOCKETS_CONNECT_TIMEOUT). */
int sock_vsock_connect(uint32_t cid, uint32_t port, int timeout_ms) MUST_CHECK;
/** sock_vsock_peer_cid() - CID of an accepted connection's peer. */
int sock_vsock_peer_cid(int fd, uint32_t *ret_cid) MUST_CHECK;

/**
 * sock_send() - one sendmsg with MSG_NOSIGNAL; all of @len or an error (-EAGAIN when a
 * non-blocking socket has no room: nothing was sent then on SEQPACKET).
 */
int sock_send(int fd, const void *data, size_t len, const int *fds,
	      size_t n_fds) MUST_CHECK;
/**
 * sock_recv() - one recvmsg. Descriptors arrive close-on-exec in @fds (room for SOCK_MAX_FDS),
 * *ret_n of them; a message that was cut (MSG_TRUNC, MSG_CTRUNC) is -EMSGSIZE with all its
 * descriptors closed. Return: bytes, 0 = peer closed, -errno.
 */
ssize_t sock_recv(int fd, void *data, size_t size, int fds[SOCK_MAX_FDS],
		  size_t *ret_n) MUST_CHECK;

#endif

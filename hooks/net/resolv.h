/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolv: the container's /etc/resolv.conf. It is written into the rootfs, where an image
 * has none or an empty one, and taken away afterwards; one with something in it is the
 * user's.
 */
#ifndef KATA_HOOKS_NET_RESOLV_H
#define KATA_HOOKS_NET_RESOLV_H

#include "base/buf.h"
#include "ledger.h"
#include "options.h"

/** resolv_text() - from --dns, else from the host's files; pure. @hosts: their texts, n of them,
 * the first with a server that a container can reach counts. -ENOENT: none has. */
int resolv_text(const struct options *o, const char *const *hosts, size_t n,
		struct buf *out, struct kata_err *err) MUST_CHECK;
/** resolv_compose() - the same, with the files of this host. */
int resolv_compose(const struct options *o, struct buf *out,
		   struct kata_err *err) MUST_CHECK;

/** resolv_look() - what is in @rootfs now. A file of our own, left by nobody knows whom, counts as absent. */
int resolv_look(const char *rootfs, enum ledger_resolv *ret,
		struct kata_err *err) MUST_CHECK;
/** resolv_write() - @text into it. */
int resolv_write(const char *rootfs, const struct buf *text,
		 struct kata_err *err) MUST_CHECK;
/** resolv_restore() - as @was. A file that is not ours any more stays; a rootfs that is gone is fine. */
int resolv_restore(const char *rootfs, enum ledger_resolv was,
		   struct kata_err *err) MUST_CHECK;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* nft: loads a ruleset. */
#ifndef KATA_HOOKS_NET_NFT_H
#define KATA_HOOKS_NET_NFT_H

#include "base/buf.h"
#include "base/err.h"

/** nft_load() - in one transaction. -ENOENT: nft is not installed; -EIO: it or the kernel refused. */
int nft_load(const struct buf *script, struct kata_err *err) MUST_CHECK;

#endif

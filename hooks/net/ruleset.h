/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ruleset: all rules for all bridges, as text for nft. The one table is replaced as a whole
 * in one transaction, so nothing has to be known of what was there. Pure.
 */
#ifndef KATA_HOOKS_NET_RULESET_H
#define KATA_HOOKS_NET_RULESET_H

#include "base/buf.h"
#include "ledger.h"

#define RULESET_TABLE "inet kata_net"

/** ruleset_needed() - has any bridge NAT? */
bool ruleset_needed(const struct ledger *l);
/** ruleset_write() - appended to @out; without a bridge that has NAT the table just goes. */
int ruleset_write(const struct ledger *l, struct buf *out,
		  struct kata_err *err) MUST_CHECK;

#endif

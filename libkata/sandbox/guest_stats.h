/* SPDX-License-Identifier: Apache-2.0 */
/* guest_stats: what the guest counts (msg_stats) as the "data" of runc's `events --stats`. Pure. */
#ifndef KATA_SANDBOX_GUEST_STATS_H
#define KATA_SANDBOX_GUEST_STATS_H

#include "base/json.h"
#include "net/scan.h"
#include "proto/msg.h"

/** guest_stats_clear() - nothing is known. */
void guest_stats_clear(struct msg_stats *m);
/**
 * guest_stats_write() - one object. Times in nanoseconds, sizes in bytes; no limit is 2^64-1.
 * @nets: of the network's interfaces, which the host counts
 */
void guest_stats_write(const struct msg_stats *m, const struct net_counters *nets,
		       size_t n_nets, struct json_out *o);

#endif

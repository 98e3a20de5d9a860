/* SPDX-License-Identifier: Apache-2.0 */
/* stats: what the kernel counts for a container's group. */
#ifndef KATA_AGENT_STATS_H
#define KATA_AGENT_STATS_H

#include "proto/msg.h"

/** stats_read() - all that can be had of the group @cgroup_fd; the rest is MSG_STAT_NONE. */
void stats_read(int cgroup_fd, struct msg_stats *ret);

/** stats_parse() - the numbers of @file, whose content is @text (changed), into @ret. Pure. */
void stats_parse(const char *file, char *text, struct msg_stats *ret);

#endif

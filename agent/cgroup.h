/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup: each container has a cgroup2 group of its own in the guest. It is how all of its processes
 * are found, also those of a container without a pid namespace.
 */
#ifndef KATA_AGENT_CGROUP_H
#define KATA_AGENT_CGROUP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/** cgroup_enable() - every controller that the tree offers, for the groups to be made in it. */
void cgroup_enable(int root_fd);
/** cgroup_make() - group of container @number below @root_fd. Return: directory fd or -errno. */
int cgroup_make(int root_fd, uint32_t number, struct kata_err *err) MUST_CHECK;
/** cgroup_open_of() - the subgroup of container @number's group @fd that process @pid is in. */
int cgroup_open_of(int fd, uint32_t number, pid_t pid) MUST_CHECK;
/** cgroup_remove() - with its subgroups; must be empty of processes. */
int cgroup_remove(int root_fd, uint32_t number) MUST_CHECK;
/** cgroup_populated() - is a process in it or below? True too when that cannot be told. */
bool cgroup_populated(int fd);
/** cgroup_freeze() - begin to freeze all in it and below, or thaw it. */
int cgroup_freeze(int fd, bool freeze) MUST_CHECK;
/** cgroup_frozen() - 1 when all of it stands still, 0 when not (yet), -errno. */
int cgroup_frozen(int fd) MUST_CHECK;
/** cgroup_read_key() - the number behind @key in a file of "key number" lines. -ENODATA: no such key. */
int cgroup_read_key(int fd, const char *file, const char *key, uint64_t *ret) MUST_CHECK;
/** cgroup_kill() - SIGKILL to all in it and below. */
int cgroup_kill(int fd) MUST_CHECK;
/** cgroup_signal() - @sig to all in it and below. Return: 0, -ESRCH when there is none. */
int cgroup_signal(int fd, int sig) MUST_CHECK;

#endif

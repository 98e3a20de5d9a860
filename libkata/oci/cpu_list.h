/* SPDX-License-Identifier: Apache-2.0 */
/* cpu_list: "0-3,7" of linux.resources.cpu, and what it is on a machine of other numbers. Pure. */
#ifndef KATA_OCI_CPU_LIST_H
#define KATA_OCI_CPU_LIST_H

#include "base/mem.h"

/** Numbers from here on are left out; Linux has at most so many. */
#define CPU_LIST_MAX 8192u

/** cpu_list_count() - how many processors a well-formed list names. NULL: 0. */
unsigned cpu_list_count(const char *list);

/**
 * cpu_list_map() - the host's numbers as those of a machine with processors 0 to @count - 1: as many,
 * or all. A number that is there stays, so that disjoint lists of a pod's containers stay disjoint as
 * long as there are enough. NULL: the list names none.
 */
const char *cpu_list_map(const char *list, unsigned count, struct arena *a);

#endif

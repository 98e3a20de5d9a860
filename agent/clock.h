/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KATA_AGENT_CLOCK_H
#define KATA_AGENT_CLOCK_H

#include <stdint.h>
#include <time.h>

/** clock_us() - microseconds since the kernel booted. */
static inline uint64_t clock_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* host_tsc: the frequency of this host's time-stamp counter. */
#ifndef KATA_VMM_HOST_TSC_H
#define KATA_VMM_HOST_TSC_H

#include <stdint.h>

/**
 * host_tsc_khz() - the kernel's own knowledge where it shows it (microseconds), else measured
 * (20 ms, within some ppm): cache the answer. 0 = there is none.
 */
uint64_t host_tsc_khz(void);

#endif

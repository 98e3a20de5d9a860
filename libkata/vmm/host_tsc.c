/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host_tsc: the frequency of the time-stamp counter.
 *
 * A microvm under TCG has no timer to calibrate the TSC against that is there
 * early enough; the guest is told (tsc_early_khz) and believes it for good, so an error
 * here is a clock that runs wrong until it is corrected: 10 ppm are a second a day.
 *
 * Best source first:
 *  1. perf's mmap page: the factor from TSC to nanoseconds that the kernel uses itself.
 *     Not in VMs whose kernel keeps time by kvm-clock.
 *  2. CPUID leaf 0x15: crystal and ratio. Intel, bare metal.
 *  3. Counting TSC ticks against CLOCK_MONOTONIC_RAW. Also where the processor does not promise
 *     a constant rate: most VMs hide that promise, and a guest that is told nothing hangs.
 */
#include "vmm/host_tsc.h"

#ifndef __x86_64__

uint64_t host_tsc_khz(void)
{
	return 0;
}

#else

#include <cpuid.h>
#include <linux/perf_event.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#include "base/mem.h"

#define MEASURE_MS 20
/** Readings at each end; the one that took the shortest time is the least disturbed. */
#define READINGS 16

struct reading {
	uint64_t tsc;
	int64_t ns;
};

static int64_t raw_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_RAW, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static struct reading read_both(void)
{
	struct reading best = { 0 };
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < READINGS; i++) {
		uint64_t before = __rdtsc();
		int64_t ns = raw_ns();
		uint64_t took = __rdtsc() - before;

		if (took < least) {
			least = took;
			best = (struct reading){ before + took / 2, ns };
		}
	}
	return best;
}

static uint64_t measure(void)
{
	struct reading a = read_both(), b;

	(void)poll(NULL, 0, MEASURE_MS);
	b = read_both();
	if (b.ns <= a.ns || b.tsc <= a.tsc)
		return 0;
	/* ticks per ms; 20 ms are 10^8 ticks, so there is room for the factor and for rounding */
	return ((b.tsc - a.tsc) * 1000000 + (uint64_t)(b.ns - a.ns) / 2) /
	       (uint64_t)(b.ns - a.ns);
}

static uint64_t from_perf(void)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE,
					.size = sizeof(attr),
					.config = PERF_COUNT_SW_DUMMY,
					.exclude_kernel = 1 };
	AUTO_CLOSE int fd = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1,
					 PERF_FLAG_FD_CLOEXEC);
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	const struct perf_event_mmap_page *p;
	uint64_t khz = 0;

	if (fd < 0)
		return 0;
	p = mmap(NULL, page, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return 0;
	/* ns = ticks * mult >> shift */
	if (p->cap_user_time && p->time_mult && p->time_shift < 44)
		khz = ((1000000ull << p->time_shift) + p->time_mult / 2) / p->time_mult;
	munmap((void *)p, page);
	return khz;
}

static uint64_t from_cpuid(void)
{
	unsigned den = 0, num = 0, crystal_hz = 0, unused;

	if (!__get_cpuid(0x15, &den, &num, &crystal_hz, &unused) || !den || !num ||
	    !crystal_hz)
		return 0;
	return (uint64_t)crystal_hz * num / den / 1000;
}

uint64_t host_tsc_khz(void)
{
	uint64_t khz = from_perf();

	if (!khz)
		khz = from_cpuid();
	return khz ? khz : measure();
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * barrier: what a device does with a queue, against the guest of barrier.S. usage: barrier RAM, the guest's
 * memory as a file.
 *
 * In each round both write a word of their own ("here is something", "wake me from now on"), then read the
 * other's. One of them sees what the other wrote, or a wake-up is lost: that neither does is what a processor does
 * to code without a barrier. Rounds tell something only when the two meet, so this half comes as
 * much later or earlier as brings that about; it ends when they have met often enough.
 *
 * Exit status: 0 no wake-up was lost, 1 some were, 2 they did not meet.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>

#define MEETINGS 10000
#define DEADLINE 60 /* seconds */
#define QUICK 300   /* turns of waiting: who takes longer was not running */
#define LATEST 5000 /* turns of the device's own waiting */
#define SPREAD 1024

/* a cache line each, at 2 MiB */
struct words {
	_Alignas(128) _Atomic uint32_t guest_wrote;
	_Alignas(128) _Atomic uint32_t device_wrote;
	_Alignas(128) _Atomic uint32_t begin; /* number of the round */
	_Alignas(128) _Atomic uint32_t guest_saw;
	_Alignas(128) _Atomic uint32_t done;
};

struct meeting {
	struct words *w;
	time_t end;
	int late; /* how long the device waits, in turns of a loop */
	unsigned rounds, both, neither;
};

/* One round; false: the guest does not end it */
static bool play(struct meeting *m)
{
	struct words *w = m->w;
	unsigned turns = 0;
	uint32_t saw;

	atomic_store(&w->guest_wrote, 0);
	atomic_store(&w->device_wrote, 0);
	atomic_store(&w->begin, ++m->rounds);
	for (volatile int i = 0; i < m->late + (int)(m->rounds % SPREAD); i++)
		;
	atomic_store(&w->device_wrote, 1);
	saw = atomic_load(&w->guest_wrote);
	while (atomic_load(&w->done) != m->rounds) {
		if (++turns % 1000)
			continue;
		sched_yield();
		if (time(NULL) >= m->end)
			return false;
	}
	if (atomic_load(&w->guest_saw)) {
		m->both += saw;
		m->late += !saw && turns < QUICK && m->late < LATEST;
	} else {
		m->neither += !saw;
		m->late -= saw && turns < QUICK && m->late > 0;
	}
	return true;
}

int main(int argc, char **argv)
{
	int fd = argc == 2 ? open(argv[1], O_RDWR) : -1;
	void *p = mmap(NULL, sizeof(struct words), PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		       0x200000);
	struct meeting m = { .w = p, .end = time(NULL) + DEADLINE, .late = 50 };

	if (p == MAP_FAILED) {
		perror("barrier");
		return 2;
	}
	while (m.both + m.neither < MEETINGS && time(NULL) < m.end && play(&m))
		;
	printf("barrier: of %u rounds %u were lost, %u seen by both\n", m.rounds,
	       m.neither, m.both);
	if (m.neither)
		return 1;
	return m.both < MEETINGS ? 2 : 0;
}

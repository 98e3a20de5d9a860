/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tap: the host's end of a VM's network card, made in the network namespace of the calling
 * thread. It is not persistent: with its last descriptor, which the VMM has, it is gone.
 */
#ifndef KATA_NET_TAP_H
#define KATA_NET_TAP_H

#include <net/if.h>
#include <stdbool.h>

#include "base/err.h"

/** Most queues of a card: more descriptors than that serve nobody. */
#define TAP_MAX_QUEUES 8

/**
 * struct tap - one card's end.
 * @fd:    a descriptor for each queue, @queues of them
 * @vhost: /dev/vhost-net for each, -1 = the kernel has none
 */
struct tap {
	char name[IFNAMSIZ];
	int index;
	unsigned queues;
	int fd[TAP_MAX_QUEUES], vhost[TAP_MAX_QUEUES];
};

/** tap_open() - a new one, down; its name is "kata" and a number that is free. */
int tap_open(unsigned queues, struct tap *ret, struct kata_err *err) MUST_CHECK;
/** tap_close() - let go of the descriptors. Name and index stay. */
void tap_close(struct tap *t);

#endif

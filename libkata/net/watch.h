/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch: tells that a network namespace has changed. What has changed is found by a new scan, so
 * a lost notification costs nothing but certainty about interfaces that went and came back.
 */
#ifndef KATA_NET_WATCH_H
#define KATA_NET_WATCH_H

#include <stdbool.h>

#include "base/err.h"

/** net_watch_open() - in the namespace of the calling thread. Return: non-blocking descriptor. */
int net_watch_open(struct kata_err *err) MUST_CHECK;

/**
 * net_watch_drain() - take in what has been told, at most some hundred messages.
 * @gone: called for each link that has left the namespace, whether or not one with its
 * index is there now
 * Return: true when notifications were lost: any link may have gone and come back.
 */
bool net_watch_drain(int fd, void (*gone)(void *arg, int index), void *arg);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* forward: the host's switches for routing, in the network namespace that we are in. */
#ifndef KATA_HOOKS_NET_FORWARD_H
#define KATA_HOOKS_NET_FORWARD_H

#include <stdbool.h>

#include "base/err.h"

/** forward_get() - is it on? Without IPv6 in the kernel forward6 is off. */
int forward_get(bool *ret_forward4, bool *ret_forward6, struct kata_err *err) MUST_CHECK;
int forward_set(bool six, bool on, struct kata_err *err) MUST_CHECK;
/** forward_localnet() - let @bridge carry 127.0.0.0/8: connections of the host to ports published there. */
int forward_localnet(const char *bridge, struct kata_err *err) MUST_CHECK;

#endif

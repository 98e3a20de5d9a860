/* SPDX-License-Identifier: Apache-2.0 */
/* keyring: a session keyring for each container, so that no process of it possesses another's keys. */
#ifndef KATA_AGENT_KEYRING_H
#define KATA_AGENT_KEYRING_H

#include <stdbool.h>

#include "base/err.h"

/**
 * keyring_join() - the container's, made when it is not there. A kernel without keyrings is fine.
 * @open: let processes of other users find what is in it: init does, as it makes it
 * @user_ns: the container's users are not the guest's
 */
int keyring_join(const char *id, bool open, bool user_ns,
		 struct kata_err *err) MUST_CHECK;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* user: who a process is. */
#ifndef KATA_AGENT_USER_H
#define KATA_AGENT_USER_H

#include "base/mem.h"
#include "oci/spec.h"

/** user_home() - home directory of @uid from the text of a passwd file; "/" when it is not there. Pure. */
const char *user_home(const char *passwd, uint32_t uid, struct arena *a);
/** user_home_in() - the same from etc/passwd below @root_fd; an unreadable or overlong file counts
 *  as an empty one. */
const char *user_home_in(int root_fd, uint32_t uid, struct arena *a);

/** user_become() - supplementary groups, gid, uid. */
int user_become(const struct oci_user *u, struct kata_err *err) MUST_CHECK;

#endif

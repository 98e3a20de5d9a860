/* SPDX-License-Identifier: Apache-2.0 */
/*
 * userns: the user namespace of a container. Ids "of the guest" are those of its first user
 * namespace, which are the host's: files of the shared tree have them.
 */
#ifndef KATA_AGENT_USERNS_H
#define KATA_AGENT_USERNS_H

#include <sys/types.h>

#include "base/mem.h"
#include "oci/id_maps.h"

/** struct userns - @on: false: the VM's own, ids are as they are; else its maps. */
struct userns {
	bool on;
	struct jt_objv uids, gids; /* struct oci_id_map */
};

/** userns_of() - as @spec has it; without maps of its own when it joins another's. Borrows. */
struct userns userns_of(const struct oci_spec *spec);

/**
 * userns_join() - that of another container in the memory of @a, for one whose spec says @own.
 * Return: 0; -EINVAL when the other has none, or @own has maps and they differ.
 */
int userns_join(const struct userns *own, const struct userns *other, struct arena *a,
		struct userns *ret, struct kata_err *err) MUST_CHECK;

/** userns_uid(), userns_gid() - ids of the guest; ID_NONE: not mapped. */
uint32_t userns_uid(const struct userns *u, uint32_t id);
uint32_t userns_gid(const struct userns *u, uint32_t id);

/** userns_check_user() - are all ids of @user (NULL = root) mapped? runc's texts. */
int userns_check_user(const struct userns *u, const struct oci_user *user,
		      struct kata_err *err) MUST_CHECK;

/** userns_write_maps() - give the new user namespace that @pid is in its maps. */
int userns_write_maps(pid_t pid, const struct userns *u, struct kata_err *err) MUST_CHECK;

/**
 * userns_become_root() - the caller, who has come into a user namespace with the ids it had before,
 * becomes its root: from here on what it makes is the container's.
 */
int userns_become_root(struct kata_err *err) MUST_CHECK;

#endif

// SPDX-License-Identifier: Apache-2.0
/* userns: see userns.h. Must not know when in the life of a child it is called. */
#include "userns.h"

#include <errno.h>
#include <grp.h>
#include <string.h>
#include <unistd.h>

struct userns userns_of(const struct oci_spec *spec)
{
	struct userns u = { .on = oci_spec_ns(spec, OCI_NS_USER) != NULL };

	if (!u.on)
		return u;
	u.uids = spec->linux_->uidMappings;
	u.gids = spec->linux_->gidMappings;
	return u;
}

static struct jt_objv copy_maps(const struct jt_objv *from, struct arena *a)
{
	struct oci_id_map *to = arena_array(a, from->n + 1, sizeof(*to));

	if (from->n > 0)
		memcpy(to, from->v, from->n * sizeof(*to));
	return (struct jt_objv){ to, from->n };
}

static bool agrees(const struct jt_objv *own, const struct jt_objv *other)
{
	return own->n == 0 || id_maps_same(own, other);
}

int userns_join(const struct userns *own, const struct userns *other, struct arena *a,
		struct userns *ret, struct kata_err *err)
{
	if (!other->on)
		return err_set(err, -EINVAL,
			       "linux.namespaces: the container whose user namespace is "
			       "to be joined has none of its own");
	if (!agrees(&own->uids, &other->uids) || !agrees(&own->gids, &other->gids))
		return err_set(err, -EINVAL,
			       "user namespaces enabled, but both namespace path and "
			       "non-matching mapping specified -- you may only provide "
			       "one");
	*ret = (struct userns){
		.on = true,
		.uids = copy_maps(&other->uids, a),
		.gids = copy_maps(&other->gids, a),
	};
	return 0;
}

uint32_t userns_uid(const struct userns *u, uint32_t id)
{
	return u->on ? id_maps_host(&u->uids, id) : id;
}

uint32_t userns_gid(const struct userns *u, uint32_t id)
{
	return u->on ? id_maps_host(&u->gids, id) : id;
}

int userns_check_user(const struct userns *u, const struct oci_user *user,
		      struct kata_err *err)
{
	static const struct oci_user root = { 0 };

	if (!u->on)
		return 0;
	user = user ? user : &root;
	if (userns_uid(u, user->uid) == ID_NONE)
		return err_set(err, -EINVAL,
			       "cannot set uid to unmapped user in user namespace: "
			       "process.user.uid %u",
			       user->uid);
	if (userns_gid(u, user->gid) == ID_NONE)
		return err_set(err, -EINVAL,
			       "cannot set gid to unmapped user in user namespace: "
			       "process.user.gid %u",
			       user->gid);
	for (size_t i = 0; i < user->additionalGids.n; i++) {
		uint32_t gid = user->additionalGids.v[i];

		if (userns_gid(u, gid) == ID_NONE)
			return err_set(err, -EINVAL,
				       "cannot set gid to unmapped user in user "
				       "namespace: process.user.additionalGids[%zu] %u",
				       i, gid);
	}
	return 0;
}

int userns_write_maps(pid_t pid, const struct userns *u, struct kata_err *err)
{
	return id_maps_write(pid, &u->uids, &u->gids, "the container's user namespace",
			     err);
}

int userns_become_root(struct kata_err *err)
{
	if (setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		return err_sys(err, "become root of the user namespace");
	return 0;
}

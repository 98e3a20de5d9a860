/* SPDX-License-Identifier: Apache-2.0 */
/* id_maps: lists of struct oci_id_map, as user namespaces have them (user_namespaces(7)). Pure, but for id_maps_write(). */
#ifndef KATA_OCI_ID_MAPS_H
#define KATA_OCI_ID_MAPS_H

#include <sys/types.h>

#include "base/err.h"
#include "oci/spec.h"

/** The kernel's own limits: UID_GID_MAP_MAX_EXTENTS, and less than a page in one write. */
#define ID_MAPS_MAX 340
#define ID_MAPS_MAX_TEXT 4095

/** No user and no group has this id. */
#define ID_NONE UINT32_MAX

/**
 * id_maps_check() - would the kernel take them for a container? Each range not empty and below
 * ID_NONE, none overlapping another on either side, 0 mapped, not too many.
 * @name: "linux.uidMappings", for the text. Return: 0, -EINVAL.
 */
int id_maps_check(const struct jt_objv *maps, const char *name,
		  struct kata_err *err) MUST_CHECK;

/** id_maps_host() - the host's id for @id in the container; ID_NONE: it is not mapped. */
uint32_t id_maps_host(const struct jt_objv *maps, uint32_t id);

/** id_maps_same() - the same ranges, in whatever order. Both have passed id_maps_check(). */
bool id_maps_same(const struct jt_objv *a, const struct jt_objv *b);

/** id_maps_text() - what is written to /proc/PID/uid_map. Heap. */
char *id_maps_text(const struct jt_objv *maps);

/**
 * id_maps_write() - give the new user namespace that @pid is in its maps. "setgroups" stays allowed there:
 * the writer is root of the namespace above. @whose: for the text.
 */
int id_maps_write(pid_t pid, const struct jt_objv *uids, const struct jt_objv *gids,
		  const char *whose, struct kata_err *err) MUST_CHECK;

#endif

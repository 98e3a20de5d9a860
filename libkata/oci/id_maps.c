// SPDX-License-Identifier: Apache-2.0
/*
 * id_maps: the kernel says EINVAL to whatever is wrong with a map; here it is said what.
 */
#include "oci/id_maps.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/mem.h"

static const struct oci_id_map *map_at(const struct jt_objv *maps, size_t i)
{
	return (const struct oci_id_map *)maps->v + i;
}

/* The last id of a range must be one, and ID_NONE is none. */
static bool fits(uint32_t first, uint32_t size)
{
	return size > 0 && (uint64_t)first + size <= ID_NONE;
}

static bool overlap(uint32_t a, uint32_t a_size, uint32_t b, uint32_t b_size)
{
	return (uint64_t)a < (uint64_t)b + b_size && (uint64_t)b < (uint64_t)a + a_size;
}

static int check_one(const struct jt_objv *maps, size_t i, const char *name,
		     struct kata_err *err)
{
	const struct oci_id_map *m = map_at(maps, i);

	if (m->size == 0)
		return err_set(err, -EINVAL, "%s[%zu].size: must not be 0", name, i);
	if (!fits(m->containerID, m->size) || !fits(m->hostID, m->size))
		return err_set(err, -EINVAL, "%s[%zu]: goes beyond the largest id, %u",
			       name, i, ID_NONE - 1);
	for (size_t j = 0; j < i; j++) {
		const struct oci_id_map *o = map_at(maps, j);
		bool inside = overlap(m->containerID, m->size, o->containerID, o->size);

		if (inside || overlap(m->hostID, m->size, o->hostID, o->size))
			return err_set(err, -EINVAL, "%s[%zu]: %s ids overlap with [%zu]",
				       name, i, inside ? "container" : "host", j);
	}
	return 0;
}

int id_maps_check(const struct jt_objv *maps, const char *name, struct kata_err *err)
{
	AUTO_FREE char *text = NULL;

	if (maps->n > ID_MAPS_MAX)
		return err_set(err, -EINVAL, "%s: %zu ranges, the kernel takes %d", name,
			       maps->n, ID_MAPS_MAX);
	for (size_t i = 0; i < maps->n; i++) {
		int r = check_one(maps, i, name, err);

		if (r < 0)
			return r;
	}
	if (id_maps_host(maps, 0) == ID_NONE)
		return err_set(err, -EINVAL,
			       "%s: container id 0 is not mapped; the container's root "
			       "owns its namespaces",
			       name);
	text = id_maps_text(maps);
	if (strlen(text) > ID_MAPS_MAX_TEXT)
		return err_set(err, -EINVAL,
			       "%s: %zu ranges are more than the kernel takes in one "
			       "page of text; join adjacent ones",
			       name, maps->n);
	return 0;
}

uint32_t id_maps_host(const struct jt_objv *maps, uint32_t id)
{
	for (size_t i = 0; i < maps->n; i++) {
		const struct oci_id_map *m = map_at(maps, i);

		if (id >= m->containerID && id - m->containerID < m->size)
			return m->hostID + (id - m->containerID);
	}
	return ID_NONE;
}

static bool has_range(const struct jt_objv *maps, const struct oci_id_map *m)
{
	for (size_t i = 0; i < maps->n; i++) {
		const struct oci_id_map *o = map_at(maps, i);

		if (o->containerID == m->containerID && o->hostID == m->hostID &&
		    o->size == m->size)
			return true;
	}
	return false;
}

bool id_maps_same(const struct jt_objv *a, const struct jt_objv *b)
{
	/* ranges of a checked list do not repeat, so that one direction is enough */
	for (size_t i = 0; i < a->n; i++) {
		if (!has_range(b, map_at(a, i)))
			return false;
	}
	return a->n == b->n;
}

char *id_maps_text(const struct jt_objv *maps)
{
	struct buf b = { 0 };
	char *text;

	for (size_t i = 0; i < maps->n; i++) {
		const struct oci_id_map *m = map_at(maps, i);

		buf_addf(&b, "%u %u %u\n", m->containerID, m->hostID, m->size);
	}
	text = mem_strdup(buf_cstr(&b));
	buf_done(&b);
	return text;
}

static int write_map(pid_t pid, const char *file, const struct jt_objv *maps,
		     const char *whose, struct kata_err *err)
{
	AUTO_FREE char *text = id_maps_text(maps);
	char path[48];
	int r;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	r = fs_write_str(AT_FDCWD, path, text);
	return r < 0 ? err_sys_code(err, r, "write %s of %s", file, whose) : 0;
}

int id_maps_write(pid_t pid, const struct jt_objv *uids, const struct jt_objv *gids,
		  const char *whose, struct kata_err *err)
{
	int r = write_map(pid, "uid_map", uids, whose, err);

	return r < 0 ? r : write_map(pid, "gid_map", gids, whose, err);
}

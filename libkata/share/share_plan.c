/* SPDX-License-Identifier: Apache-2.0 */
/*
 * share_plan: which host paths of a spec go into the shared tree, and how. Pure.
 *
 * A mount that is not a bind is made by the guest. Bind options other than "ro" and "private"
 * (nosuid, noexec, ...) are the guest's as well: it mounts what it finds here.
 *
 * What the guest has itself it binds from itself: devices have its drivers behind them, and the
 * host's /proc and /sys tell of another kernel, and change it. An overlay (podman's "-v A:B:O") needs
 * its directories in one kernel, the host's.
 */
#include "share/share.h"

#include <errno.h>
#include <string.h>

#include "base/fs.h"
#include "base/mem.h"
#include "oci/mount_opts.h"

/* Options in order, the later of a pair wins; 0 where @name means nothing. */
enum { OPT_RO = 1, OPT_RRO, OPT_RW, OPT_ALONE, OPT_ATTACHED };

static int option_meaning(const char *name)
{
	static const struct {
		const char *name;
		int meaning;
	} table[] = {
		{ "ro", OPT_RO },
		{ "rro", OPT_RRO },
		{ "rw", OPT_RW },
		{ "rrw", OPT_RW },
		{ "private", OPT_ALONE },
		{ "rprivate", OPT_ALONE },
		{ "unbindable", OPT_ALONE },
		{ "runbindable", OPT_ALONE },
		{ "slave", OPT_ATTACHED },
		{ "rslave", OPT_ATTACHED },
		{ "shared", OPT_ATTACHED },
		{ "rshared", OPT_ATTACHED },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (str_eq(table[i].name, name))
			return table[i].meaning;
	return 0;
}

static bool has_option(const struct oci_mount *m, const char *name)
{
	for (size_t i = 0; i < m->options.n; i++)
		if (str_eq(m->options.v[i], name))
			return true;
	return false;
}

/* runc's rule: the option decides, the type "bind" alone means the same. */
static bool is_bind(const struct oci_mount *m)
{
	return has_option(m, "bind") || has_option(m, "rbind") || str_eq(m->type, "bind");
}

static bool is_guests_device(const char *path)
{
	static const char *const names[] = { "/dev/null", "/dev/zero",	 "/dev/full",
					     "/dev/tty",  "/dev/random", "/dev/urandom" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (str_eq(path, names[i]))
			return true;
	return false;
}

static bool is_guests(const char *source)
{
	AUTO_FREE char *path = source && source[0] == '/' ? fs_abspath("/", source)
							  : NULL;

	return path && (fs_is_below(path, "/proc") || fs_is_below(path, "/sys") ||
			str_eq(path, "/dev") || str_eq(path, "/dev/pts") ||
			is_guests_device(path));
}

enum share_kind share_kind(const struct oci_mount *m)
{
	if (is_bind(m))
		return is_guests(m->source) ? SHARE_GUEST : SHARE_BIND;
	return str_eq(m->type, "overlay") ? SHARE_OVERLAY : SHARE_NOT;
}

bool share_is_shared(const struct oci_mount *m)
{
	enum share_kind kind = share_kind(m);

	return kind == SHARE_BIND || kind == SHARE_OVERLAY;
}

static void bind_options(const struct oci_mount *m, struct share_bind *b)
{
	for (size_t i = 0; i < m->options.n; i++) {
		int meaning = option_meaning(m->options.v[i]);

		if (meaning >= OPT_ALONE) {
			b->alone = meaning == OPT_ALONE;
		} else if (meaning) {
			b->readonly = meaning != OPT_RW;
			b->readonly_below = meaning == OPT_RRO;
		}
	}
	b->recursive = has_option(m, "rbind");
}

static const struct oci_mount *mount_at(const struct oci_spec *spec, size_t i)
{
	return (const struct oci_mount *)spec->mounts.v + i;
}

/* The words that no table of ours knows are the file system's. */
static int overlay_options(const struct oci_mount *m, const struct share_bind *b,
			   struct arena *a, struct jt_strv *ret, struct kata_err *err)
{
	const char **v = arena_array(a, m->options.n + 1, sizeof(*v));
	size_t n = 0;

	for (size_t i = 0; i < m->options.n; i++) {
		const char *word = m->options.v[i], *value = strchr(word, '=');

		if (mount_opt_find(word))
			continue;
		if (strstr(word, "dir=") && value[1] != '/' &&
		    !str_has_prefix(word, "redirect_dir="))
			return err_set(err, -EINVAL, "%s: \"%s\" is no absolute path",
				       b->what, word);
		v[n++] = word;
	}
	*ret = (struct jt_strv){ v, n };
	return n ? 0 : err_set(err, -EINVAL, "%s: an overlay needs lowerdir=", b->what);
}

/* Owners: the mount's own mappings, or with a word in the options those of the container. */
static int plan_map(const struct oci_spec *spec, const struct oci_mount *m, size_t i,
		    struct arena *a, struct share_map *map, struct kata_err *err)
{
	bool asks = has_option(m, "idmap") || has_option(m, "ridmap");

	map->recursive = has_option(m, "ridmap");
	map->uids = m->uidMappings;
	map->gids = m->gidMappings;
	map->what = arena_printf(a, "mounts[%zu].%s", i,
				 m->uidMappings.n ? "uidMappings" : "options");
	if (map->uids.n || !asks)
		return 0;
	if (spec->linux_) {
		map->uids = spec->linux_->uidMappings;
		map->gids = spec->linux_->gidMappings;
	}
	if (map->uids.n && map->gids.n)
		return 0;
	return err_set(err, -EINVAL,
		       "%s: %s needs uidMappings and gidMappings, of the mount or of the "
		       "container",
		       map->what, map->recursive ? "ridmap" : "idmap");
}

static int plan_source(const struct oci_mount *m, size_t i, const char *bundle,
		       struct arena *a, struct share_bind *b, struct kata_err *err)
{
	AUTO_FREE char *source = NULL;

	if (share_kind(m) == SHARE_OVERLAY) {
		b->what = arena_printf(a, "mounts[%zu].options", i);
		b->source = "overlay";
		return overlay_options(m, b, a, &b->overlay, err);
	}
	if (!m->source || !*m->source)
		return err_set(err, -EINVAL,
			       "mounts[%zu].source: is missing in a bind mount", i);
	/* relative to the bundle (runtime-spec, "mounts") */
	source = fs_abspath(bundle, m->source);
	b->source = arena_strdup(a, source);
	b->what = arena_printf(a, "mounts[%zu].source", i);
	return 0;
}

static int plan_binds(const struct oci_spec *spec, const char *bundle, unsigned number,
		      struct arena *a, struct share_plan *plan, struct kata_err *err)
{
	for (size_t i = 0; i < spec->mounts.n; i++) {
		const struct oci_mount *m = mount_at(spec, i);
		struct share_bind *b = &plan->binds[plan->n];
		int r;

		if (!share_is_shared(m))
			continue;
		r = plan_source(m, i, bundle, a, b, err);
		if (r == 0)
			r = plan_map(spec, m, i, a, &b->map, err);
		if (r < 0)
			return r;
		b->target = arena_printf(a, "c%u/m%zu", number, i);
		bind_options(m, b);
		plan->n++;
	}
	return 0;
}

/* Does an earlier mount lie over the place of mounts[@i]? Then its point is in there. */
static bool is_covered(char *const *clean, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (fs_is_below(clean[i], clean[j]))
			return true;
	return str_eq(clean[i], "/");
}

/*
 * In a root that is writable the guest makes mount points; a read-only one must
 * have them before the host binds it.
 */
static void plan_points(const struct oci_spec *spec, struct arena *a,
			struct share_plan *plan)
{
	size_t n = spec->mounts.n, bind = 1;
	char **clean = arena_array(a, n + 1, sizeof(*clean));

	plan->points = arena_array(a, n + 1, sizeof(*plan->points));
	for (size_t i = 0; i < n; i++) {
		const struct oci_mount *m = mount_at(spec, i);
		bool shared = share_is_shared(m);
		int like = shared ? (int)bind : POINT_DIRECTORY;
		AUTO_FREE char *path = fs_abspath("/", m->destination);

		clean[i] = arena_strdup(a, path);
		if (share_kind(m) == SHARE_GUEST && is_guests_device(m->source))
			like = POINT_FILE;
		if (!is_covered(clean, i))
			plan->points[plan->n_points++] = (struct share_point){ clean[i],
									       like };
		bind += shared;
	}
}

int share_plan_make(const struct oci_spec *spec, const char *bundle, const char *rootfs,
		    unsigned number, struct arena *a, struct share_plan *ret_plan,
		    struct kata_err *err)
{
	struct share_plan plan = { .n = 1 };
	int r;

	plan.binds = arena_array(a, spec->mounts.n + 1, sizeof(*plan.binds));
	plan.binds[0] = (struct share_bind){
		.source = rootfs,
		.target = arena_printf(a, "c%u/rootfs", number),
		.readonly = spec->root && spec->root->readonly,
		/* an engine may have mounted volumes into the root already */
		.recursive = true,
		.must_be_dir = true,
		.what = "root.path",
	};
	r = plan_binds(spec, bundle, number, a, &plan, err);
	if (r < 0)
		return r;
	if (plan.binds[0].readonly)
		plan_points(spec, a, &plan);
	*ret_plan = plan;
	return 0;
}

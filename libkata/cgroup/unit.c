// SPDX-License-Identifier: Apache-2.0
/*
 * unit: names and properties follow runc's (libcontainer/cgroups/systemd, specconv), because
 * kubelet and podman look for the units by these names.
 *
 * Device rules are not told to systemd: with Delegate=yes and no policy of its own it leaves the
 * group's filter alone.
 */
#include "cgroup/unit.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "cgroup/impl.h"

#define SLICE ".slice"
#define DEFAULT_SLICE "system.slice"
#define DEFAULT_PREFIX "kata"
#define ANNOTATION "org.systemd.property."
#define USEC_PER_SEC 1000000u
#define PERIOD_DEFAULT 100000u
/* CPUQuotaPerSecUSec: systemd counts whole percents of a CPU */
#define PERCENT_USEC 10000u
#define SINCE_QUOTA_PERIOD 242u
#define SINCE_CPUSET 244u
#define MAX_CPUS 8192u

/* ---- names ---- */

/** Between two colons; NULL: there is no such part. */
static const char *part(const char *s, unsigned i, struct arena *a)
{
	for (; i; i--) {
		s = strchr(s, ':');
		if (!s)
			return NULL;
		s++;
	}
	return arena_strndup(a, s, strcspn(s, ":"));
}

int cg_unit_name(const char *path, const char *id, struct arena *a, const char **ret_name,
		 struct kata_err *err)
{
	const char *slice = DEFAULT_SLICE, *prefix = DEFAULT_PREFIX, *name = id;
	struct cg_unit u;

	if (path && *path) {
		slice = part(path, 0, a);
		prefix = part(path, 1, a);
		name = part(path, 2, a);
		if (!prefix || !name || part(path, 3, a))
			return err_set(
				err, -EINVAL,
				"linux.cgroupsPath: expected cgroupsPath to be of format "
				"\"slice:prefix:name\" for systemd cgroups, got \"%s\" "
				"instead",
				path);
	}
	u.slice = *slice ? slice : DEFAULT_SLICE;
	u.is_slice = str_has_suffix(name, SLICE);
	u.name = u.is_slice ? name : arena_printf(a, "%s-%s.scope", prefix, name);
	if (!*name || strchr(u.name, '/'))
		return err_set(err, -EINVAL, "linux.cgroupsPath: invalid unit name: %s",
			       u.name);
	if (!cg_unit_path(&u, a))
		return err_set(err, -EINVAL, "linux.cgroupsPath: invalid slice name: %s",
			       u.slice);
	*ret_name = arena_printf(a, CG_NAME_SYSTEMD "%s:%s", u.slice, u.name);
	return 0;
}

bool cg_unit_split(const char *name, struct arena *a, struct cg_unit *ret)
{
	const char *colon;

	if (!str_has_prefix(name, CG_NAME_SYSTEMD))
		return false;
	name += strlen(CG_NAME_SYSTEMD);
	colon = strchr(name, ':');
	if (!colon || colon == name || !colon[1] || strchr(colon, '/'))
		return false;
	ret->slice = arena_strndup(a, name, (size_t)(colon - name));
	ret->name = colon + 1;
	ret->is_slice = str_has_suffix(ret->name, SLICE);
	return true;
}

/** "a-b.slice" is "/a.slice/a-b.slice", "-.slice" the top: "". */
static const char *slice_path(const char *slice, struct arena *a)
{
	const char *path = "", *p, *end;

	if (!str_has_suffix(slice, SLICE) || strchr(slice, '/'))
		return NULL;
	if (str_eq(slice, "-" SLICE))
		return "";
	end = slice + strlen(slice) - strlen(SLICE);
	for (p = slice; p <= end; p++) {
		if (p < end && *p != '-')
			continue;
		if (p == slice || p[-1] == '-')
			return NULL;
		path = arena_printf(a, "%s/%.*s" SLICE, path, (int)(p - slice), slice);
	}
	return path;
}

const char *cg_unit_path(const struct cg_unit *u, struct arena *a)
{
	const char *slice = slice_path(u->slice, a);

	return slice ? arena_printf(a, "%s/%s", slice, u->name) : NULL;
}

/* ---- properties ---- */

static struct cg_prop *add(struct cg_props *p, const char *name, char type)
{
	struct cg_prop *grown = arena_array(p->a, p->n + 1, sizeof(*grown));

	for (size_t i = 0; i < p->n; i++)
		grown[i] = p->v[i];
	grown[p->n] = (struct cg_prop){ .name = name, .type = type };
	p->v = grown;
	return &p->v[p->n++];
}

/* ---- annotations: GVariant text ---- */

/* type words of GVariant, and what they are in D-Bus */
static const struct {
	const char *word;
	char type;
	int64_t min;
	uint64_t max;
} kinds[] = {
	{ "byte", 'y', 0, UINT8_MAX },	  { "int16", 'n', INT16_MIN, INT16_MAX },
	{ "uint16", 'q', 0, UINT16_MAX }, { "int32", 'i', INT32_MIN, INT32_MAX },
	{ "uint32", 'u', 0, UINT32_MAX }, { "int64", 'x', INT64_MIN, INT64_MAX },
	{ "uint64", 't', 0, UINT64_MAX },
};

static bool is_signed(char type)
{
	return strchr("nix", type) != NULL;
}

/** "uint64 5", "@t 5", "5": a number of its kind. -EINVAL: none. */
static int parse_number(const char *text, struct cg_prop *ret)
{
	size_t k = 3,
	       n = strcspn(text, " "); /* int32 is what GVariant takes a bare one for */

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		bool word = n == strlen(kinds[i].word) &&
			    memcmp(text, kinds[i].word, n) == 0;

		if (word || (n == 2 && text[0] == '@' && text[1] == kinds[i].type)) {
			k = i;
			text += n + strspn(text + n, " ");
			break;
		}
	}
	ret->type = kinds[k].type;
	if (is_signed(ret->type))
		return str_to_i64(text, kinds[k].min, (int64_t)kinds[k].max,
				  &ret->value.i);
	return str_to_u64(text, 0, kinds[k].max, &ret->value.u);
}

/** 'it\'s' or "it's": with C's escapes for quotes and backslash. */
static int parse_string(const char *text, struct arena *a, struct cg_prop *ret)
{
	char quote = *text, *out = arena_alloc(a, strlen(text) + 1), *p = out;

	for (text++; *text && *text != quote; text++) {
		if (*text == '\\' && text[1] && strchr("\\'\"", text[1]))
			text++;
		else if (*text == '\\')
			return -ENOTSUP;
		*p++ = *text;
	}
	if (*text != quote || text[1])
		return -EINVAL;
	ret->type = 's';
	ret->value.s = out;
	return 0;
}

static int parse_value(const char *text, struct arena *a, struct cg_prop *ret)
{
	text += strspn(text, " ");
	if (str_has_prefix(text, "@s ") || str_has_prefix(text, "@b "))
		text += 3;
	else if (str_has_prefix(text, "boolean "))
		text += strlen("boolean ");
	if (*text == '\'' || *text == '"')
		return parse_string(text, a, ret);
	if (str_eq(text, "true") || str_eq(text, "false")) {
		ret->type = 'b';
		ret->value.u = *text == 't';
		return 0;
	}
	if (*text && strchr("[({<", *text))
		return -ENOTSUP;
	return parse_number(text, ret);
}

/** systemd.unit's TimeoutStopSec is D-Bus' TimeoutStopUSec. */
static int sec_to_usec(struct cg_prop *p, struct arena *a)
{
	size_t n = strlen(p->name);
	uint64_t sec;

	if (n < 4 || !str_has_suffix(p->name, "Sec") || p->name[n - 4] < 'a' ||
	    p->name[n - 4] > 'z')
		return 0;
	if (p->type == 's' || p->type == 'b' || (is_signed(p->type) && p->value.i < 0))
		return -EINVAL;
	sec = is_signed(p->type) ? (uint64_t)p->value.i : p->value.u;
	if (sec > UINT64_MAX / USEC_PER_SEC)
		return -EINVAL;
	p->name = arena_printf(a, "%.*sUSec", (int)(n - 3), p->name);
	p->type = 't';
	p->value.u = sec * USEC_PER_SEC;
	return 0;
}

static int check_name(const char *name)
{
	if (strlen(name) < 3)
		return -EINVAL;
	for (; *name; name++)
		if (!(*name >= 'A' && *name <= 'Z') && !(*name >= 'a' && *name <= 'z'))
			return -EINVAL;
	return 0;
}

int cg_unit_annotations(const struct jt_map *annotations, struct cg_props *ret,
			struct kata_err *err)
{
	for (size_t i = 0; annotations && i < annotations->n; i++) {
		const char *key = annotations->keys[i], *text = annotations->vals[i];
		struct cg_prop one = { 0 };
		int r;

		if (!str_has_prefix(key, ANNOTATION))
			continue;
		one.name = key + strlen(ANNOTATION);
		if (check_name(one.name) < 0)
			return err_set(
				err, -EINVAL,
				"annotation %s name incorrect: must be 3 letters or more, "
				"and nothing else",
				key);
		r = parse_value(text, ret->a, &one);
		if (r == 0)
			r = sec_to_usec(&one, ret->a);
		if (r == -ENOTSUP)
			return err_set(
				err, r,
				"annotation %s=%s: only booleans, whole numbers and strings "
				"can be set",
				key, text);
		if (r < 0)
			return err_set(
				err, -EINVAL,
				"annotation %s=%s value parse error: must be GVariant text "
				"like true, uint64 5 or 'word'",
				key, text);
		*add(ret, one.name, one.type) = one;
	}
	return 0;
}

/* ---- properties of a plan ---- */

/* files whose value is a number, "max" or -1, and the property that systemd has of them */
static const struct {
	const char *file, *property;
} numbers[] = {
	{ "memory.max", "MemoryMax" },
	{ "memory.high", "MemoryHigh" },
	{ "memory.low", "MemoryLow" },
	{ "memory.min", "MemoryMin" },
	{ "memory.swap.max", "MemorySwapMax" },
	{ "memory.limit_in_bytes", "MemoryLimit" },
	{ "cpu.weight", "CPUWeight" },
	{ "cpu.shares", "CPUShares" },
	{ "blkio.weight", "BlockIOWeight" },
	{ "pids.max", "TasksMax" },
};

static void add_number(const struct cg_write *w, struct cg_props *ret)
{
	uint64_t n = UINT64_MAX;

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		if (!str_eq(numbers[i].file, w->file))
			continue;
		if (!str_eq(w->value, "max") && !str_eq(w->value, "-1") &&
		    str_to_u64(w->value, 0, UINT64_MAX, &n) < 0)
			return; /* the kernel will have it out with the user */
		add(ret, numbers[i].property, 't')->value.u = n;
	}
}

/** "0-2,7" as bits, lowest first. False: that is no list. */
static bool cpu_bits(const char *list, struct arena *a, struct cg_prop *ret)
{
	unsigned char *bits = arena_alloc(a, MAX_CPUS / 8);
	size_t n = 0;

	while (*list) {
		const char *word = arena_strndup(a, list, strcspn(list, ","));
		size_t dash = strcspn(word, "-");
		uint64_t first, last;

		if (str_to_u64(arena_strndup(a, word, dash), 0, MAX_CPUS - 1, &first) < 0)
			return false;
		last = first;
		if (word[dash] &&
		    str_to_u64(word + dash + 1, first, MAX_CPUS - 1, &last) < 0)
			return false;
		for (uint64_t i = first; i <= last; i++)
			bits[i / 8] |= (unsigned char)(1u << (i % 8));
		if (last / 8 + 1 > n)
			n = last / 8 + 1;
		list += strlen(word);
		list += *list == ',';
	}
	ret->value.bytes.v = bits;
	ret->value.bytes.n = n;
	return n > 0;
}

static void add_cpuset(const struct cg_write *w, struct cg_props *ret)
{
	struct cg_prop one = { .type = 'a' };

	if (str_eq(w->file, "cpuset.cpus"))
		one.name = "AllowedCPUs";
	else if (str_eq(w->file, "cpuset.mems"))
		one.name = "AllowedMemoryNodes";
	else
		return;
	if (cpu_bits(w->value, ret->a, &one))
		*add(ret, one.name, one.type) = one;
}

/** Quota and period of @w, v1's files or v2's one, into @q. True: it was one of these. */
static bool take_quota(const struct cg_write *w, struct arena *a, struct cg_quota *q)
{
	const char *value = w->value, *space;
	bool both = str_eq(w->file, "cpu.max");

	if (both || str_eq(w->file, "cpu.cfs_quota_us")) {
		space = value + strcspn(value, " ");
		q->quota = -1;
		if (str_to_i64(arena_strndup(a, value, (size_t)(space - value)), -1,
			       INT64_MAX / USEC_PER_SEC, &q->quota) < 0)
			q->quota = -1; /* "max" */
		value = space + strspn(space, " ");
	} else if (!str_eq(w->file, "cpu.cfs_period_us")) {
		return false;
	}
	if ((both || str_eq(w->file, "cpu.cfs_period_us")) &&
	    str_to_u64(value, 1, UINT32_MAX, &q->period) < 0)
		q->period = 0;
	return true;
}

static void add_quota(const struct cg_quota *q, unsigned version, struct cg_props *ret)
{
	uint64_t usec = UINT64_MAX, period = q->period ? q->period : PERIOD_DEFAULT;

	if (q->period && version >= SINCE_QUOTA_PERIOD)
		add(ret, "CPUQuotaPeriodUSec", 't')->value.u = q->period;
	if (q->quota > 0) {
		usec = (uint64_t)q->quota * USEC_PER_SEC / period;
		usec = (usec + PERCENT_USEC - 1) / PERCENT_USEC * PERCENT_USEC;
	}
	add(ret, "CPUQuotaPerSecUSec", 't')->value.u = usec;
}

void cg_unit_props(const struct cg_plan *p, const struct cg_quota *now, unsigned version,
		   struct cg_props *ret)
{
	struct cg_quota q = *now;
	bool has_quota = false;

	for (size_t i = 0; i < p->n; i++) {
		if (take_quota(&p->v[i], ret->a, &q))
			has_quota = true;
		add_number(&p->v[i], ret);
		if (version >= SINCE_CPUSET)
			add_cpuset(&p->v[i], ret);
	}
	if (has_quota)
		add_quota(&q, version, ret);
}

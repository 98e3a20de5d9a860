// SPDX-License-Identifier: Apache-2.0
/*
 * devices: how v1 is told of device rules (what they come to: oci/device_rules.c). Pure. A running
 * group is changed by the difference, never by forbidding everything for a moment.
 *
 * Behind the spec's rules and runc's defaults (the shim is in the group) comes what the programs of
 * a VM open on the host: the guest's devices are its own, not these.
 */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "cgroup/plan.h"

#define PATH "linux.resources.devices"
#define CHARS(ma, mi)                                                                    \
	{                                                                                \
		'c', ma, mi, DEVICE_M | DEVICE_R | DEVICE_W, true                        \
	}

static const struct device_rule vms[] = {
	CHARS(10, 200), /* /dev/net/tun */
	CHARS(10, 229), /* /dev/fuse */
	CHARS(10, 232), /* /dev/kvm */
	CHARS(10, 238), /* /dev/vhost-net */
	CHARS(10, 241), /* /dev/vhost-vsock */
};

int cg_devices_make(const struct jt_objv *rules, const struct cgroup_extra *extra,
		    struct arena *a, struct device_rules *ret, struct kata_err *err)
{
	int r = device_rules_make(rules, a, ret, err);

	if (r == 0 && extra->devices)
		device_rules_admit(ret, vms, ARRAY_SIZE(vms), a);
	return r;
}

static int64_t list_number(const char *s, const char **end)
{
	char text[16];
	size_t n = strcspn(s, ": \n");
	int64_t v = -1;

	*end = s + n + (s[n] == ':' || s[n] == ' ');
	if (n < sizeof(text)) {
		memcpy(text, s, n);
		text[n] = '\0';
		if (str_to_i64(text, 0, UINT32_MAX, &v) < 0)
			v = -1;
	}
	return v;
}

void cg_devices_list(const char *text, struct arena *a, struct device_rules *ret)
{
	const char *line = text, *p;
	size_t n;

	*ret = (struct device_rules){ 0 };
	for (; *line; line += n + (line[n] == '\n')) {
		struct device_rule one = { .type = *line };

		n = strcspn(line, "\n");
		if (*line == 'a') /* its exceptions are not told */
			*ret = (struct device_rules){ .allow = true };
		if (ret->allow || n < 2)
			continue;
		one.major = list_number(line + 2, &p);
		one.minor = list_number(p, &p);
		if (device_access_bits(arena_strndup(a, p, strcspn(p, "\n")),
				       &one.access) == 0)
			device_rules_add(ret, &one, a);
	}
}

static void add_line(struct cg_plan *p, bool allow, const char *line, bool ours)
{
	struct cg_write *grown = arena_array(p->a, p->n + 1, sizeof(*grown));

	for (size_t i = 0; i < p->n; i++)
		grown[i] = p->v[i];
	grown[p->n++] = (struct cg_write){
		.controller = "devices",
		.file = allow ? "devices.allow" : "devices.deny",
		.value = line,
		.path = PATH,
		.flags = ours ? CG_IF_LET : 0,
	};
	p->v = grown;
}

/** Lines for what is in @of and not in @without. */
static void add_difference(struct cg_plan *p, const struct device_rules *of,
			   const struct device_rules *without, bool allow)
{
	for (size_t i = 0; i < of->n; i++) {
		struct device_rule one = of->v[i];
		const struct device_rule *there = device_rules_find(without, one.type,
								    one.major, one.minor);

		if (there)
			one.access &= ~there->access;
		if (one.access)
			add_line(p, allow, device_rule_text(&one, p->a), one.ours);
	}
}

void cg_plan_devices(const struct device_rules *from, const struct device_rules *to,
		     struct cg_plan *p)
{
	static const struct device_rules none;

	/* a group that allows by default does not tell what it forbids */
	if (from->allow || from->allow != to->allow) {
		add_line(p, to->allow, "a", false);
		from = &none;
	}
	add_difference(p, to, from, !to->allow);
	add_difference(p, from, to, to->allow);
}

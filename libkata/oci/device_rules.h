/* SPDX-License-Identifier: Apache-2.0 */
/*
 * device_rules: what linux.resources.devices comes to, rule after rule, and as a filter of cgroup v2.
 * Pure, but for device_filter_attach(). The host's group and the guest's have the same.
 */
#ifndef KATA_OCI_DEVICE_RULES_H
#define KATA_OCI_DEVICE_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/jtab.h"
#include "base/mem.h"
#include "oci/spec.h"

#define DEVICE_M 1u /* as BPF_DEVCG_ACC_* */
#define DEVICE_R 2u
#define DEVICE_W 4u

/** struct device_rule - one exception to what the group does with devices. Numbers: -1 = any. */
struct device_rule {
	char type; /* b, c */
	int64_t major, minor;
	unsigned access; /* DEVICE_* */
	bool ours; /* none of the spec's: what a group above forbids is not missed */
};

/** struct device_rules - what rules, one after the other, come to. */
struct device_rules {
	bool allow; /* all but @v; else only @v */
	struct device_rule *v;
	size_t n;
};

/**
 * device_rules_make() - the spec's rules in their order, then what runc allows every container.
 * No rules: only that. -EINVAL: a type or access that is none, or a rule that v1 would silently
 * not apply: one that takes a part out of an earlier, wider one (as runc).
 */
int device_rules_make(const struct jt_objv *rules, struct arena *a,
		      struct device_rules *ret, struct kata_err *err) MUST_CHECK;
/** device_rules_all() - is everything allowed, as --privileged has it? */
bool device_rules_all(const struct device_rules *d);
/** device_rules_verdict() - DEVICE_* that are allowed of one device. */
unsigned device_rules_verdict(const struct device_rules *d, char type, int64_t major,
			      int64_t minor);

/** device_rules_admit() - allow @list as well. */
void device_rules_admit(struct device_rules *d, const struct device_rule *list, size_t n,
			struct arena *a);
/** device_rules_add() - one more exception. */
void device_rules_add(struct device_rules *d, const struct device_rule *one,
		      struct arena *a);
struct device_rule *device_rules_find(const struct device_rules *d, char type,
				      int64_t major, int64_t minor);
/** device_rule_text() - "c 1:* rwm" */
const char *device_rule_text(const struct device_rule *d, struct arena *a);
int device_access_bits(const char *s, unsigned *ret) MUST_CHECK;

struct bpf_insn;
/** device_rules_program() - a BPF_PROG_TYPE_CGROUP_DEVICE that decides likewise; in @a. */
size_t device_rules_program(const struct device_rules *d, struct arena *a,
			    struct bpf_insn **ret);

/** device_filter_attach() - @program becomes the only filter of the cgroup2 group @dir. */
int device_filter_attach(int dir, const struct bpf_insn *program, size_t n) MUST_CHECK;

#endif

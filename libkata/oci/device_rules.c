// SPDX-License-Identifier: Apache-2.0
/*
 * device_rules: cgroup v1 works the rules off one by one: one for all devices sets what is done by
 * default and forgets the rest, any other is an exception, or takes one away. Here that is done in
 * advance (runc has the same, devices_emulator.go): v2 needs the outcome for its program, on the
 * host and in the guest, and who attaches disks asks it what is allowed.
 *
 * Behind the spec's rules come those that runc allows every container.
 */
#include "oci/device_rules.h"

#include <errno.h>
#include <linux/bpf.h>
#include <string.h>

#include "base/str.h"

#define PATH "linux.resources.devices"
#define ALL_ACCESS (DEVICE_M | DEVICE_R | DEVICE_W)
#define CHARS(ma, mi)                                                                    \
	{                                                                                \
		'c', ma, mi, ALL_ACCESS, true                                            \
	}

/* Documentation/admin-guide/devices.txt; null zero full random urandom, tty console ptmx pts */
static const struct device_rule defaults[] = {
	{ 'c', -1, -1, DEVICE_M, true },
	{ 'b', -1, -1, DEVICE_M, true },
	CHARS(1, 3),
	CHARS(1, 5),
	CHARS(1, 7),
	CHARS(1, 8),
	CHARS(1, 9),
	CHARS(5, 0),
	CHARS(5, 1),
	CHARS(5, 2),
	CHARS(136, -1),
};

struct device_rule *device_rules_find(const struct device_rules *d, char type,
				      int64_t major, int64_t minor)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->v[i].type == type && d->v[i].major == major &&
		    d->v[i].minor == minor)
			return &d->v[i];
	return NULL;
}

void device_rules_add(struct device_rules *d, const struct device_rule *one,
		      struct arena *a)
{
	struct device_rule *there = device_rules_find(d, one->type, one->major,
						      one->minor),
			   *grown;

	if (there) {
		there->ours = there->ours && one->ours;
		there->access |= one->access;
		return;
	}
	grown = arena_array(a, d->n + 1, sizeof(*grown));
	for (size_t i = 0; i < d->n; i++)
		grown[i] = d->v[i];
	grown[d->n++] = *one;
	d->v = grown;
}

/** A wider exception with some of the access of @one: v1 would leave it alone and not say so. */
static const struct device_rule *wider(const struct device_rules *d,
				       const struct device_rule *one)
{
	for (size_t i = 0; i < d->n; i++) {
		const struct device_rule *w = &d->v[i];

		if (w->type == one->type && (w->access & one->access) &&
		    (w->major == -1 || w->major == one->major) &&
		    (w->minor == -1 || w->minor == one->minor) &&
		    (w->major != one->major || w->minor != one->minor))
			return w;
	}
	return NULL;
}

static void drop_exception(struct device_rules *d, const struct device_rule *one)
{
	struct device_rule *there = device_rules_find(d, one->type, one->major,
						      one->minor);

	if (!there)
		return;
	there->access &= ~one->access;
	if (!there->access) {
		*there = d->v[d->n - 1];
		d->n--;
	}
}

const char *device_rule_text(const struct device_rule *d, struct arena *a)
{
	return arena_printf(
		a, "%c %s:%s %s%s%s", d->type,
		d->major < 0 ? "*" : arena_printf(a, "%lld", (long long)d->major),
		d->minor < 0 ? "*" : arena_printf(a, "%lld", (long long)d->minor),
		d->access & DEVICE_R ? "r" : "", d->access & DEVICE_W ? "w" : "",
		d->access & DEVICE_M ? "m" : "");
}

int device_access_bits(const char *s, unsigned *ret)
{
	static const char letters[] = "mrw";
	const char *at;

	*ret = 0;
	for (; *s; s++) {
		at = strchr(letters, *s);
		if (!at)
			return -EINVAL;
		*ret |= 1u << (at - letters);
	}
	return 0;
}

static int number(const int64_t *v, int64_t *ret)
{
	*ret = v && *v >= 0 ? *v : -1;
	return *ret > UINT32_MAX ? -EINVAL : 0;
}

static int apply_rule(const struct oci_device_cgroup *rule, size_t i, struct arena *a,
		      struct device_rules *d, struct kata_err *err)
{
	const char *type = rule->type && *rule->type ? rule->type : "a";
	const char *access = rule->access && *rule->access ? rule->access : "rwm";
	struct device_rule one = { .type = *type };
	const struct device_rule *w;

	if (type[1] || !strchr("abc", *type))
		return err_set(err, -EINVAL,
			       PATH "[%zu].type: must be a, b or c, is \"%s\"", i, type);
	if (device_access_bits(access, &one.access) < 0)
		return err_set(err, -EINVAL,
			       PATH "[%zu].access: must be made of r, w and m, is \"%s\"",
			       i, access);
	if (number(rule->major, &one.major) < 0 || number(rule->minor, &one.minor) < 0)
		return err_set(err, -EINVAL, PATH "[%zu]: major and minor have 32 bits",
			       i);
	if (*type == 'a') {
		*d = (struct device_rules){ .allow = rule->allow };
	} else if (rule->allow != d->allow) {
		device_rules_add(d, &one, a);
	} else {
		w = wider(d, &one);
		if (w)
			return err_set(
				err, -EINVAL,
				PATH "[%zu]: \"%s\" cannot be taken out of the wider "
				     "rule \"%s\" before it",
				i, device_rule_text(&one, a), device_rule_text(w, a));
		drop_exception(d, &one);
	}
	return 0;
}

void device_rules_admit(struct device_rules *d, const struct device_rule *list, size_t n,
			struct arena *a)
{
	for (size_t i = 0; i < n; i++) {
		if (d->allow)
			drop_exception(d, &list[i]);
		else
			device_rules_add(d, &list[i], a);
	}
}

int device_rules_make(const struct jt_objv *rules, struct arena *a,
		      struct device_rules *ret, struct kata_err *err)
{
	const struct oci_device_cgroup *rule = rules->v;
	int r = 0;

	*ret = (struct device_rules){ 0 };
	for (size_t i = 0; i < rules->n && r == 0; i++)
		r = apply_rule(&rule[i], i, a, ret, err);
	if (r == 0)
		device_rules_admit(ret, defaults, ARRAY_SIZE(defaults), a);
	return r;
}

unsigned device_rules_verdict(const struct device_rules *d, char type, int64_t major,
			      int64_t minor)
{
	unsigned named = 0;

	for (size_t i = 0; i < d->n; i++) {
		const struct device_rule *r = &d->v[i];

		if (r->type == type && (r->major == -1 || r->major == major) &&
		    (r->minor == -1 || r->minor == minor))
			named |= r->access;
	}
	return d->allow ? ALL_ACCESS & ~named : named;
}

bool device_rules_all(const struct device_rules *d)
{
	return d->allow && d->n == 0;
}

/* ---- the program ---- */

enum { R_RESULT, R_CTX, R_TYPE, R_ACCESS, R_MAJOR, R_MINOR, R_TMP };

struct program {
	struct bpf_insn *v;
	size_t n;
};

static struct bpf_insn *emit(struct program *p, unsigned code, unsigned dst, unsigned src,
			     int off, int64_t imm)
{
	struct bpf_insn *i = &p->v[p->n++];

	*i = (struct bpf_insn){ .code = (unsigned char)code,
				.dst_reg = dst & 15,
				.src_reg = src & 15,
				.off = (short)off,
				.imm = (int)(uint32_t)imm };
	return i;
}

static void emit_return(struct program *p, int verdict)
{
	emit(p, BPF_ALU64 | BPF_MOV | BPF_K, R_RESULT, 0, 0, verdict);
	emit(p, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

#define INSNS_HEAD 6
#define INSNS_EACH 8 /* at most */
#define INSNS_TAIL 2

/** "if (it is this one) return @verdict" */
static void emit_exception(struct program *p, const struct device_rule *d, bool allow)
{
	struct bpf_insn *out[5];
	size_t n_out = 0, end;

	/* 32-bit compares: a number with its highest bit set is not to be sign-extended */
	out[n_out++] = emit(p, BPF_JMP32 | BPF_JNE | BPF_K, R_TYPE, 0, 0,
			    d->type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR);
	if (d->access != ALL_ACCESS) {
		/* all that is asked for must be allowed; any of it may be forbidden (v1: the same) */
		emit(p, BPF_ALU64 | BPF_MOV | BPF_X, R_TMP, R_ACCESS, 0, 0);
		emit(p, BPF_ALU64 | BPF_AND | BPF_K, R_TMP, 0, 0, d->access);
		out[n_out++] = allow ? emit(p, BPF_JMP32 | BPF_JNE | BPF_X, R_TMP,
					    R_ACCESS, 0, 0)
				     : emit(p, BPF_JMP32 | BPF_JEQ | BPF_K, R_TMP, 0, 0,
					    0);
	}
	if (d->major >= 0)
		out[n_out++] = emit(p, BPF_JMP32 | BPF_JNE | BPF_K, R_MAJOR, 0, 0,
				    d->major);
	if (d->minor >= 0)
		out[n_out++] = emit(p, BPF_JMP32 | BPF_JNE | BPF_K, R_MINOR, 0, 0,
				    d->minor);
	emit_return(p, allow);
	end = p->n;
	for (size_t i = 0; i < n_out; i++)
		out[i]->off = (short)(end - (size_t)(out[i] - p->v) - 1);
}

size_t device_rules_program(const struct device_rules *d, struct arena *a,
			    struct bpf_insn **ret)
{
	struct program p = {
		.v = arena_array(a, INSNS_HEAD + d->n * INSNS_EACH + INSNS_TAIL,
				 sizeof(*p.v)),
	};

	/* struct bpf_cgroup_dev_ctx: u32 access << 16 | type, major, minor */
	emit(&p, BPF_LDX | BPF_MEM | BPF_W, R_TYPE, R_CTX, 0, 0);
	emit(&p, BPF_ALU64 | BPF_AND | BPF_K, R_TYPE, 0, 0, 0xffff);
	emit(&p, BPF_LDX | BPF_MEM | BPF_W, R_ACCESS, R_CTX, 0, 0);
	emit(&p, BPF_ALU64 | BPF_RSH | BPF_K, R_ACCESS, 0, 0, 16);
	emit(&p, BPF_LDX | BPF_MEM | BPF_W, R_MAJOR, R_CTX, 4, 0);
	emit(&p, BPF_LDX | BPF_MEM | BPF_W, R_MINOR, R_CTX, 8, 0);
	for (size_t i = 0; i < d->n; i++)
		emit_exception(&p, &d->v[i], !d->allow);
	emit_return(&p, d->allow);
	*ret = p.v;
	return p.n;
}

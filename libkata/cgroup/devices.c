// SPDX-License-Identifier: Apache-2.0
/*
 * devices: what a list of rules comes to, and how v1 and v2 are told. Pure.
 *
 * v1 works the rules off one by one: one for all devices sets what is done by default and forgets
 * the rest, any other is an exception, or takes one away. Here that is done in advance (runc has
 * the same, devices_emulator.go): v2 needs the outcome for its program, and on v1 a running group
 * is then changed by the difference, never by forbidding everything for a moment.
 *
 * Behind the spec's rules come what runc allows every container (its shim is in the group), and
 * what the programs of a VM open on the host: the guest's devices are its own, not these.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>

#include "base/str.h"
#include "cgroup/plan.h"

#define PATH "linux.resources.devices"
#define ALL_ACCESS (CG_DEV_M | CG_DEV_R | CG_DEV_W)
#define CHARS(ma, mi)                                                                    \
	{                                                                                \
		'c', ma, mi, ALL_ACCESS, true                                            \
	}

/* Documentation/admin-guide/devices.txt; null zero full random urandom, tty console ptmx pts */
static const struct cg_device shims[] = {
	{ 'c', -1, -1, CG_DEV_M, true },
	{ 'b', -1, -1, CG_DEV_M, true },
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
static const struct cg_device vms[] = {
	CHARS(10, 200), /* /dev/net/tun */
	CHARS(10, 229), /* /dev/fuse */
	CHARS(10, 232), /* /dev/kvm */
	CHARS(10, 238), /* /dev/vhost-net */
	CHARS(10, 241), /* /dev/vhost-vsock */
};

/* ---- what rules come to ---- */

static struct cg_device *find(const struct cg_devices *d, char type, int64_t major,
			      int64_t minor)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->v[i].type == type && d->v[i].major == major &&
		    d->v[i].minor == minor)
			return &d->v[i];
	return NULL;
}

static void add_exception(struct cg_devices *d, const struct cg_device *one,
			  struct arena *a)
{
	struct cg_device *there = find(d, one->type, one->major, one->minor), *grown;

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
static const struct cg_device *wider(const struct cg_devices *d,
				     const struct cg_device *one)
{
	for (size_t i = 0; i < d->n; i++) {
		const struct cg_device *w = &d->v[i];

		if (w->type == one->type && (w->access & one->access) &&
		    (w->major == -1 || w->major == one->major) &&
		    (w->minor == -1 || w->minor == one->minor) &&
		    (w->major != one->major || w->minor != one->minor))
			return w;
	}
	return NULL;
}

static void drop_exception(struct cg_devices *d, const struct cg_device *one)
{
	struct cg_device *there = find(d, one->type, one->major, one->minor);

	if (!there)
		return;
	there->access &= ~one->access;
	if (!there->access) {
		*there = d->v[d->n - 1];
		d->n--;
	}
}

static const char *text_of(const struct cg_device *d, struct arena *a)
{
	return arena_printf(
		a, "%c %s:%s %s%s%s", d->type,
		d->major < 0 ? "*" : arena_printf(a, "%lld", (long long)d->major),
		d->minor < 0 ? "*" : arena_printf(a, "%lld", (long long)d->minor),
		d->access & CG_DEV_R ? "r" : "", d->access & CG_DEV_W ? "w" : "",
		d->access & CG_DEV_M ? "m" : "");
}

static int access_bits(const char *s, unsigned *ret)
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
		      struct cg_devices *d, struct kata_err *err)
{
	const char *type = rule->type && *rule->type ? rule->type : "a";
	const char *access = rule->access && *rule->access ? rule->access : "rwm";
	struct cg_device one = { .type = *type };
	const struct cg_device *w;

	if (type[1] || !strchr("abc", *type))
		return err_set(err, -EINVAL,
			       PATH "[%zu].type: must be a, b or c, is \"%s\"", i, type);
	if (access_bits(access, &one.access) < 0)
		return err_set(err, -EINVAL,
			       PATH "[%zu].access: must be made of r, w and m, is \"%s\"",
			       i, access);
	if (number(rule->major, &one.major) < 0 || number(rule->minor, &one.minor) < 0)
		return err_set(err, -EINVAL, PATH "[%zu]: major and minor have 32 bits",
			       i);
	if (*type == 'a') {
		*d = (struct cg_devices){ .allow = rule->allow };
	} else if (rule->allow != d->allow) {
		add_exception(d, &one, a);
	} else {
		w = wider(d, &one);
		if (w)
			return err_set(err, -EINVAL,
				       PATH
				       "[%zu]: \"%s\" cannot be taken out of the wider "
				       "rule \"%s\" before it",
				       i, text_of(&one, a), text_of(w, a));
		drop_exception(d, &one);
	}
	return 0;
}

static void admit(struct cg_devices *d, const struct cg_device *list, size_t n,
		  struct arena *a)
{
	for (size_t i = 0; i < n; i++) {
		if (d->allow)
			drop_exception(d, &list[i]);
		else
			add_exception(d, &list[i], a);
	}
}

int cg_devices_make(const struct jt_objv *rules, const struct cgroup_extra *extra,
		    struct arena *a, struct cg_devices *ret, struct kata_err *err)
{
	const struct oci_device_cgroup *rule = rules->v;
	int r = 0;

	*ret = (struct cg_devices){ 0 };
	for (size_t i = 0; i < rules->n && r == 0; i++)
		r = apply_rule(&rule[i], i, a, ret, err);
	if (r < 0)
		return r;
	admit(ret, shims, ARRAY_SIZE(shims), a);
	if (extra->devices)
		admit(ret, vms, ARRAY_SIZE(vms), a);
	return 0;
}

/* ---- v1 ---- */

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

void cg_devices_list(const char *text, struct arena *a, struct cg_devices *ret)
{
	const char *line = text, *p;
	size_t n;

	*ret = (struct cg_devices){ 0 };
	for (; *line; line += n + (line[n] == '\n')) {
		struct cg_device one = { .type = *line };

		n = strcspn(line, "\n");
		if (*line == 'a') /* its exceptions are not told */
			*ret = (struct cg_devices){ .allow = true };
		if (ret->allow || n < 2)
			continue;
		one.major = list_number(line + 2, &p);
		one.minor = list_number(p, &p);
		if (access_bits(arena_strndup(a, p, strcspn(p, "\n")), &one.access) == 0)
			add_exception(ret, &one, a);
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
static void add_difference(struct cg_plan *p, const struct cg_devices *of,
			   const struct cg_devices *without, bool allow)
{
	for (size_t i = 0; i < of->n; i++) {
		struct cg_device one = of->v[i];
		const struct cg_device *there = find(without, one.type, one.major,
						     one.minor);

		if (there)
			one.access &= ~there->access;
		if (one.access)
			add_line(p, allow, text_of(&one, p->a), one.ours);
	}
}

void cg_plan_devices(const struct cg_devices *from, const struct cg_devices *to,
		     struct cg_plan *p)
{
	static const struct cg_devices none;

	/* a group that allows by default does not tell what it forbids */
	if (from->allow || from->allow != to->allow) {
		add_line(p, to->allow, "a", false);
		from = &none;
	}
	add_difference(p, to, from, !to->allow);
	add_difference(p, from, to, to->allow);
}

/* ---- v2 ---- */

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
static void emit_exception(struct program *p, const struct cg_device *d, bool allow)
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

size_t cg_devices_program(const struct cg_devices *d, struct arena *a,
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

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spec_process: the "process" section (config.md, Process), which is also the
 * whole document of `exec --process`. Rules beyond the schema are the spec's
 * prose and, for scheduler and ioPriority, runc's validator.
 */
#include "oci/spec_tabs.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "oci/names.h"

#define UMASK_MAX 0777

static const char *const ioprio_classes[] = {
	[OCI_IOPRIO_RT] = "IOPRIO_CLASS_RT",
	[OCI_IOPRIO_BE] = "IOPRIO_CLASS_BE",
	[OCI_IOPRIO_IDLE] = "IOPRIO_CLASS_IDLE",
	NULL,
};

static const char *const sched_policies[] = {
	[OCI_SCHED_OTHER] = "SCHED_OTHER",
	[OCI_SCHED_FIFO] = "SCHED_FIFO",
	[OCI_SCHED_RR] = "SCHED_RR",
	[OCI_SCHED_BATCH] = "SCHED_BATCH",
	[OCI_SCHED_ISO] = "SCHED_ISO",
	[OCI_SCHED_IDLE] = "SCHED_IDLE",
	[OCI_SCHED_DEADLINE] = "SCHED_DEADLINE",
	NULL,
};

const char *const oci_sched_flags[] = {
	"SCHED_FLAG_RESET_ON_FORK",  "SCHED_FLAG_RECLAIM",
	"SCHED_FLAG_DL_OVERRUN",     "SCHED_FLAG_KEEP_POLICY",
	"SCHED_FLAG_KEEP_PARAMS",    "SCHED_FLAG_UTIL_CLAMP_MIN",
	"SCHED_FLAG_UTIL_CLAMP_MAX", NULL,
};

static const struct jt_field box_fields[] = {
	JT(struct oci_box, height, JT_U64, .flags = JT_REQUIRED),
	JT(struct oci_box, width, JT_U64, .flags = JT_REQUIRED),
};

static const struct jtab box_tab = {
	.what = "consoleSize",
	.size = sizeof(struct oci_box),
	.fields = box_fields,
	.n_fields = ARRAY_SIZE(box_fields),
};

static const struct jt_field user_fields[] = {
	JT(struct oci_user, uid, JT_U32),
	JT(struct oci_user, gid, JT_U32),
	JT(struct oci_user, umask, JT_OPT_U32, .max = UMASK_MAX),
	JT(struct oci_user, additionalGids, JT_U32V),
	JT(struct oci_user, username, JT_STR),
};

static const struct jtab user_tab = {
	.what = "user",
	.size = sizeof(struct oci_user),
	.fields = user_fields,
	.n_fields = ARRAY_SIZE(user_fields),
};

static const struct jt_field caps_fields[] = {
	JT(struct oci_caps, bounding, JT_STRV),
	JT(struct oci_caps, effective, JT_STRV),
	JT(struct oci_caps, inheritable, JT_STRV),
	JT(struct oci_caps, permitted, JT_STRV),
	JT(struct oci_caps, ambient, JT_STRV),
};

static const struct jtab caps_tab = {
	.what = "capabilities",
	.size = sizeof(struct oci_caps),
	.fields = caps_fields,
	.n_fields = ARRAY_SIZE(caps_fields),
};

static const struct jt_field rlimit_fields[] = {
	JT(struct oci_rlimit, type, JT_STR, .flags = JT_REQUIRED),
	JT(struct oci_rlimit, soft, JT_U64, .flags = JT_REQUIRED),
	JT(struct oci_rlimit, hard, JT_U64, .flags = JT_REQUIRED),
};

static int rlimit_check(const void *obj, const char *path, struct kata_err *err)
{
	const struct oci_rlimit *rl = obj;

	if (oci_rlimit_number(rl->type) < 0)
		return spec_bad(err, path, "type", "unknown rlimit \"%s\"", rl->type);
	if (rl->soft > rl->hard) /* setrlimit(2): EINVAL */
		return spec_bad(err, path, "soft",
				"%" PRIu64 " is above the hard limit %" PRIu64, rl->soft,
				rl->hard);
	return 0;
}

static const struct jtab rlimit_tab = {
	.what = "rlimit",
	.size = sizeof(struct oci_rlimit),
	.fields = rlimit_fields,
	.n_fields = ARRAY_SIZE(rlimit_fields),
	.check = rlimit_check,
};

static const struct jt_field ioprio_fields[] = {
	JT(struct oci_ioprio, class, JT_ENUM, .flags = JT_REQUIRED,
	   .names = ioprio_classes),
	JT(struct oci_ioprio, priority, JT_I32, .max = 7),
};

static const struct jtab ioprio_tab = {
	.what = "ioPriority",
	.size = sizeof(struct oci_ioprio),
	.fields = ioprio_fields,
	.n_fields = ARRAY_SIZE(ioprio_fields),
};

static const struct jt_field scheduler_fields[] = {
	JT(struct oci_scheduler, policy, JT_ENUM, .flags = JT_REQUIRED,
	   .names = sched_policies),
	JT(struct oci_scheduler, nice, JT_I32, .flags = JT_OMIT_ZERO),
	JT(struct oci_scheduler, priority, JT_I32, .flags = JT_OMIT_ZERO),
	JT(struct oci_scheduler, flags, JT_STRV),
	JT(struct oci_scheduler, runtime, JT_U64, .flags = JT_OMIT_ZERO),
	JT(struct oci_scheduler, deadline, JT_U64, .flags = JT_OMIT_ZERO),
	JT(struct oci_scheduler, period, JT_U64, .flags = JT_OMIT_ZERO),
};

/* sched_setattr(2) by way of runc's validator */
static int scheduler_check(const void *obj, const char *path, struct kata_err *err)
{
	const struct oci_scheduler *s = obj;
	bool realtime = s->policy == OCI_SCHED_FIFO || s->policy == OCI_SCHED_RR;

	if (s->nice < -20 || s->nice > 19)
		return spec_bad(err, path, "nice", "must be between -20 and 19, is %d",
				s->nice);
	if (s->priority && !realtime)
		return spec_bad(
			err, path, "priority",
			"can only be set for SCHED_FIFO or SCHED_RR, policy is %s",
			sched_policies[s->policy]);
	if (s->priority < 0 || s->priority > 99)
		return spec_bad(err, path, "priority", "must be between 0 and 99, is %d",
				s->priority);
	if (s->policy != OCI_SCHED_DEADLINE && (s->runtime || s->deadline || s->period))
		return spec_bad(
			err, path, "",
			"runtime, deadline and period can only be set for SCHED_DEADLINE, "
			"policy is %s",
			sched_policies[s->policy]);
	return spec_need_words(&s->flags, oci_sched_flags, path, "flags", err);
}

static const struct jtab scheduler_tab = {
	.what = "scheduler",
	.size = sizeof(struct oci_scheduler),
	.fields = scheduler_fields,
	.n_fields = ARRAY_SIZE(scheduler_fields),
	.check = scheduler_check,
};

static const struct jt_field affinity_fields[] = {
	JT(struct oci_cpu_affinity, initial, JT_STR),
	JT(struct oci_cpu_affinity, final, JT_STR),
};

static int affinity_check(const void *obj, const char *path, struct kata_err *err)
{
	const struct oci_cpu_affinity *aff = obj;
	int r = spec_need_list(aff->initial, path, "initial", err);

	return r < 0 ? r : spec_need_list(aff->final, path, "final", err);
}

static const struct jtab affinity_tab = {
	.what = "execCPUAffinity",
	.size = sizeof(struct oci_cpu_affinity),
	.fields = affinity_fields,
	.n_fields = ARRAY_SIZE(affinity_fields),
	.check = affinity_check,
};

static const struct jt_field process_fields[] = {
	JT(struct oci_process, terminal, JT_BOOL, .flags = JT_OMIT_ZERO),
	JT(struct oci_process, consoleSize, JT_OBJ, .sub = &box_tab),
	JT(struct oci_process, user, JT_OBJ, .sub = &user_tab),
	JT(struct oci_process, args, JT_STRV, .flags = JT_REQUIRED | JT_NONEMPTY),
	JT(struct oci_process, commandLine, JT_STR),
	JT(struct oci_process, env, JT_STRV),
	JT(struct oci_process, cwd, JT_STR, .flags = JT_REQUIRED | JT_NONEMPTY),
	JT(struct oci_process, capabilities, JT_OBJ, .sub = &caps_tab),
	JT(struct oci_process, rlimits, JT_OBJV, .sub = &rlimit_tab),
	JT(struct oci_process, noNewPrivileges, JT_BOOL, .flags = JT_OMIT_ZERO),
	JT(struct oci_process, apparmorProfile, JT_STR),
	JT(struct oci_process, oomScoreAdj, JT_OPT_I32),
	JT(struct oci_process, selinuxLabel, JT_STR),
	JT(struct oci_process, ioPriority, JT_OBJ, .sub = &ioprio_tab),
	JT(struct oci_process, scheduler, JT_OBJ, .sub = &scheduler_tab),
	JT(struct oci_process, execCPUAffinity, JT_OBJ, .sub = &affinity_tab),
};

/* runc's prepareEnv, with its words */
static int env_check(const struct jt_strv *env, const char *path, struct kata_err *err)
{
	for (size_t i = 0; i < env->n; i++) {
		const char *eq = strchr(env->v[i], '=');
		char name[32];

		if (eq && eq != env->v[i])
			continue;
		snprintf(name, sizeof(name), "env[%zu]", i);
		return spec_bad(err, path, name, "invalid environment variable: %s",
				eq ? "name cannot be empty" : "missing '='");
	}
	return 0;
}

static int rlimits_check(const struct jt_objv *rlimits, const char *path,
			 struct kata_err *err)
{
	const struct oci_rlimit *rl = rlimits->v;
	unsigned seen = 0;

	for (size_t i = 0; i < rlimits->n; i++) {
		unsigned bit = 1u << oci_rlimit_number(rl[i].type);
		char name[40];

		snprintf(name, sizeof(name), "rlimits[%zu].type", i);
		if (seen & bit)
			return spec_bad(err, path, name, "%s is there twice", rl[i].type);
		seen |= bit;
	}
	return 0;
}

static int process_check(const void *obj, const char *path, struct kata_err *err)
{
	static const struct oci_user root_user = { 0 };
	struct oci_process *p =
		(struct oci_process *)obj; /* ours until the decoder returns */
	int r;

	if (!p->user)
		p->user = &root_user;
	r = spec_need_abs(p->cwd, path, "cwd", err);
	if (r < 0)
		return r;
	r = env_check(&p->env, path, err);
	if (r < 0)
		return r;
	if (p->oomScoreAdj && (*p->oomScoreAdj < -1000 || *p->oomScoreAdj > 1000))
		return spec_bad(err, path, "oomScoreAdj",
				"must be between -1000 and 1000, is %d", *p->oomScoreAdj);
	return rlimits_check(&p->rlimits, path, err);
}

const struct jtab oci_process_tab = {
	.what = "process",
	.size = sizeof(struct oci_process),
	.fields = process_fields,
	.n_fields = ARRAY_SIZE(process_fields),
	.check = process_check,
};

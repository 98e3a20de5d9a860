/* SPDX-License-Identifier: Apache-2.0 */
/* The process section, inside a config and alone (exec --process). */
#include "oci.h"

#define BAD(rest, want) oci_bad(CONFIG("'process':" PROCESS(rest)), want)

static const struct oci_process *process(struct arena *a, const char *quoted)
{
	const char *text = oci_text(a, quoted);
	const struct oci_process *p = NULL;
	struct kata_err err = { 0 };
	int r = oci_process_load(text, strlen(text), a, &p, &err);

	ck_assert_msg(r == 0, "%s", err.msg);
	return p;
}

START_TEST(absent_members_have_defaults)
{
	AUTO(arena) *a = arena_new();
	const struct oci_process *p = process(a, "{'cwd':'/','args':['sh']}");

	ck_assert(!p->terminal && !p->noNewPrivileges);
	ck_assert_ptr_nonnull(p->user);
	ck_assert_uint_eq(p->user->uid, 0);
	ck_assert_uint_eq(p->user->gid, 0);
	ck_assert_ptr_null(p->user->umask);
	ck_assert_ptr_null(p->capabilities);
	ck_assert_ptr_null(p->oomScoreAdj);
	ck_assert_ptr_null(p->consoleSize);
	ck_assert_uint_eq(p->env.n, 0);
	ck_assert_uint_eq(p->rlimits.n, 0);
	STRV_EQ(p->args, "sh");
}
END_TEST

START_TEST(all_members)
{
	AUTO(arena) *a = arena_new();
	const struct oci_process *p = process(
		a,
		"{'terminal':true,'consoleSize':{'height':25,'width':81},"
		"'user':{'uid':1,'gid':2,'umask':63,'additionalGids':[5,6]},"
		"'args':['sh','-c','x'],'env':['A=b','C='],'cwd':'/w',"
		"'capabilities':{'bounding':['CAP_KILL'],'ambient':['CAP_CHOWN','X']},"
		"'rlimits':[{'type':'RLIMIT_NOFILE','soft':10,'hard':18446744073709551615}],"
		"'noNewPrivileges':true,'apparmorProfile':'ap','oomScoreAdj':-5,"
		"'selinuxLabel':'se','execCPUAffinity':{'initial':'0-3, 7','final':''}}");
	const struct oci_rlimit *rl = p->rlimits.v;

	ck_assert(p->terminal && p->noNewPrivileges);
	ck_assert_uint_eq(p->consoleSize->height, 25);
	ck_assert_uint_eq(p->consoleSize->width, 81);
	ck_assert_uint_eq(p->user->uid, 1);
	ck_assert_uint_eq(p->user->gid, 2);
	ck_assert_uint_eq(*p->user->umask, 077);
	ck_assert_uint_eq(p->user->additionalGids.n, 2);
	ck_assert_uint_eq(p->user->additionalGids.v[1], 6);
	STRV_EQ(p->args, "sh", "-c", "x");
	STRV_EQ(p->env, "A=b", "C=");
	STRV_EQ(p->capabilities->bounding, "CAP_KILL");
	STRV_EQ(p->capabilities->ambient, "CAP_CHOWN", "X");
	ck_assert_uint_eq(p->capabilities->effective.n, 0);
	ck_assert_uint_eq(p->rlimits.n, 1);
	ck_assert_str_eq(rl->type, "RLIMIT_NOFILE");
	ck_assert_uint_eq(rl->soft, 10);
	ck_assert(rl->hard == UINT64_MAX);
	ck_assert_str_eq(p->apparmorProfile, "ap");
	ck_assert_str_eq(p->selinuxLabel, "se");
	ck_assert_int_eq(*p->oomScoreAdj, -5);
	ck_assert_str_eq(p->execCPUAffinity->initial, "0-3, 7");
}
END_TEST

/* alone, paths begin at the document */
START_TEST(bare_document_has_bare_paths)
{
	AUTO(arena) *a = arena_new();
	const char *text = oci_text(a, "{'cwd':'x','args':['sh']}");
	const struct oci_process *p = NULL;
	struct kata_err err = { 0 };

	ck_assert_int_lt(oci_process_load(text, strlen(text), a, &p, &err), 0);
	ck_assert_str_eq(err.msg, "cwd: must be an absolute path, is \"x\"");
	ck_assert_ptr_null(p);
	text = oci_text(a, "{'cwd':'/'}");
	ck_assert_int_lt(oci_process_load(text, strlen(text), a, &p, &err), 0);
	ck_assert_str_eq(err.msg, "args: is required");
}
END_TEST

START_TEST(schedulers)
{
	AUTO(arena) *a = arena_new();
	const struct oci_scheduler *s;

	s = process(a, PROCESS("'scheduler':{'policy':'SCHED_OTHER','nice':-20}"))
		    ->scheduler;
	ck_assert_int_eq(s->policy, OCI_SCHED_OTHER);
	ck_assert_int_eq(s->nice, -20);
	s = process(a, PROCESS("'scheduler':{'policy':'SCHED_RR','priority':99}"))
		    ->scheduler;
	ck_assert_int_eq(s->policy, OCI_SCHED_RR);
	ck_assert_int_eq(s->priority, 99);
	s = process(a,
		    PROCESS("'scheduler':{'policy':'SCHED_DEADLINE','runtime':1,'deadline':2,"
			    "'period':18446744073709551615}"))
		    ->scheduler;
	ck_assert(s->period == UINT64_MAX);

	BAD("'scheduler':{'policy':'SCHED_BATCH','priority':1}",
	    "process.scheduler.priority: can only be set for SCHED_FIFO or SCHED_RR, "
	    "policy is SCHED_BATCH");
	BAD("'scheduler':{'policy':'SCHED_FIFO','priority':-1}",
	    "process.scheduler.priority: must be between 0 and 99, is -1");
	BAD("'scheduler':{'policy':'SCHED_IDLE','period':1}",
	    "process.scheduler: runtime, deadline and period can only be set for "
	    "SCHED_DEADLINE, policy is SCHED_IDLE");
}
END_TEST

START_TEST(io_priorities)
{
	AUTO(arena) *a = arena_new();
	const struct oci_ioprio *io;

	io = process(a, PROCESS("'ioPriority':{'class':'IOPRIO_CLASS_IDLE'}"))->ioPriority;
	ck_assert_int_eq(io->class, OCI_IOPRIO_IDLE);
	ck_assert_int_eq(io->priority, 0);
	io = process(a, PROCESS("'ioPriority':{'class':'IOPRIO_CLASS_RT','priority':7}"))
		     ->ioPriority;
	ck_assert_int_eq(io->class, OCI_IOPRIO_RT);
	ck_assert_int_eq(io->priority, 7);
}
END_TEST

START_TEST(affinity_lists)
{
	AUTO(arena) *a = arena_new();
	static const char *const good[] = { "",	    "0", "0-0",	    " 0-3 , 7 ",
					    ",,1,", "5", "1,2,3-9", "65535-65536" };
	static const char *const bad[] = {
		"-",   "-1",  "1-",    "2-1", "1--2", "1-2-3", "a",
		"0x1", "1 2", "65537", "1.5", "+1",   "1;2",   "99999999999999999999999"
	};
	char text[256];

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		snprintf(text, sizeof(text), PROCESS("'execCPUAffinity':{'final':'%s'}"),
			 good[i]);
		ck_assert_str_eq(process(a, text)->execCPUAffinity->final, good[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		char want[256];

		snprintf(text, sizeof(text),
			 CONFIG("'process':" PROCESS("'execCPUAffinity':{'final':'%s'}")),
			 bad[i]);
		snprintf(
			want, sizeof(want),
			"process.execCPUAffinity.final: must be a list such as \"0-3,7\", "
			"is \"%s\"",
			bad[i]);
		oci_bad(text, want);
	}
}
END_TEST

START_TEST(rlimits_are_checked_together)
{
	BAD("'rlimits':[{'type':'RLIMIT_AS','soft':0,'hard':0},"
	    "{'type':'RLIMIT_CPU','soft':0,'hard':0},"
	    "{'type':'RLIMIT_AS','soft':0,'hard':0}]",
	    "process.rlimits[2].type: RLIMIT_AS is there twice");
	BAD("'rlimits':[{'type':'NOFILE','soft':0,'hard':0}]",
	    "process.rlimits[0].type: unknown rlimit \"NOFILE\"");
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		absent_members_have_defaults,
		all_members,
		bare_document_has_bare_paths,
		schedulers,
		io_priorities,
		affinity_lists,
		rlimits_are_checked_together,
	};

	return suite_run("oci_process", tests, ARRAY_SIZE(tests));
}

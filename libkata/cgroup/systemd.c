// SPDX-License-Identifier: Apache-2.0
/*
 * systemd: groups that systemd makes: transient scope units, over D-Bus. systemd owns the unit,
 * we what is below and (Delegate=yes) the files in it.
 *
 * StartTransientUnit and StopUnit only queue a job. It is done when the JobRemoved signal with
 * its path has come; so the signal is asked for before the call.
 */
#include <config.h>
#include <errno.h>
#include <string.h>

#include "base/loop.h"
#include "base/str.h"
#include "cgroup/impl.h"
#include "cgroup/unit.h"

#ifdef HAVE_LIBSYSTEMD

#include <systemd/sd-bus.h>

#define DEST "org.freedesktop.systemd1"
#define PATH "/org/freedesktop/systemd1"
#define MANAGER "org.freedesktop.systemd1.Manager"
#define JOB_US (30ull * 1000000)
#define MAX_JOB 256

/** struct job - one that is waited for. @path: empty until the call has answered. */
struct job {
	char path[MAX_JOB];
	char result[32];
	/* the signal may come before the answer to the call: the last ones are kept */
	struct {
		char path[MAX_JOB], result[32];
	} seen[8];
	unsigned n_seen;
};

static void bus_closep(sd_bus **bus)
{
	sd_bus_flush_close_unref(*bus);
}
static void message_freep(sd_bus_message **m)
{
	sd_bus_message_unref(*m);
}
static void error_done(sd_bus_error *e)
{
	sd_bus_error_free(e);
}
#define AUTO_BUS __attribute__((cleanup(bus_closep)))
#define AUTO_MSG __attribute__((cleanup(message_freep)))
#define AUTO_ERROR __attribute__((cleanup(error_done)))

static int bus_open(sd_bus **ret, struct kata_err *err)
{
	int r = sd_bus_open_system(ret);

	if (r < 0)
		return err_sys_code(
			err, r,
			"systemd not running on this host, cannot use systemd "
			"cgroups manager: connect to the system bus");
	return 0;
}

static int bus_failed(struct kata_err *err, int r, const sd_bus_error *e,
		      const char *what, const char *unit)
{
	return err_set(err, r, "%s systemd unit %s: %s", what, unit,
		       e->message ? e->message : err_text(-r));
}

/* ---- jobs ---- */

static int on_job_removed(sd_bus_message *m, void *userdata, sd_bus_error *e)
{
	struct job *job = userdata;
	const char *path, *unit, *result;
	uint32_t id;
	int r;

	r = sd_bus_message_read(m, "uoss", &id, &path, &unit, &result);
	if (r < 0)
		return 0; /* not as systemd sends it */
	if (*job->path && str_eq(job->path, path)) {
		if (!str_copy(job->result, sizeof(job->result), result))
			job->result[0] = '?';
	} else if (!*job->path) {
		unsigned i = job->n_seen++ % ARRAY_SIZE(job->seen);

		if (!str_copy(job->seen[i].path, MAX_JOB, path) ||
		    !str_copy(job->seen[i].result, sizeof(job->seen[i].result), result))
			job->seen[i].path[0] = '\0';
	}
	return 0;
}

static int job_subscribe(sd_bus *bus, struct job *job, struct kata_err *err)
{
	AUTO_ERROR sd_bus_error e = SD_BUS_ERROR_NULL;
	int r;

	memset(job, 0, sizeof(*job));
	r = sd_bus_match_signal(bus, NULL, DEST, PATH, MANAGER, "JobRemoved",
				on_job_removed, job);
	if (r >= 0)
		r = sd_bus_call_method(bus, DEST, PATH, MANAGER, "Subscribe", &e, NULL,
				       "");
	if (r < 0)
		return err_set(
			err, r,
			"systemd not running on this host, cannot use systemd cgroups "
			"manager: %s",
			e.message ? e.message : err_text(-r));
	return 0;
}

static int job_wait(sd_bus *bus, struct job *job, sd_bus_message *reply, const char *unit,
		    struct kata_err *err)
{
	uint64_t until = loop_now_us() + JOB_US, now;
	const char *path;
	int r;

	r = sd_bus_message_read(reply, "o", &path);
	if (r < 0 || !str_copy(job->path, sizeof(job->path), path))
		return err_set(err, -EPROTO,
			       "systemd unit %s: no job in systemd's answer", unit);
	for (size_t i = 0; i < ARRAY_SIZE(job->seen); i++)
		if (str_eq(job->seen[i].path, path) &&
		    !str_copy(job->result, sizeof(job->result), job->seen[i].result))
			job->result[0] = '?';
	while (!*job->result) {
		r = sd_bus_process(bus, NULL);
		if (r > 0)
			continue;
		now = loop_now_us();
		if (r == 0 && now >= until)
			r = -ETIMEDOUT;
		if (r == 0)
			r = sd_bus_wait(bus, until - now);
		if (r < 0 && r != -EINTR)
			return err_sys_code(err, r, "wait for systemd's job of %s", unit);
	}
	return 0;
}

static void reset_failed(sd_bus *bus, const char *unit)
{
	AUTO_ERROR sd_bus_error e = SD_BUS_ERROR_NULL;

	/* most have not failed, or are not there */
	if (sd_bus_call_method(bus, DEST, PATH, MANAGER, "ResetFailedUnit", &e, NULL, "s",
			       unit) < 0)
		return;
}

/* ---- properties ---- */

static int append_prop(sd_bus_message *m, const struct cg_prop *p)
{
	char type[2] = { p->type, '\0' };
	int r;

	switch (p->type) {
	case 'a':
		r = sd_bus_message_open_container(m, 'r', "sv");
		if (r >= 0)
			r = sd_bus_message_append(m, "s", p->name);
		if (r >= 0)
			r = sd_bus_message_open_container(m, 'v', "ay");
		if (r >= 0)
			r = sd_bus_message_append_array(m, 'y', p->value.bytes.v,
							p->value.bytes.n);
		if (r >= 0)
			r = sd_bus_message_close_container(m);
		return r < 0 ? r : sd_bus_message_close_container(m);
	case 's':
		return sd_bus_message_append(m, "(sv)", p->name, "s", p->value.s);
	case 'x':
	case 't':
		return sd_bus_message_append(m, "(sv)", p->name, type, p->value.u);
	default: /* b y n q i u: all are passed as an int is */
		return sd_bus_message_append(m, "(sv)", p->name, type, (int)p->value.u);
	}
}

static int append_props(sd_bus_message *m, const struct cg_props *props)
{
	int r = 0;

	for (size_t i = 0; i < props->n && r >= 0; i++)
		r = append_prop(m, &props->v[i]);
	return r;
}

/** What every unit of ours has; runc's. */
static int append_basics(sd_bus_message *m, const struct cg_unit *u, pid_t first,
			 bool unified)
{
	AUTO_FREE char *about = mem_printf("kata container %s", u->name);
	int r;

	r = sd_bus_message_append(m, "(sv)(sv)(sv)(sv)(sv)(sv)", "Description", "s",
				  about, "MemoryAccounting", "b", 1, "CPUAccounting", "b",
				  1, unified ? "IOAccounting" : "BlockIOAccounting", "b",
				  1, "TasksAccounting", "b", 1, "DefaultDependencies",
				  "b", 0);
	if (r >= 0 && u->is_slice)
		r = sd_bus_message_append(m, "(sv)", "Wants", "as", 1, u->slice);
	if (r < 0 || u->is_slice)
		return r;
	r = sd_bus_message_append(m, "(sv)(sv)", "Slice", "s", u->slice, "Delegate", "b",
				  1);
	if (r >= 0 && first)
		r = sd_bus_message_append(m, "(sv)", "PIDs", "au", 1, (uint32_t)first);
	return r;
}

static int start_message(sd_bus *bus, const struct cg_unit *u, pid_t first, bool unified,
			 const struct cg_props *props, sd_bus_message **ret)
{
	int r;

	r = sd_bus_message_new_method_call(bus, ret, DEST, PATH, MANAGER,
					   "StartTransientUnit");
	if (r >= 0)
		r = sd_bus_message_append(*ret, "ss", u->name, "replace");
	if (r >= 0)
		r = sd_bus_message_open_container(*ret, 'a', "(sv)");
	if (r >= 0)
		r = append_basics(*ret, u, first, unified);
	if (r >= 0)
		r = append_props(*ret, props);
	if (r >= 0)
		r = sd_bus_message_close_container(*ret);
	return r < 0 ? r : sd_bus_message_append(*ret, "a(sa(sv))", 0);
}

/* ---- the three things that are asked ---- */

int cg_systemd_name(const struct cgroup_ask *ask, struct arena *a, const char **ret_name,
		    struct kata_err *err)
{
	return cg_unit_name(ask->path, ask->id, a, ret_name, err);
}

int cg_systemd_start(const char *name, pid_t first, const struct jt_map *annotations,
		     const struct cg_host *h, struct kata_err *err)
{
	AUTO(arena) *a = arena_new();
	AUTO_ERROR sd_bus_error e = SD_BUS_ERROR_NULL;
	AUTO_MSG sd_bus_message *ask = NULL, *reply = NULL;
	AUTO_BUS sd_bus *bus = NULL;
	struct cg_props props = { .a = a };
	struct cg_unit u;
	struct job job;
	int r;

	if (!cg_unit_split(name, a, &u))
		return err_set(err, -EINVAL, "cgroup \"%s\": not a name of ours", name);
	r = cg_unit_annotations(annotations, &props, err);
	if (r == 0)
		r = bus_open(&bus, err);
	if (r == 0)
		r = job_subscribe(bus, &job, err);
	if (r < 0)
		return r;
	reset_failed(bus, u.name);
	r = start_message(bus, &u, first, h->unified, &props, &ask);
	if (r >= 0)
		r = sd_bus_call(bus, ask, JOB_US, &e, &reply);
	if (r < 0)
		return bus_failed(
			err, sd_bus_error_has_name(&e, DEST ".UnitExists") ? -EBUSY : r,
			&e, "create", u.name);
	r = job_wait(bus, &job, reply, u.name, err);
	if (r == 0 && !str_eq(job.result, "done"))
		r = err_set(err, -EIO, "error creating systemd unit `%s`: got `%s`",
			    u.name, job.result);
	if (r < 0)
		reset_failed(bus, u.name);
	return r;
}

int cg_systemd_stop(const char *name, struct kata_err *err)
{
	AUTO(arena) *a = arena_new();
	AUTO_ERROR sd_bus_error e = SD_BUS_ERROR_NULL;
	AUTO_MSG sd_bus_message *reply = NULL;
	AUTO_BUS sd_bus *bus = NULL;
	struct cg_unit u;
	struct job job;
	int r;

	if (!cg_unit_split(name, a, &u))
		return err_set(err, -EINVAL, "cgroup \"%s\": not a name of ours", name);
	r = bus_open(&bus, err);
	if (r == 0)
		r = job_subscribe(bus, &job, err);
	if (r < 0)
		return r;
	r = sd_bus_call_method(bus, DEST, PATH, MANAGER, "StopUnit", &e, &reply, "ss",
			       u.name, "replace");
	if (r < 0 && sd_bus_error_has_name(&e, DEST ".NoSuchUnit"))
		return 0; /* a scope goes by itself when its last process has gone */
	if (r < 0)
		return bus_failed(err, r, &e, "stop", u.name);
	r = job_wait(bus, &job, reply, u.name, err);
	reset_failed(bus, u.name);
	return r;
}

static unsigned systemd_version(sd_bus *bus)
{
	AUTO_ERROR sd_bus_error e = SD_BUS_ERROR_NULL;
	AUTO_FREE char *text = NULL;
	uint64_t n = 0;
	char *p;

	if (sd_bus_get_property_string(bus, DEST, PATH, MANAGER, "Version", &e, &text) <
	    0)
		return 0;
	p = text + (*text == 'v'); /* "v245.4-1.fc32", "245" */
	p[strspn(p, "0123456789")] = '\0';
	return str_to_u64(p, 0, 9999, &n) < 0 ? 0 : (unsigned)n;
}

int cg_systemd_set(const char *name, const struct cg_plan *p, const struct cg_quota *now,
		   struct kata_err *err)
{
	AUTO(arena) *a = arena_new();
	AUTO_ERROR sd_bus_error e = SD_BUS_ERROR_NULL;
	AUTO_MSG sd_bus_message *ask = NULL;
	AUTO_BUS sd_bus *bus = NULL;
	struct cg_props props = { .a = a };
	struct cg_unit u;
	int r;

	if (!cg_unit_split(name, a, &u))
		return err_set(err, -EINVAL, "cgroup \"%s\": not a name of ours", name);
	r = bus_open(&bus, err);
	if (r < 0)
		return r;
	cg_unit_props(p, now, systemd_version(bus), &props);
	if (props.n == 0)
		return 0;
	r = sd_bus_message_new_method_call(bus, &ask, DEST, PATH, MANAGER,
					   "SetUnitProperties");
	if (r >= 0)
		r = sd_bus_message_append(ask, "sb", u.name, 1);
	if (r >= 0)
		r = sd_bus_message_open_container(ask, 'a', "(sv)");
	if (r >= 0)
		r = append_props(ask, &props);
	if (r >= 0)
		r = sd_bus_message_close_container(ask);
	if (r >= 0)
		r = sd_bus_call(bus, ask, JOB_US, &e, NULL);
	return r < 0 ? bus_failed(err, r, &e, "set limits of", u.name) : 0;
}

bool cg_systemd_built(void)
{
	return true;
}

#else

static int absent(struct kata_err *err)
{
	return err_set(
		err, -ENOTSUP,
		"this build has no systemd cgroup manager: configure --with-systemd, "
		"or leave out --systemd-cgroup");
}

int cg_systemd_name(const struct cgroup_ask *ask, struct arena *a, const char **ret_name,
		    struct kata_err *err)
{
	return absent(err);
}

int cg_systemd_start(const char *name, pid_t first, const struct jt_map *annotations,
		     const struct cg_host *h, struct kata_err *err)
{
	return absent(err);
}

int cg_systemd_stop(const char *name, struct kata_err *err)
{
	return absent(err);
}

int cg_systemd_set(const char *name, const struct cg_plan *p, const struct cg_quota *now,
		   struct kata_err *err)
{
	return absent(err);
}

bool cg_systemd_built(void)
{
	return false;
}

#endif

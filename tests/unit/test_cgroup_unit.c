// SPDX-License-Identifier: Apache-2.0
/* Units of systemd: names, places, properties. */
#include "cgroup/unit.h"

#include <errno.h>
#include <inttypes.h>

#include "base/buf.h"
#include "base/str.h"
#include "suite.h"

static struct kata_err err;

static const char *name_of(const char *path)
{
	const char *name;

	ck_assert_msg(cg_unit_name(path, "id", test_arena(), &name, &err) == 0, "%s: %s",
		      path, err.msg);
	return name;
}

static const char *path_of(const char *name)
{
	struct cg_unit u;

	return cg_unit_split(name, test_arena(), &u) ? cg_unit_path(&u, test_arena())
						     : NULL;
}

START_TEST(names)
{
	static const struct {
		const char *path, *name, *where;
	} rows[] = {
		{ "system.slice:docker:123", "systemd:system.slice:docker-123.scope",
		  "/system.slice/docker-123.scope" },
		{ ":docker:123", "systemd:system.slice:docker-123.scope",
		  "/system.slice/docker-123.scope" },
		{ NULL, "systemd:system.slice:kata-id.scope",
		  "/system.slice/kata-id.scope" },
		{ "", "systemd:system.slice:kata-id.scope",
		  "/system.slice/kata-id.scope" },
		{ "kubepods-burstable-podx_y.slice:cri-containerd:9",
		  "systemd:kubepods-burstable-podx_y.slice:cri-containerd-9.scope",
		  "/kubepods.slice/kubepods-burstable.slice/"
		  "kubepods-burstable-podx_y.slice/cri-containerd-9.scope" },
		{ "-.slice:a:b", "systemd:-.slice:a-b.scope", "/a-b.scope" },
		{ "a.slice:x:a-b.slice", "systemd:a.slice:a-b.slice",
		  "/a.slice/a-b.slice" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		ck_assert_str_eq(name_of(rows[i].path), rows[i].name);
		ck_assert_str_eq(path_of(rows[i].name), rows[i].where);
	}
}
END_TEST

START_TEST(names_beside)
{
	static const struct {
		const char *name, *beside;
	} rows[] = {
		{ "cgroupfs:/a/b", "cgroupfs:/a/b-vm1" },
		{ "cgroupfs:/a\nmemory:/b/a", "cgroupfs:/a-vm1\nmemory:/b/a-vm1" },
		{ "systemd:system.slice:docker-1.scope",
		  "systemd:system.slice:docker-1-vm1.scope" },
		{ "systemd:a.slice:a-b.slice", NULL },
		{ "", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		ck_assert_pstr_eq(cgroup_name_beside(rows[i].name, "-vm1", test_arena()),
				  rows[i].beside);
}
END_TEST

START_TEST(bad_names)
{
	static const char *const paths[] = {
		"/docker/123",	 "a:b",		  "a.slice:b:c:d",
		"a:b:c",	 "-a.slice:b:c",  "a--b.slice:b:c",
		"a-.slice:b:c",	 "a/b.slice:b:c", ".slice:b:c",
		"a.slice:b:c/d", "a.slice:b:",
	};
	const char *name;

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		ck_assert_msg(cg_unit_name(paths[i], "id", test_arena(), &name, &err) ==
				      -EINVAL,
			      "%s", paths[i]);
		ck_assert(str_has_prefix(err.msg, "linux.cgroupsPath: "));
	}
	ck_assert_int_eq(cg_unit_name("/x", "id", test_arena(), &name, &err), -EINVAL);
	ck_assert_str_eq(err.msg,
			 "linux.cgroupsPath: expected cgroupsPath to be of format "
			 "\"slice:prefix:name\" for systemd cgroups, got \"/x\" instead");
	ck_assert_ptr_null(path_of("cgroupfs:/a"));
	ck_assert_ptr_null(path_of("systemd:a.slice"));
	ck_assert_ptr_null(path_of("systemd::x"));
	ck_assert_ptr_null(path_of("systemd:a.slice:../x"));
	ck_assert_ptr_null(path_of("systemd:..:x"));
}
END_TEST

static const char *text_of(const struct cg_props *p)
{
	struct buf b = { 0 };
	const char *s;

	for (size_t i = 0; i < p->n; i++) {
		const struct cg_prop *q = &p->v[i];

		buf_addf(&b, "%s:%c=", q->name, q->type);
		if (q->type == 's')
			buf_add_str(&b, q->value.s);
		else if (q->type == 'a')
			for (size_t k = 0; k < q->value.bytes.n; k++)
				buf_addf(&b, "%02x", q->value.bytes.v[k]);
		else if (strchr("nix", q->type))
			buf_addf(&b, "%" PRId64, q->value.i);
		else
			buf_addf(&b, "%" PRIu64, q->value.u);
		buf_add_str(&b, " ");
	}
	s = arena_strdup(test_arena(), buf_cstr(&b));
	buf_done(&b);
	return s;
}

static int annotate(const char *key, const char *value, struct cg_props *p)
{
	const struct jt_map map = { .keys = &key, .vals = &value, .n = 1 };

	*p = (struct cg_props){ .a = test_arena() };
	return cg_unit_annotations(&map, p, &err);
}

START_TEST(annotations)
{
	static const struct {
		const char *name, *value, *want;
	} rows[] = {
		{ "CollectMode", "'inactive-or-failed'",
		  "CollectMode:s=inactive-or-failed " },
		{ "Description", "\"a \\\"b\\\" c\"", "Description:s=a \"b\" c " },
		{ "TasksMax", "uint64 17", "TasksMax:t=17 " },
		{ "TasksMax", "@t 17", "TasksMax:t=17 " },
		{ "TasksMax", "uint64 18446744073709551615",
		  "TasksMax:t=18446744073709551615 " },
		{ "Nice", "-5", "Nice:i=-5 " },
		{ "Nice", "int16 -5", "Nice:n=-5 " },
		{ "Byte", "byte 255", "Byte:y=255 " },
		{ "Delegate", "true", "Delegate:b=1 " },
		{ "Delegate", "false", "Delegate:b=0 " },
		{ "TimeoutStopSec", "uint64 3", "TimeoutStopUSec:t=3000000 " },
		{ "TimeoutStopSec", "3", "TimeoutStopUSec:t=3000000 " },
		{ "TimeoutStopUSec", "uint64 3", "TimeoutStopUSec:t=3 " },
	};
	struct cg_props p;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *key = arena_printf(test_arena(), "org.systemd.property.%s",
					       rows[i].name);

		ck_assert_msg(annotate(key, rows[i].value, &p) == 0, "%s", err.msg);
		ck_assert_str_eq(text_of(&p), rows[i].want);
	}
	ck_assert_int_eq(annotate("org.other", "x", &p), 0);
	ck_assert_uint_eq(p.n, 0);
	ck_assert_int_eq(cg_unit_annotations(NULL, &p, &err), 0);
}
END_TEST

START_TEST(bad_annotations)
{
	static const struct {
		const char *name, *value;
		int code;
	} rows[] = {
		{ "After", "['a.service']", -ENOTSUP },
		{ "DeviceAllow", "[('/dev/x','r')]", -ENOTSUP },
		{ "TasksMax", "uint64 -1", -EINVAL },
		{ "TasksMax", "uint64", -EINVAL },
		{ "TasksMax", "byte 256", -EINVAL },
		{ "TasksMax", "2147483648", -EINVAL },
		{ "TasksMax", "five", -EINVAL },
		{ "TasksMax", "", -EINVAL },
		{ "Description", "'open", -EINVAL },
		{ "Description", "'a' b", -EINVAL },
		{ "TimeoutStopSec", "'3'", -EINVAL },
		{ "TimeoutStopSec", "-3", -EINVAL },
		{ "TimeoutStopSec", "uint64 18446744073709551615", -EINVAL },
		{ "ab", "1", -EINVAL },
		{ "a.b.c", "1", -EINVAL },
	};
	struct cg_props p;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *key = arena_printf(test_arena(), "org.systemd.property.%s",
					       rows[i].name);

		ck_assert_msg(annotate(key, rows[i].value, &p) == rows[i].code,
			      "%s=%s: %s", key, rows[i].value, err.msg);
		ck_assert_ptr_nonnull(strstr(err.msg, key));
	}
}
END_TEST

static const char *props(const char *json, bool unified, struct cg_quota now,
			 unsigned version)
{
	static const struct cgroup_extra none;
	struct cg_plan plan = { .unified = unified, .a = test_arena() };
	struct cg_props p = { .a = test_arena() };
	const struct oci_resources *res;

	ck_assert_msg(oci_resources_load(json, strlen(json), test_arena(), &res, &err) ==
			      0,
		      "%s", err.msg);
	ck_assert_int_eq(cg_plan_make(res, &none, CGROUP_AT_UPDATE, &plan, &err), 0);
	cg_unit_props(&plan, &now, version, &p);
	return text_of(&p);
}

START_TEST(limits_as_properties)
{
	const struct cg_quota none = { 0 }, old = { 20000, 50000 };

	ck_assert_str_eq(
		props("{\"memory\":{\"limit\":4096,\"swap\":8192,\"reservation\":5}}",
		      true, none, 250),
		"MemoryMax:t=4096 MemorySwapMax:t=4096 MemoryLow:t=5 ");
	ck_assert_str_eq(props("{\"memory\":{\"limit\":-1}}", true, none, 250),
			 "MemoryMax:t=18446744073709551615 "
			 "MemorySwapMax:t=18446744073709551615 ");
	ck_assert_str_eq(props("{\"memory\":{\"limit\":4096},\"cpu\":{\"shares\":512},"
			       "\"pids\":{\"limit\":-1},\"blockIO\":{\"weight\":10}}",
			       false, none, 250),
			 "CPUShares:t=512 MemoryLimit:t=4096 "
			 "BlockIOWeight:t=10 TasksMax:t=18446744073709551615 ");
	/* rounded up to whole percents */
	ck_assert_str_eq(
		props("{\"cpu\":{\"quota\":50001,\"period\":100000}}", true, none, 250),
		"CPUQuotaPeriodUSec:t=100000 CPUQuotaPerSecUSec:t=510000 ");
	ck_assert_str_eq(
		props("{\"cpu\":{\"quota\":50000,\"period\":100000}}", false, none, 241),
		"CPUQuotaPerSecUSec:t=500000 ");
	/* one of the two on v1: the other is what the file has */
	ck_assert_str_eq(props("{\"cpu\":{\"quota\":25000}}", false, old, 250),
			 "CPUQuotaPeriodUSec:t=50000 CPUQuotaPerSecUSec:t=500000 ");
	ck_assert_str_eq(props("{\"cpu\":{\"period\":100000}}", false, old, 250),
			 "CPUQuotaPeriodUSec:t=100000 CPUQuotaPerSecUSec:t=200000 ");
	ck_assert_str_eq(props("{\"cpu\":{\"quota\":-1}}", true, none, 250),
			 "CPUQuotaPeriodUSec:t=100000 "
			 "CPUQuotaPerSecUSec:t=18446744073709551615 ");
	ck_assert_str_eq(
		props("{\"cpu\":{\"cpus\":\"0-2,9\",\"mems\":\"0\"}}", true, none, 250),
		"AllowedCPUs:a=0702 AllowedMemoryNodes:a=01 ");
	ck_assert_str_eq(props("{\"cpu\":{\"cpus\":\"0-2,9\"}}", true, none, 243), "");
	ck_assert_str_eq(
		props("{\"unified\":{\"memory.high\":\"5\",\"memory.min\":\"max\"}}",
		      true, none, 250),
		"MemoryHigh:t=5 MemoryMin:t=18446744073709551615 ");
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		names,	     names_beside,    bad_names,
		annotations, bad_annotations, limits_as_properties
	};

	return suite_run("cgroup_unit", tests, ARRAY_SIZE(tests));
}

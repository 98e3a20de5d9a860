/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clh_api: the stand-in for Cloud Hypervisor itself. What the driver is tested with has to refuse what
 * the real one refuses: bodies that its definition does not allow, and calls out of order, in its words.
 */
#include <stdio.h>

#include "base/proc.h"
#include "base/sock.h"
#include "clh_bed.h"
#include "vmm/rest.h"

struct api {
	struct tmp dir;
	struct loop *loop;
	struct rest *rest;
	struct proc proc;
	unsigned status;
	char text[REST_TEXT_MAX], body[4096];
};

static void on_answer(void *arg, const struct rest_answer *a)
{
	struct api *p = arg;

	p->status = a->status;
	str_copy(p->text, sizeof(p->text), a->text);
	str_copy(p->body, sizeof(p->body), a->body);
	loop_stop(p->loop, 0);
}

static void on_gone(void *arg, const char *why)
{
	struct api *p = arg;

	(void)why;
	loop_stop(p->loop, 0);
}

/* Listened for before it is there, as the driver does. */
static void api_start(struct api *p)
{
	const struct rest_ops ops = { on_gone, p };
	struct kata_err err = { 0 };
	char *const argv[] = { (char *)"clh", (char *)"--api-socket", (char *)"fd=3",
			       NULL };
	struct proc_spawn sp = PROC_SPAWN_INIT;
	AUTO_FREE char *program = NULL;
	struct proc_fd list[1];
	int fd, ours;

	*p = (struct api){ .dir = tmp_make(), .proc = PROC_INIT };
	put_stand_in(&p->dir, NULL);
	program = mem_printf("%s/clh", p->dir.path);
	ck_assert_int_eq(fchdir(p->dir.fd), 0);
	fd = sock_listen_at(AT_FDCWD, "api", SOCK_STREAM);
	ours = sock_connect_at(AT_FDCWD, "api", SOCK_STREAM);
	ck_assert_int_ge(ours, 0);
	list[0] = (struct proc_fd){ fd, 3 };
	sp.path = program;
	sp.argv = argv;
	sp.fds = list;
	sp.n_fds = 1;
	sp.pdeathsig = SIGKILL;
	ck_assert_msg(proc_spawn(&sp, &p->proc, &err) == 0, "%s", err.msg);
	close(fd);
	ck_assert_int_eq(chdir("/"), 0);
	p->loop = loop_new(&err);
	ck_assert_int_eq(rest_new_take(p->loop, ours, &ops, &p->rest, &err), 0);
}

static void api_done(struct api *p)
{
	ck_assert_int_eq(proc_kill(p->proc.pidfd, SIGKILL), 0);
	ck_assert_int_ge(proc_wait(&p->proc), 0);
	proc_done(&p->proc);
	rest_free(p->rest);
	loop_free(p->loop);
	tmp_done(&p->dir);
}
#define API __attribute__((cleanup(api_done))) struct api

/**
 * struct step - a request and what is to come of it.
 * @request: "PUT vm.boot"; @body: JSON or NULL
 * @text:    part of a refusal's text or of the body; NULL = nothing is looked at
 * @fds:     as many descriptors go along
 */
struct step {
	const char *request, *body;
	unsigned status;
	const char *text;
	size_t fds;
};

static void ask(struct api *p, const struct step *s)
{
	AUTO_FREE char *method = mem_strdup(s->request);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	const int fds[] = { null, null };
	AUTO_FREE char *path = NULL;
	struct kata_err err = { 0 };
	char *space = strchr(method, ' ');
	struct rest_request q = { .method = method,
				  .body = s->body,
				  .fds = fds,
				  .n_fds = s->fds,
				  .deadline_ms = 50000,
				  .done = on_answer };

	*space = 0;
	path = mem_printf("%s%s", space[1] == '/' ? "" : "/api/v1/", space + 1);
	q.path = path;
	p->status = 0;
	ck_assert_int_eq(rest_request(p->rest, &q, &err), 0);
	ck_assert_int_eq(loop_run(p->loop, &err), 0);
	close(null);
	ck_assert_msg(p->status == s->status, "%s %s: %u %s", s->request,
		      s->body ? s->body : "", p->status, p->text);
	ck_assert_msg(!s->text || strstr(p->text, s->text) || strstr(p->body, s->text),
		      "%s %s: %s%s", s->request, s->body ? s->body : "", p->text,
		      p->body);
}

static void ask_all(struct api *p, const struct step *steps, size_t n)
{
	for (size_t i = 0; i < n; i++)
		ask(p, &steps[i]);
}
#define ASK(p, ...)                                                                      \
	ask_all(p, (const struct step[]){ __VA_ARGS__ },                                 \
		sizeof((const struct step[]){ __VA_ARGS__ }) / sizeof(struct step))

#define VM_CONFIG                                                                        \
	"{\"cpus\":{\"boot_vcpus\":2,\"max_vcpus\":2},\"memory\":{\"size\":134217728},"  \
	"\"payload\":{\"kernel\":\"kernel\"}}"
#define CARD "{\"id\":\"card0\",\"mac\":\"02:00:00:00:00:01\",\"num_queues\":4}"
#define OUR_WORD "the stand-in plugs nothing into a VM that runs"

/* Unknown, missing or of the wrong type: 400. Each leaves it as it was. */
START_TEST(bodies)
{
	API p;

	api_start(&p);
	ASK(&p, { "PUT vm.create", "{\"payload\":{},\"surprise\":1}", 400, "surprise" },
	    { "PUT vm.create", "{}", 400, "missing field `payload`" },
	    { "PUT vm.create", "{\"payload\":7}", 400, "invalid type: 7" },
	    { "PUT vm.create", "{\"payload\":{\"kernel\":[]}}", 400, "payload.kernel" },
	    { "PUT vm.create", "{\"payload\":{},\"cpus\":{\"boot_vcpus\":2}}", 400,
	      "missing field `max_vcpus`" },
	    { "PUT vm.create",
	      "{\"payload\":{},\"cpus\":{\"boot_vcpus\":0,\"max_vcpus\":1}}", 400,
	      "invalid value: 0" },
	    { "PUT vm.create", "{\"payload\":{},\"serial\":{\"mode\":\"Loud\"}}", 400,
	      "unknown variant `Loud`" },
	    { "PUT vm.create", "{\"payload\":{}", 400, "" },
	    { "PUT vm.create", NULL, 400, "Bad Request" },
	    { "PUT vm.boot", "{}", 400, "Bad Request" },
	    { "GET vm.create", VM_CONFIG, 400, "Bad Request" },
	    { "PUT vm.boot", NULL, 400, "Bad Request", 1 },
	    { "PUT vm.invent", NULL, 404, "Not Found" },
	    { "PUT /api/v2/vm.boot", NULL, 404, "Not Found" },
	    { "GET vmm.ping", NULL, 200, "\"version\"" },
	    { "GET vm.info", NULL, 404, "VM is not created" });
}
END_TEST

START_TEST(order_of_calls)
{
	API p;

	api_start(&p);
	ASK(&p, { "PUT vm.boot", NULL, 404, "VM config is missing" },
	    { "PUT vm.add-net", CARD, 404, "VM is not created", 2 },
	    { "PUT vm.add-fs",
	      "{\"tag\":\"t\",\"socket\":\"s\",\"num_queues\":1,\"queue_size\":8}", 404,
	      "VM is not created" },
	    { "PUT vm.resize", "{\"desired_vcpus\":1}", 404, "VM is not created" },
	    { "PUT vm.pause", NULL, 500, "VM is not running" },
	    { "PUT vm.shutdown", NULL, 500, "VM is not running" },
	    { "PUT vm.delete", NULL, 204, NULL },
	    { "PUT vm.create", VM_CONFIG, 204, NULL },
	    { "PUT vm.create", VM_CONFIG, 500, "VM is already created" },
	    { "GET vm.info", NULL, 200, "\"Created\"" },
	    { "PUT vm.resume", NULL, 500, "VM is not running" },
	    { "PUT vm.add-net", CARD, 400, "does not match the number of FDs (2)", 1 },
	    { "PUT vm.add-net", CARD, 204, NULL, 2 },
	    { "PUT vm.add-net", CARD, 409, "Identifier card0 is not unique", 2 },
	    { "PUT vm.remove-device", "{\"id\":\"card1\"}", 500,
	      "No device with id \"card1\" to remove" },
	    { "PUT vm.remove-device", "{\"id\":\"card0\"}", 204, NULL },
	    { "PUT vm.add-net", CARD, 204, NULL, 2 }, { "PUT vm.boot", NULL, 204, NULL },
	    { "PUT vm.boot", NULL, 500, "VM is already created" },
	    { "GET vm.info", NULL, 200, "\"Running\"" },
	    { "PUT vm.resume", NULL, 500, "Running to Running" },
	    { "PUT vm.pause", NULL, 204, NULL },
	    { "GET vm.info", NULL, 200, "\"Paused\"" },
	    { "PUT vm.pause", NULL, 500, "Paused to Paused" },
	    { "PUT vm.resume", NULL, 204, NULL }, { "PUT vm.shutdown", NULL, 204, NULL },
	    { "GET vm.info", NULL, 200, "\"Created\"" },
	    { "PUT vm.boot", NULL, 204, NULL }, { "PUT vm.reboot", NULL, 204, NULL },
	    { "PUT vm.delete", NULL, 204, NULL },
	    { "GET vm.info", NULL, 404, "VM is not created" },
	    { "PUT vmm.shutdown", NULL, 204, NULL });
	ck_assert_int_eq(proc_wait_ms(p.proc.pidfd, 50000), 1);
}
END_TEST

/* Of a VM as the driver describes it: what cannot grow does not. */
START_TEST(a_vm_that_runs)
{
	API p;

	api_start(&p);
	ASK(&p, { "PUT vm.create", VM_CONFIG, 204, NULL },
	    { "PUT vm.resize", "{\"desired_vcpus\":3}", 204, NULL },
	    { "PUT vm.boot", NULL, 400, "Max CPUs 2 lower than boot CPUs 3" },
	    { "PUT vm.resize", "{\"desired_vcpus\":2,\"desired_ram\":268435456}", 204,
	      NULL },
	    { "PUT vm.boot", NULL, 204, NULL },
	    { "GET vm.info", NULL, 200, "\"memory_actual_size\": 268435456" },
	    { "PUT vm.resize", "{\"desired_vcpus\":3}", 500,
	      "Requested vCPUs exceed maximum" },
	    { "PUT vm.resize", "{\"desired_vcpus\":0}", 400, "invalid value: 0" },
	    { "PUT vm.resize", "{\"desired_ram\":268435457}", 500, "not a valid size" },
	    { "PUT vm.resize", "{\"desired_ram\":402653184}", 500,
	      "Not enough space in the hotplug RAM region" },
	    { "PUT vm.resize", "{\"desired_vcpus\":2,\"desired_ram\":268435456}", 204,
	      NULL },
	    { "PUT vm.resize", "{\"desired_vcpus\":1}", 500, OUR_WORD },
	    { "PUT vm.add-net", CARD, 500, OUR_WORD, 2 },
	    { "PUT vm.add-disk", "{\"path\":\"/nowhere\"}", 500, OUR_WORD },
	    { "PUT vm.remove-device", "{\"id\":\"card1\"}", 500,
	      "Failed to find device corresponding to the given identifier: card1" },
	    { "PUT vm.nmi", NULL, 500, "the stand-in does not do vm.nmi" },
	    { "GET vm.counters", NULL, 200, "{}" });
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { bodies, order_of_calls, a_vm_that_runs };

	return suite_run_for("clh_api", tests, ARRAY_SIZE(tests), 240);
}

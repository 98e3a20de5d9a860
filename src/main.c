// SPDX-License-Identifier: Apache-2.0
/*
 * kata-runtime: runc's command line. Global options, a command, its options,
 * its words; all of it from tables. Does its work through kata.h, prints one
 * line when that fails and nothing when it does not.
 *
 * Needs no environment: podman calls us with next to none.
 */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "cmd.h"
#include "kata-commit.h"

#define EXIT_UNKNOWN_COMMAND 3 /* runc's */

static const struct cmd *const commands[] = {
	&cmd_create, &cmd_start, &cmd_run,	&cmd_exec,   &cmd_state,  &cmd_kill,
	&cmd_delete, &cmd_pause, &cmd_resume,	&cmd_update, &cmd_ps,	  &cmd_events,
	&cmd_list,   &cmd_spec,	 &cmd_features, &cmd_check,  &cmd_config,
};

/*
 * runc and crun have them and we do not. `checkpoint --help` must fail too: podman
 * takes its success for support of checkpoints (CONTRACT 1.15).
 */
static const char *const missing[] = {
	"checkpoint",
	"restore",
	"mounts",
};

/* --- global options ------------------------------------------------------------------------ */

struct globals {
	bool help, version;
	const char *root, *config, *log;
	int log_format; /* index into log_formats[] */
	int log_level;	/* index into log_levels[] */
	bool debug, systemd_cgroup;
	int cgroup_manager; /* index into cgroup_managers[] */
	int rootless;
	struct fds fds;
};

static const char *const log_formats[] = { "text", "json", NULL };
static const char *const log_levels[] = { "error", "warning", "debug", NULL };
static const char *const cgroup_managers[] = { "cgroupfs", "systemd", "disabled", NULL };
static const char *const rootless_modes[] = { "auto", "true", "false", NULL };

#define GLOBAL(member) offsetof(struct globals, member)

static const struct opt global_opts[] = {
	{ "root", 0, OPT_STR, "DIR", GLOBAL(root), NULL,
	  "where the state of containers is kept (default: /run/kata)" },
	{ "config", 0, OPT_STR, "FILE", GLOBAL(config), NULL,
	  "settings to use instead of the system's kata.conf" },
	{ "log", 0, OPT_STR, "FILE", GLOBAL(log), NULL, "append messages to FILE" },
	{ "log-format", 0, OPT_CHOICE, "FORMAT", GLOBAL(log_format), log_formats,
	  "text or json" },
	{ "log-level", 0, OPT_CHOICE, "LEVEL", GLOBAL(log_level), log_levels,
	  "crun's: debug is --debug, error and warning are as without" },
	{ "debug", 0, OPT_SWITCH, NULL, GLOBAL(debug), NULL, "write debug messages" },
	{ "systemd-cgroup", 0, OPT_SWITCH, NULL, GLOBAL(systemd_cgroup), NULL,
	  "use systemd for cgroups" },
	{ "cgroup-manager", 0, OPT_CHOICE, "NAME", GLOBAL(cgroup_manager),
	  cgroup_managers, "cgroupfs, systemd or disabled" },
	{ "rootless", 0, OPT_CHOICE, "MODE", GLOBAL(rootless), rootless_modes,
	  "accepted: true, false or auto" },
	{ "criu", 0, OPT_IGNORE, "PATH", 0, NULL, "accepted and ignored" },
	{ "help", 'h', OPT_SWITCH, NULL, GLOBAL(help), NULL, "print help" },
	{ "version", 'v', OPT_SWITCH, NULL, GLOBAL(version), NULL, "print versions" },
};

static const struct opts globals = CMD_OPTS(global_opts, "kata-runtime",
					    .stop_at_first = true);

/* --- help ---------------------------------------------------------------------------------- */

static void print_usage(FILE *out)
{
	fprintf(out,
		"kata-runtime: OCI runtime that gives every container its own virtual machine\n\n"
		"usage: kata-runtime [GLOBAL OPTIONS] COMMAND [OPTIONS] [ARGUMENTS]\n\n"
		"commands:\n");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(out, "  %-9s %s\n", commands[i]->name, commands[i]->doc);
	fprintf(out, "  %-9s %s\n  %-9s %s\n\nglobal options:\n", "help",
		"print help, also for a command", "version", "print versions");
	opts_print(&globals, out);
}

static void print_cmd_usage(const struct cmd *c, FILE *out)
{
	fprintf(out, "usage: kata-runtime %s [OPTIONS]%s%s\n\n%s\n\noptions:\n", c->name,
		*c->words ? " " : "", c->words, c->doc);
	opts_print(&c->opts, out);
}

static void print_version(FILE *out)
{
	fprintf(out, "kata-runtime version %s\ncommit: %s\nspec: %s\n", KATA_VERSION,
		KATA_COMMIT, kata_spec_version());
}

static void dump_opts(const char *command, const struct opts *o, FILE *out)
{
	for (size_t i = 0; i < o->n; i++)
		fprintf(out, "%s\t--%s\t%s\n", command, o->v[i].name,
			o->v[i].arg ? o->v[i].arg : "");
}

/* For the manual's check and the completions: COMMAND<TAB>--OPTION<TAB>ARGUMENT. */
static void dump(FILE *out)
{
	dump_opts("", &globals, out);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		fprintf(out, "%s\t\t%s\n", commands[i]->name, commands[i]->words);
		dump_opts(commands[i]->name, &commands[i]->opts, out);
	}
	fprintf(out, "help\t\t[COMMAND]\nversion\t\t\n");
}

/* --- finding the command ------------------------------------------------------------------- */

static const struct cmd *find_command(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (str_eq(commands[i]->name, name))
			return commands[i];
	}
	return NULL;
}

static int no_command(const char *name, struct kata_err *err)
{
	const char *names[ARRAY_SIZE(commands)];
	const char *near;

	for (size_t i = 0; i < ARRAY_SIZE(missing); i++) {
		if (str_eq(missing[i], name))
			return err_set(err, -ENOTSUP, "%s is not supported", name);
	}
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		names[i] = commands[i]->name;
	near = str_nearest(name, names, ARRAY_SIZE(names));
	err_set(err, -EINVAL, "unknown command \"%s\"%s%s%s", name,
		near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
	err->status = EXIT_UNKNOWN_COMMAND;
	return err->code;
}

static int run_help(const struct opts_words *words, struct kata_err *err)
{
	const struct cmd *c;

	if (words->n < 2) {
		print_usage(stdout);
		return 0;
	}
	if (str_eq(words->v[1], "--dump")) {
		dump(stdout);
		return 0;
	}
	c = find_command(words->v[1]);
	if (!c)
		return no_command(words->v[1], err);
	print_cmd_usage(c, stdout);
	return 0;
}

static int check_words(const struct cmd *c, size_t n, struct kata_err *err)
{
	if (n < c->min_words)
		return err_set(err, -EINVAL, "%s needs %s", c->name, c->words);
	if (n > c->max_words)
		return err_set(err, -EINVAL, "%s takes %s, got %zu arguments", c->name,
			       *c->words ? c->words : "no arguments", n);
	return 0;
}

static int run_words(const struct kata *k, const struct cmd *c, const void *args,
		     const struct opts_words *words, struct kata_err *err)
{
	int rc = check_words(c, words->n, err);

	return rc < 0 ? rc : c->run(k, args, words->v, words->n, err);
}

/* @all: the command's name and all that follows it. */
static int run_command(const struct kata *k, const struct fds *fds,
		       const struct opts_words *all, struct kata_err *err)
{
	const struct cmd *c = find_command(all->v[0]);
	AUTO_FREE char **room = mem_zalloc((all->n + 1) * sizeof(*room));
	struct opts_words words = { .v = room };
	AUTO_FREE void *args = NULL;
	int rc;

	if (!c)
		return no_command(all->v[0], err);
	args = mem_zalloc(c->args_size);
	rc = opts_parse(&c->opts, (int)all->n - 1, all->v + 1, args, &words, err);
	((struct cmd_args *)args)->fds = *fds;
	if (rc == 0 && ((const struct cmd_args *)args)->help)
		print_cmd_usage(c, stdout);
	else if (rc == 0)
		rc = run_words(k, c, args, &words, err);
	opts_done(&c->opts, args);
	return rc;
}

static const char *notify_socket(void)
{
	const char *s = getenv("NOTIFY_SOCKET");

	return s && *s ? s : NULL;
}

static int run(const struct globals *g, const struct opts_words *words,
	       struct kata_err *err)
{
	const struct kata k = {
		.root = g->root,
		.root_given = g->root != NULL,
		.config = g->config,
		.systemd_cgroup = g->systemd_cgroup ||
				  str_eq(cgroup_managers[g->cgroup_manager], "systemd"),
		.no_cgroup = str_eq(cgroup_managers[g->cgroup_manager], "disabled"),
		.debug = g->debug,
		.notify_socket = notify_socket(),
	};

	if (g->version || (words->n && str_eq(words->v[0], "version"))) {
		print_version(stdout);
		return 0;
	}
	if (g->help || !words->n) {
		print_usage(stdout);
		return 0;
	}
	if (str_eq(words->v[0], "help"))
		return run_help(words, err);
	return run_command(&k, &g->fds, words, err);
}

/* --- descriptors --------------------------------------------------------------------------- */

/*
 * What the command will ask for; its options are read once more for that, because descriptors come
 * first: before the log, which is to hear of what is wrong with the options, is opened.
 */
static struct fds wanted_fds(const struct opts_words *all)
{
	const struct cmd *c = all->n ? find_command(all->v[0]) : NULL;
	AUTO_FREE char **room = mem_zalloc((all->n + 1) * sizeof(*room));
	struct opts_words words = { .v = room };
	struct kata_err ignored = { 0 };
	struct fds fds = { 0, 0 };
	AUTO_FREE void *args = NULL;

	if (!c || !c->fds)
		return fds;
	args = mem_zalloc(c->args_size);
	if (opts_parse(&c->opts, (int)all->n - 1, all->v + 1, args, &words, &ignored) ==
	    0)
		fds = c->fds(args);
	opts_done(&c->opts, args);
	return fds;
}

/* @rc: of the options so far; their failure is the one that is told. */
static int settle_fds(struct fds *fds, const struct opts_words *all, int rc,
		      struct kata_err *err)
{
	struct kata_err no_fd = { 0 };
	const struct cmd *c;

	if (rc == 0)
		*fds = wanted_fds(all);
	if (fds_settle(fds, &no_fd) == 0 || rc < 0)
		return rc;
	c = find_command(all->v[0]);
	*err = no_fd;
	if (c && c->fails_as)
		err_ctx(err, "%s", c->fails_as);
	err->status = c ? c->fails_with : 0;
	return err->code;
}

int main(int argc, char **argv)
{
	AUTO_FREE char **room = mem_zalloc(((size_t)argc + 1) * sizeof(*room));
	struct opts_words words = { .v = room };
	struct kata_err err = { 0 }, log_err = { 0 };
	struct globals g = { 0 };
	int rc;

	rc = opts_parse(&globals, argc - 1, argv + 1, &g, &words, &err);
	rc = settle_fds(&g.fds, &words, rc, &err);
	g.debug = g.debug || str_eq(log_levels[g.log_level], "debug");
	/* also when an option was wrong: the engine reads the reason in its log */
	if (kata_log_open(g.log, log_formats[g.log_format], g.debug, &log_err) < 0 &&
	    rc == 0) {
		err = log_err;
		rc = err.code;
	}
	if (rc == 0)
		rc = run(&g, &words, &err);
	if (rc < 0) {
		kata_log_failure(&err);
		rc = err.status ? err.status : 1;
	}
	if (fflush(stdout) == EOF && rc == 0)
		rc = 1;
	return rc;
}

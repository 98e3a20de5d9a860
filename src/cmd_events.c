// SPDX-License-Identifier: Apache-2.0
/* events: statistics and happenings of a container, one JSON object per line. */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "cmd.h"

#define INTERVAL_DEFAULT_MS 5000

struct events_args {
	struct cmd_args common;
	bool stats;
	const char *interval;
};

/* Go's time.Duration in whole units: "5s", "500ms", "1m30s". */
static const struct {
	const char *name;
	uint64_t ms;
} units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 } };

static int unit_ms(const char *text, size_t len, uint64_t *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (strlen(units[i].name) == len &&
		    strncmp(units[i].name, text, len) == 0) {
			*ret = units[i].ms;
			return 0;
		}
	}
	return -EINVAL;
}

static int parse_interval(const char *text, uint64_t *ret_ms, struct kata_err *err)
{
	const char *at = text;
	uint64_t total = 0;

	while (*at) {
		size_t digits = strspn(at, "0123456789");
		AUTO_FREE char *number = mem_strndup(at, digits);
		size_t len = strcspn(at + digits, "0123456789");
		uint64_t n, ms;

		if (str_to_u64(number, 0, 1000000, &n) < 0 ||
		    unit_ms(at + digits, len, &ms) < 0)
			break;
		total += n * ms;
		at += digits + len;
	}
	if (*at || total == 0)
		return err_set(
			err, -EINVAL,
			"--interval: \"%s\" is no duration like 5s, 500ms or 1m30s",
			text);
	*ret_ms = total;
	return 0;
}

static int run_events(const struct kata *k, const void *args, char **words, size_t n,
		      struct kata_err *err)
{
	const struct events_args *a = args;
	uint64_t ms = INTERVAL_DEFAULT_MS;
	int rc = a->interval ? parse_interval(a->interval, &ms, err) : 0;

	(void)n;
	return rc < 0 ? rc : kata_events(k, words[0], a->stats, ms, stdout, err);
}

static const struct opt events_opts[] = {
	{ "interval", 0, OPT_STR, "TIME", offsetof(struct events_args, interval), NULL,
	  "time between statistics (default: 5s)" },
	{ "stats", 0, OPT_SWITCH, NULL, offsetof(struct events_args, stats), NULL,
	  "print statistics once" },
	CMD_HELP_OPT,
};

const struct cmd cmd_events = {
	.name = "events",
	.words = "ID",
	.min_words = 1,
	.max_words = 1,
	.doc = "print statistics and happenings of a container",
	.opts = CMD_OPTS(events_opts, "events"),
	.args_size = sizeof(struct events_args),
	.run = run_events,
};

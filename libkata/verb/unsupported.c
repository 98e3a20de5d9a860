// SPDX-License-Identifier: Apache-2.0
/*
 * unsupported: who hears of what sandbox/guest_check finds.
 *
 * Engines set such properties by default, and podman parses the log file of a
 * failed call as one JSON object: a warning in front of the error would take the
 * reason from the user. So log.c lets warnings through only with --debug, which
 * engines do not combine with --log, or to a person at a terminal.
 */
#include "verb/unsupported.h"

#include <errno.h>

#include "base/log.h"
#include "base/str.h"
#include "sandbox/guest_spec.h"

struct unsupported {
	bool refuse;
	bool any;
	char first[256];
};

static void on_unsupported(void *arg, const char *text)
{
	struct unsupported *u = arg;

	if (!u->refuse)
		log_warn("%s", text);
	else if (!u->any)
		str_copy(u->first, sizeof(u->first), text);
	u->any = true;
}

static bool refuses(const struct kata_conf *conf)
{
	return conf->unsupported == CONF_UNSUPPORTED_REFUSE;
}

static int verdict(const struct unsupported *u, struct kata_err *err)
{
	if (!u->refuse || !u->any)
		return 0;
	return err_set(err, -ENOTSUP, "%s (kata.conf: unsupported = refuse)", u->first);
}

int unsupported_spec(const struct kata_conf *conf, const struct oci_spec *spec,
		     struct kata_err *err)
{
	struct unsupported u = { .refuse = refuses(conf) };
	int r = guest_spec_check(spec, on_unsupported, &u, err);

	return r < 0 ? r : verdict(&u, err);
}

int unsupported_process(const char *config, const struct oci_process *p,
			struct kata_err *err)
{
	struct unsupported quiet = { .refuse = true }, u = { 0 };
	AUTO(conf) *conf = NULL;
	int r = guest_process_check(p, on_unsupported, &quiet, err);

	if (r < 0 || !quiet.any)
		return r;
	r = conf_load(config, &conf, err);
	if (r < 0)
		return r;
	u.refuse = refuses(conf_get(conf));
	r = guest_process_check(p, on_unsupported, &u, err);
	return r < 0 ? r : verdict(&u, err);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * pause, resume: the guest freezes the container's cgroup, the record says so afterwards. Whoever is
 * killed in between leaves a record that is behind. resume puts both cases right: it asks the
 * sandbox, not the record, and when the sandbox has nothing to resume the record follows it.
 */
#include <errno.h>

#include "verb/verb.h"

struct change {
	unsigned type; /* enum ctl_type */
	enum store_phase phase;
	const char *gone; /* text when there is nothing to change */
};

/* No other verb is at work, so only one that was killed can have left it like this. */
static bool resumed_already(const struct verb_box *box, const struct change *ch)
{
	return ch->type == CTL_RESUME && verb_status(box) == OCI_PAUSED;
}

static int change(const struct kata *k, const char *id, const struct change *ch,
		  struct kata_err *err)
{
	struct verb_box box = VERB_BOX_INIT;
	int rc = verb_open(k, id, true, &box, err);

	if (rc < 0)
		return rc;
	rc = verb_call(&box, ch->type, 0, 0, err);
	if (rc < 0 && (verb_is_gone(rc) || rc == -ESRCH))
		rc = err_set(err, -ESRCH, "%s", ch->gone);
	if (rc == -EINVAL && resumed_already(&box, ch)) {
		err_done(err);
		rc = 0;
	}
	if (rc == 0) {
		box.rec.phase = (int)ch->phase;
		rc = store_record_write(&box.dir, &box.rec, err);
	}
	verb_box_done(&box);
	return rc;
}

int kata_pause(const struct kata *k, const char *id, struct kata_err *err)
{
	static const struct change ch = { CTL_PAUSE, STORE_PAUSED,
					  "container not running" };

	return change(k, id, &ch, err);
}

int kata_resume(const struct kata *k, const char *id, struct kata_err *err)
{
	static const struct change ch = { CTL_RESUME, STORE_RUNNING,
					  "container not paused" };

	return change(k, id, &ch, err);
}

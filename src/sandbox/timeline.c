/* SPDX-License-Identifier: Apache-2.0 */
/* timeline: marks in microseconds since `create` began, for people and quickstart. */
#include <inttypes.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/log.h"
#include "sandbox.h"

void timeline_mark_at(struct timeline *t, const char *name, uint64_t ago_us)
{
	uint64_t at = loop_now_us();

	if (t->n >= ARRAY_SIZE(t->marks))
		return;
	at -= ago_us < at ? ago_us : at;
	t->marks[t->n].name = name;
	t->marks[t->n++].us = at > t->began_us ? at - t->began_us : 0;
}

void timeline_mark(struct timeline *t, const char *name)
{
	timeline_mark_at(t, name, 0);
}

void timeline_write(const struct timeline *t, int dirfd)
{
	struct buf b = { 0 };
	struct json_out o = { .buf = &b };

	json_out_begin_object(&o);
	json_out_key(&o, "marks");
	json_out_begin_array(&o);
	for (unsigned i = 0; i < t->n; i++) {
		json_out_begin_object(&o);
		json_out_key(&o, "name");
		json_out_str(&o, t->marks[i].name);
		json_out_key(&o, "us");
		json_out_u64(&o, t->marks[i].us);
		json_out_end_object(&o);
	}
	json_out_end_array(&o);
	json_out_end_object(&o);
	if (fs_write_atomic(dirfd, "timeline.json", buf_ptr(&b), buf_len(&b), 0600) < 0)
		log_debug("timeline.json cannot be written");
	buf_done(&b);
}

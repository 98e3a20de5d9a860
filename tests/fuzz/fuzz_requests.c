// SPDX-License-Identifier: Apache-2.0
/*
 * requests: any bytes as the body of each request that the agent takes. A refusal has a reason, in one line;
 * what is taken, encoded, is taken again and is the same.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "proto/netmsg.h"
#include "requests.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct jtab *const tabs[] = {
	&req_welcome_tab, &req_create_tab,    &req_exec_tab,	&req_signal_tab,
	&req_winsize_tab, &req_stdin_end_tab, &req_connect_tab, &req_update_tab,
	&req_target_tab,  &req_empty_tab,     &netmsg_tab,
};

static void require(bool truth)
{
	if (!truth)
		abort();
}

/* As the agent does: parse, decode. Encodes into @ret. Return: 0, or -errno of a refusal. */
static int take(const struct jtab *tab, const void *text, size_t len, struct buf *ret)
{
	struct json_out o = { .buf = ret };
	struct kata_err err = { 0 };
	AUTO(arena) *a = arena_new();
	void *body = arena_alloc(a, tab->size);
	const struct json *j = NULL;
	int r = json_parse(text, len, &json_limits_default, a, &j, &err);

	if (r == 0)
		r = jtab_decode(tab, j, a, "", body, &err);
	if (r < 0) {
		require(err.code == r && err.msg[0] && !strchr(err.msg, '\n'));
		return r;
	}
	jtab_encode(tab, body, &o);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < ARRAY_SIZE(tabs); i++) {
		struct buf first = { 0 }, second = { 0 };

		if (take(tabs[i], data, size, &first) == 0) {
			require(take(tabs[i], buf_ptr(&first), buf_len(&first),
				     &second) == 0);
			require(buf_len(&first) == buf_len(&second));
			require(memcmp(buf_ptr(&first), buf_ptr(&second),
				       buf_len(&first)) == 0);
		}
		buf_done(&first);
		buf_done(&second);
	}
	return 0;
}

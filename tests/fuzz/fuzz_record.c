// SPDX-License-Identifier: Apache-2.0
/* A record.json of anybody's making, read as the verbs read it. */
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/json.h"
#include "store/store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_again(const struct store_record *r)
{
	struct buf b = { 0 };
	struct json_out o = { .buf = &b };

	jtab_encode(&store_record_tab, r, &o);
	buf_done(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(arena) *a = arena_new();
	struct kata_err err = { 0 };
	struct store_record r;
	const struct json *j;

	if (json_parse((const char *)data, size, &json_limits_default, a, &j, &err) ==
		    0 &&
	    jtab_decode(&store_record_tab, j, a, "", &r, &err) == 0)
		write_again(&r);
	return 0;
}

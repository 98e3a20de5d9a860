// SPDX-License-Identifier: Apache-2.0
/* create: the container up to the exec gate. The work is creation.c's. */
#include "verb/creation.h"

int kata_create(const struct kata *k, const struct kata_create_args *args,
		struct kata_err *err)
{
	struct creation c;
	int rc = creation_run(&c, k, args, false, err);

	creation_done(&c);
	err->status = 0; /* 126 and 127 are for those who wait for the program: run */
	return rc;
}

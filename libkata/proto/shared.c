// SPDX-License-Identifier: Apache-2.0
/* shared: the table behind shared.h; both sides link it. */
#include "proto/shared.h"

static const struct jt_field fields[] = {
	JT(struct shared_mount, path, JT_STR, .flags = JT_REQUIRED | JT_NONEMPTY),
	JT(struct shared_mount, attrs, JT_U64, .flags = JT_OMIT_ZERO),
};

const struct jtab shared_tab = {
	.what = "shared mount",
	.size = sizeof(struct shared_mount),
	.fields = fields,
	.n_fields = ARRAY_SIZE(fields),
};

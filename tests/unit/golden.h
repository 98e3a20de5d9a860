/* SPDX-License-Identifier: Apache-2.0 */
/*
 * golden: a text that must be exactly what is kept in tests/data. With
 * KATA_GOLDEN=write in the environment the file is written instead; look at the
 * difference before you commit it.
 */
#ifndef KATA_TESTS_UNIT_GOLDEN_H
#define KATA_TESTS_UNIT_GOLDEN_H

#include <check.h>
#include <fcntl.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/str.h"

/** golden_check() - @text against tests/data/@name; its differences are shown by the failure. */
static inline void golden_check(const char *name, const char *text)
{
	AUTO_FREE char *path = mem_printf("%s/%s", TEST_DATA, name);
	AUTO_FREE char *want = NULL;
	struct kata_err err = { 0 };
	size_t len = 0;

	if (str_eq(getenv("KATA_GOLDEN"), "write")) {
		ck_assert_msg(
			fs_write_atomic_path(path, text, strlen(text), 0644, &err) == 0,
			"%s", err.msg);
		return;
	}
	ck_assert_msg(fs_read_at(AT_FDCWD, path, 1 << 20, &want, &len) == 0, "no file %s",
		      path);
	ck_assert_str_eq(text, want);
}

#endif

// SPDX-License-Identifier: Apache-2.0
/* log: the library's log, set up by the program that calls it. */
#include <errno.h>

#include "base/log.h"
#include "base/str.h"
#include "kata.h"

int kata_log_open(const char *file, const char *format, bool debug, struct kata_err *err)
{
	bool json = str_eq(format, "json");
	int fd = -1;

	if (format && !json && !str_eq(format, "text"))
		return err_set(err, -EINVAL,
			       "--log-format: \"%s\" is neither text nor json", format);
	if (file) {
		fd = log_open(file, err);
		if (fd < 0)
			return fd;
	}
	log_setup(fd, json ? LOG_JSON : LOG_TEXT, debug);
	return 0;
}

void kata_log_failure(const struct kata_err *err)
{
	log_failure(err);
}

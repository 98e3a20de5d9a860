/* SPDX-License-Identifier: Apache-2.0 */
/* mkconf: writes the commented sample of kata.conf to stdout, while building. */
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "conf/conf.h"

int main(void)
{
	struct buf out = { 0 };

	conf_write_template(&out);
	if (fwrite(buf_ptr(&out), 1, buf_len(&out), stdout) != buf_len(&out) ||
	    fclose(stdout) != 0)
		return EXIT_FAILURE;
	buf_done(&out);
	return EXIT_SUCCESS;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_conf: any bytes as kata.conf. What is accepted must come out of conf_write() as a
 * file that is accepted again and writes the same.
 */
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/str.h"
#include "conf/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct conf *load(const void *data, size_t size)
{
	struct kata_err err = { 0 };
	struct conf *c = NULL;
	AUTO_CLOSE int fd = fs_memfd("fuzz", data, size);

	if (fd < 0)
		abort();
	if (conf_load_fd(fd, &c, &err) < 0 && (!err.msg[0] || err.code >= 0))
		abort(); /* a failure without a reason */
	return c;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf first = { 0 }, second = { 0 };
	struct conf *c = load(data, size), *again;

	if (!c)
		return 0;
	conf_write(c, true, &first);
	buf_consume(&first, buf_len(&first));
	conf_write(c, false, &first);
	again = load(buf_ptr(&first), buf_len(&first));
	if (!again)
		abort();
	conf_write(again, false, &second);
	if (!str_eq(buf_cstr(&first), buf_cstr(&second)))
		abort();
	conf_free(again);
	conf_free(c);
	buf_done(&first);
	buf_done(&second);
	return 0;
}

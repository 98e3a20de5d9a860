// SPDX-License-Identifier: Apache-2.0
/* config: every effective setting and where it came from. */
#include "conf/conf.h"
#include "verb/verb.h"

int kata_config(const struct kata *k, bool json, FILE *out, struct kata_err *err)
{
	AUTO(conf) *conf = NULL;
	struct buf text = { 0 };
	struct json_out o = { .buf = &text, .pretty = true };
	int r = conf_load(k->config, &conf, err);

	if (r < 0)
		return r;
	if (json)
		conf_write_json(conf, &o);
	else
		conf_write(conf, true, &text);
	/* verb_print() ends the last line, as conf_write() did */
	r = verb_print(out, (const char *)buf_ptr(&text), buf_len(&text) - !json, err);
	buf_done(&text);
	return r;
}

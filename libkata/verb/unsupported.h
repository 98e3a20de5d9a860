/* SPDX-License-Identifier: Apache-2.0 */
/* unsupported: properties that a guest has nothing for: warned about or refused, as kata.conf says. */
#ifndef KATA_VERB_UNSUPPORTED_H
#define KATA_VERB_UNSUPPORTED_H

#include "base/err.h"
#include "conf/conf.h"
#include "oci/spec.h"

/** unsupported_spec() - of a container. -ENOTSUP: refused. */
int unsupported_spec(const struct kata_conf *conf, const struct oci_spec *spec,
		     struct kata_err *err) MUST_CHECK;

/**
 * unsupported_process() - of a further process. @config is read only when there is something to say.
 */
int unsupported_process(const char *config, const struct oci_process *p,
			struct kata_err *err) MUST_CHECK;

#endif

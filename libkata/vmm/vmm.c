/* SPDX-License-Identifier: Apache-2.0 */
/* vmm: the drivers by their names. */
#include "vmm/vmm.h"

#include "base/mem.h"
#include "base/str.h"
#include "conf/drivers.h"

#define DECLARE(name, object) extern const struct vmm_driver object;
#define ROW(name, object) &object,
#define NAME(name, object) name,

KATA_DRIVERS(DECLARE)

static const struct vmm_driver *const drivers[] = { KATA_DRIVERS(ROW) };

const char *const vmm_driver_names[] = { KATA_DRIVERS(NAME) NULL };

const struct vmm_driver *vmm_driver_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(drivers); i++)
		if (str_eq(drivers[i]->name, name))
			return drivers[i];
	return NULL;
}

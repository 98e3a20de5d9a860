/* SPDX-License-Identifier: Apache-2.0 */
/*
 * drivers: the table of hypervisor drivers, one row each: the name in kata.conf and the
 * driver's object (libkata/vmm). Configuration and drivers both read it, so a row is all
 * that a new one needs here.
 */
#ifndef KATA_CONF_DRIVERS_H
#define KATA_CONF_DRIVERS_H

#define KATA_DRIVERS(X)                                                                  \
	X("qemu", qemu_driver)                                                           \
	X("cloud-hypervisor", clh_driver)

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf: kata.conf -> one const struct, and where each value came from.
 *
 * INI by libinih. Order, the later wins: built-in defaults, SYSCONFDIR/kata/kata.conf,
 * SYSCONFDIR/kata/kata.conf.d/<name>.conf in name order. `--config FILE` or, without it,
 * KATA_CONFIG in the environment replaces the file and its drop-ins; a file that
 * was named must exist. One strict parser: unknown section or key, wrong value, key twice
 * in one file: "FILE:LINE: unknown key "kernal" in [guest]; did you mean "kernel"?".
 * List values are separated by white space.
 */
#ifndef KATA_CONF_CONF_H
#define KATA_CONF_CONF_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/str.h"

enum conf_accel { CONF_ACCEL_AUTO, CONF_ACCEL_KVM, CONF_ACCEL_TCG };
enum conf_machine {
	CONF_MACHINE_AUTO,
	CONF_MACHINE_MICROVM,
	CONF_MACHINE_Q35,
	CONF_MACHINE_VIRT
};
enum conf_vsock { CONF_VSOCK_AUTO, CONF_VSOCK_VHOST, CONF_VSOCK_VHOST_USER };
enum conf_virtiofsd { CONF_VIRTIOFSD_AUTO, CONF_VIRTIOFSD_C, CONF_VIRTIOFSD_RUST };
enum conf_fs_cache { CONF_FS_CACHE_AUTO, CONF_FS_CACHE_ALWAYS, CONF_FS_CACHE_NEVER };
enum conf_unsupported { CONF_UNSUPPORTED_WARN, CONF_UNSUPPORTED_REFUSE };

/** struct kata_conf - every setting. Keys are [section] key; lists are NULL-terminated. */
struct kata_conf {
	/* [hypervisor] */
	const char *driver;	  /* driver = qemu|cloud-hypervisor, see drivers.h */
	const char *hypervisor;	  /* path = the VMM's binary, or auto: the driver's own */
	int accel;		  /* accel = auto|kvm|tcg */
	int machine;		  /* machine = auto|microvm|q35|virt */
	int vsock;		  /* vsock = auto|vhost|vhost-user */
	const char *vsock_device; /* vsock_device = path of vhost-device-vsock */
	struct strv hypervisor_args; /* extra_args = appended to the VMM's command line */
	/* [guest] */
	const char *kernel; /* kernel = uncompressed vmlinux (x86-64), Image (arm64) */
	const char *initrd; /* initrd = initramfs with the agent */
	struct strv kernel_params; /* kernel_params = appended to the command line */
	uint64_t memory;	   /* memory = size, default 512M; 64M .. 1T; bytes */
	uint64_t memory_room; /* memory_room = size, default 0; beyond a limit, for update */
	uint32_t vcpus;	      /* vcpus = 1 .. 255, default 1 */
	uint32_t boot_timeout; /* boot_timeout = seconds until the agent must have dialled in, 1..3600 */
	bool console; /* console = yes: guest console in <root>/@<id>/console.log */
	/* [share] */
	const char *virtiofsd; /* virtiofsd = path */
	int virtiofsd_flavour; /* flavour = auto|c|rust */
	int fs_cache;	       /* cache = auto|always|never */
	/* [network] */
	uint32_t spare_cards; /* spare_cards = 0 .. 8, default 2: for interfaces that come later */
	/* [runtime] */
	int unsupported; /* unsupported = warn|refuse: spec properties not applied yet */
	struct strv
		allow_kernel; /* allow_kernel = glob patterns of paths a bundle's vm section may name */
	struct strv allow_hypervisor; /* allow_hypervisor = likewise */
	struct strv allow_image;      /* allow_image = likewise */
	struct strv allow_driver; /* allow_driver = names that an annotation may choose */
	bool allow_hypervisor_args; /* allow_hypervisor_args: vm.hypervisor.parameters */
	bool allow_kernel_params;   /* allow_kernel_params: vm.kernel.parameters */
};

struct conf;
/** conf_load() - @path: --config's file or NULL. Validates everything; touches no file named by a value. */
int conf_load(const char *path, struct conf **ret_conf, struct kata_err *err) MUST_CHECK;
/** conf_load_system() - what conf_load() does when no file is named: @path, if it is there, and @path.d/. */
int conf_load_system(const char *path, struct conf **ret_conf,
		     struct kata_err *err) MUST_CHECK;
/** conf_load_fd() - from the text that conf_write() made (kata-sandbox gets it by memfd). */
int conf_load_fd(int fd, struct conf **ret_conf, struct kata_err *err) MUST_CHECK;
void conf_free(struct conf *c);
DEFINE_AUTO(conf)
const struct kata_conf *conf_get(const struct conf *c);

/** conf_write() - every effective value as kata.conf text; @origins: each with "# from FILE:LINE" */
void conf_write(const struct conf *c, bool origins, struct buf *out);
/** conf_write_json() - {"hypervisor":{"path":{"value":..,"origin":..}}} */
void conf_write_json(const struct conf *c, struct json_out *o);
/** conf_write_template() - the commented kata.conf that is installed, made from the same table. */
void conf_write_template(struct buf *out);

#endif

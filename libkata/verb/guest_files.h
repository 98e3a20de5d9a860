/* SPDX-License-Identifier: Apache-2.0 */
/* guest_files: are a guest's kernel and initramfs what they should be? */
#ifndef KATA_VERB_GUEST_FILES_H
#define KATA_VERB_GUEST_FILES_H

#include <stdbool.h>

#include "base/err.h"

/**
 * guest_kernel_check() - for x86-64 an ELF file with a PVH entry, for arm64 an Image.
 * Return: 0, or -errno with what is wrong with it.
 */
int guest_kernel_check(const char *path, bool arm64, struct kata_err *err) MUST_CHECK;
/** guest_initrd_check() - a cpio archive with /init, or one that is compressed (*@ret_packed). */
int guest_initrd_check(const char *path, bool *ret_packed,
		       struct kata_err *err) MUST_CHECK;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf_paths: where things are installed, as configure decided. A plain compile
 * without configure gets the GNU defaults.
 */
#ifndef KATA_CONF_CONF_PATHS_H
#define KATA_CONF_CONF_PATHS_H

#ifdef HAVE_CONFIG_H
#include <config.h>
#endif

#ifndef SYSCONFDIR
#define SYSCONFDIR "/etc"
#endif
#ifndef PKGLIBEXECDIR
#define PKGLIBEXECDIR "/usr/libexec/kata"
#endif
#ifndef PKGDATADIR
#define PKGDATADIR "/usr/share/kata"
#endif

#define KATA_CONF_FILE SYSCONFDIR "/kata/kata.conf"

#ifndef KATA_DEFAULT_QEMU
#ifdef __aarch64__
#define KATA_DEFAULT_QEMU "/usr/bin/qemu-system-aarch64"
#else
#define KATA_DEFAULT_QEMU "/usr/bin/qemu-system-x86_64"
#endif
#endif
#ifndef KATA_DEFAULT_CLOUD_HYPERVISOR
#define KATA_DEFAULT_CLOUD_HYPERVISOR "/usr/bin/cloud-hypervisor"
#endif
#ifndef KATA_DEFAULT_VSOCK_DEVICE
#define KATA_DEFAULT_VSOCK_DEVICE PKGLIBEXECDIR "/vhost-device-vsock"
#endif
#ifndef KATA_DEFAULT_VIRTIOFSD
#define KATA_DEFAULT_VIRTIOFSD "/usr/lib/qemu/virtiofsd"
#endif
#ifndef KATA_DEFAULT_KERNEL
#define KATA_DEFAULT_KERNEL PKGDATADIR "/vmlinux"
#endif
#ifndef KATA_DEFAULT_INITRD
#define KATA_DEFAULT_INITRD PKGDATADIR "/initramfs.cpio"
#endif

#endif

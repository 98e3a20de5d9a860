/* SPDX-License-Identifier: Apache-2.0 */
/*
 * overhead: what a VM costs the host's cgroup beyond the guest's RAM, for struct cgroup_extra.
 *
 * Measured: QEMU 7.2 TCG, 512 MB, 1 vCPU, Linux 6.18, cgroup v1; in MB. "kept" cannot be
 * reclaimed: anonymous memory of all processes + the kernel's for them.
 *
 *                                       QEMU anon  all anon  kernel  kept  threads
 *   idle, 5 s after start                      65        66       2    68       17
 *   cat of all files of a Debian, 3 times     103       105      10   115       17
 *   8 writers of 40 MB                        125       127      21   148       17
 *   --help of every program, apt, gzip        159       162      18   180       17
 *   6 more processes by exec                  159       163      18   181       23
 *   the same without tb-size=128             1153      1155      18  1173       17
 *
 * The rest of the group's usage is page cache, of the share's files and the VMM's own (50): it
 * goes when the limit is near. The guest's RAM is counted once, whoever maps it.
 *
 * TCG's translations are bounded by tb-size (vmm/qemu_argv.c), 128; full, they leave 35 for all
 * else of QEMU. So 256 has room for what vCPUs add and for a busier kernel; with QEMU's default
 * of 1024 no limit near a container's own would hold.
 */
#ifndef KATA_CGROUP_OVERHEAD_H
#define KATA_CGROUP_OVERHEAD_H

/** Bytes beyond the RAM: kata-sandbox, VMM, virtiofsd, vhost-device-vsock, the first shim. */
#define CGROUP_VM_MEMORY (256ull << 20)
/** Bytes of a container that joins a VM: its shim has 0.1 MB of its own; some for exec's. */
#define CGROUP_SHIM_MEMORY (8ull << 20)
/**
 * Threads. 17 at all loads here, but virtiofsd and QEMU may each start 64 workers when the
 * host's disks are slow, there is one more for each vCPU, and each exec has a shim.
 */
#define CGROUP_VM_PIDS 512u

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vm_facts: what vm_plan needs to know of this host.
 *
 * Two answers take milliseconds and hold until the host boots again: whether
 * KVM runs guests, and the TSC's frequency. They are kept in one small file, under a
 * key of boot id and /dev/kvm's change time (a module that is loaded later makes the node
 * anew). A file that is damaged, foreign or from another boot is the same as none, and
 * failing to write it costs time only.
 */
#include "vmm/vm_plan.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/str.h"
#include "vmm/host_kvm.h"
#include "vmm/host_tsc.h"

/* no container can have this name: see oci_id_check() */
#define CACHE_NAME "@host-facts"
#define CACHE_VERSION 1
#define CACHE_MAX 256
#define NOTE_MAX 4096
#define BOOT_ID "/proc/sys/kernel/random/boot_id"

#if defined(__x86_64__)
#define HOST_ARCH "x86_64"
#elif defined(__aarch64__)
#define HOST_ARCH "aarch64"
#else
#define HOST_ARCH "unknown"
#endif

struct slow_facts {
	uint64_t kvm, tsc_khz;
};

/* "1 <boot id> <ns>": the beginning of a file that is valid now. Return: false when not to be had. */
static bool make_key(int kvm_fd, char key[CACHE_MAX])
{
	AUTO_FREE char *boot = NULL;
	struct stat st = { 0 };
	size_t len = 0;
	int n;

	if (fs_read_at(AT_FDCWD, BOOT_ID, CACHE_MAX / 2, &boot, &len) < 0)
		return false;
	boot[strcspn(boot, "\n")] = 0;
	if (kvm_fd >= 0 && fstat(kvm_fd, &st) < 0)
		return false;
	n = snprintf(key, CACHE_MAX, "%d %s %lld.%09ld ", CACHE_VERSION, boot,
		     (long long)st.st_ctim.tv_sec, st.st_ctim.tv_nsec);
	return n > 0 && n < CACHE_MAX;
}

static bool cache_read(int dirfd, const char *key, struct slow_facts *ret)
{
	AUTO_FREE char *text = NULL;
	char *kvm, *tsc;
	size_t len = 0;

	if (dirfd < 0 || fs_read_at(dirfd, CACHE_NAME, CACHE_MAX, &text, &len) < 0)
		return false;
	if (!str_has_prefix(text, key))
		return false;
	kvm = text + strlen(key);
	tsc = strchr(kvm, ' ');
	if (!tsc)
		return false;
	*tsc++ = 0;
	tsc[strcspn(tsc, "\n")] = 0;
	return str_to_u64(kvm, 0, 1, &ret->kvm) == 0 &&
	       str_to_u64(tsc, 0, 100000000, &ret->tsc_khz) == 0;
}

static void cache_write(int dirfd, const char *key, const struct slow_facts *f)
{
	char text[CACHE_MAX + 64];
	int n = snprintf(text, sizeof(text), "%s%llu %llu\n", key,
			 (unsigned long long)f->kvm, (unsigned long long)f->tsc_khz);
	int r = dirfd < 0 ? 0 : fs_write_atomic(dirfd, CACHE_NAME, text, (size_t)n, 0600);

	if (r < 0)
		log_debug("cannot keep " CACHE_NAME ": %s", err_text(-r));
}

static void find_slow(int kvm_fd, struct slow_facts *f)
{
	char why[128] = "";

	f->tsc_khz = host_tsc_khz();
	f->kvm = kvm_fd >= 0 && host_kvm_probe(kvm_fd, why, sizeof(why)) > 0;
	if (kvm_fd >= 0 && !f->kvm)
		log_debug("/dev/kvm is not used: %s", why);
}

static bool can_open(const char *path)
{
	AUTO_CLOSE int fd = open(path, O_RDWR | O_CLOEXEC);

	return fd >= 0;
}

/* A kernel has landlock when it names a version; one that was built with it may have it off. */
static unsigned landlock_version(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
			   LANDLOCK_CREATE_RULESET_VERSION);

	return abi > 0 ? (unsigned)abi : 0;
}

static unsigned count_cpus(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) == 0 ? (unsigned)CPU_COUNT(&set)
							    : 1;
}

char *vm_kernel_note(const char *kernel)
{
	const char *slash = kernel ? strrchr(kernel, '/') : NULL;
	AUTO_FREE char *path = NULL;
	char *text = NULL;
	size_t len = 0;

	if (!slash)
		return NULL;
	path = mem_printf("%.*s/" VM_KERNEL_NOTE, (int)(slash - kernel), kernel);
	return fs_read_at(AT_FDCWD, path, NOTE_MAX, &text, &len) < 0 ? NULL : text;
}

/* Is @word a line of the note beside @kernel? A kernel of unknown origin is taken to have nothing. */
static bool kernel_has(const char *kernel, const char *word)
{
	AUTO_FREE char *text = vm_kernel_note(kernel);
	char *save = NULL;

	for (char *line = text ? strtok_r(text, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save))
		if (str_eq(line, word))
			return true;
	return false;
}

int vm_facts_gather(int cache_dirfd, const char *kernel, struct vm_facts *ret_facts,
		    struct kata_err *err)
{
	AUTO_CLOSE int kvm_fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	struct slow_facts slow = { 0 };
	char key[CACHE_MAX];
	bool has_key = make_key(kvm_fd, key);

	(void)err; /* no fact is worth failing for: unknown is the careful answer */
	if (!has_key || !cache_read(cache_dirfd, key, &slow)) {
		find_slow(kvm_fd, &slow);
		if (has_key)
			cache_write(cache_dirfd, key, &slow);
	}
	*ret_facts = (struct vm_facts){
		.kvm_usable = slow.kvm && kvm_fd >= 0,
		.vhost_vsock = can_open("/dev/vhost-vsock"),
		.landlock = landlock_version(),
		.tsc_khz = slow.tsc_khz,
		.host_cpus = count_cpus(),
		.kernel_mmio = kernel_has(kernel, "virtio_mmio.device"),
		.machine_arch = HOST_ARCH,
	};
	return 0;
}

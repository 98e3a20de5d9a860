/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf_table: the settings.
 *
 * Each is one line of conf_keys[]: where it stands in the file, where in struct kata_conf,
 * its kind, default and a sentence of documentation. Reading, checking, printing, the
 * commented sample file and "did you mean" come from that line alone.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "conf/conf_impl.h"
#include "conf/conf_paths.h"
#include "conf/drivers.h"

/** Elements of one list value. */
#define CONF_LIST_MAX 1024

#define DRIVER_NAME(name, object) name,
static const char *const driver_names[] = { KATA_DRIVERS(DRIVER_NAME) NULL };
static const char *const auto_names[] = { "auto", NULL };
static const char *const accel_names[] = { "auto", "kvm", "tcg", NULL };
static const char *const machine_names[] = { "auto", "microvm", "q35", "virt", NULL };
static const char *const vsock_names[] = { "auto", "vhost", "vhost-user", NULL };
static const char *const flavour_names[] = { "auto", "c", "rust", NULL };
static const char *const cache_names[] = { "auto", "always", "never", NULL };
static const char *const unsupported_names[] = { "warn", "refuse", NULL };

#define KEY(sect, key, k, member, dflt, text, ...)                                       \
	{                                                                                \
		.section = (sect), .name = (key), .kind = (k),                           \
		.offset = offsetof(struct kata_conf, member), .def = (dflt),             \
		.doc = (text), __VA_ARGS__                                               \
	}

const struct conf_key conf_keys[CONF_KEYS] = {
	KEY("hypervisor", "driver", CONF_KEY_WORD, driver, "qemu",
	    "which hypervisor drives VMs", .names = driver_names),
	KEY("hypervisor", "path", CONF_KEY_PATH, hypervisor, "auto",
	    "its program; auto: where the build found it", .names = auto_names),
	KEY("hypervisor", "accel", CONF_KEY_ENUM, accel, "auto",
	    "hardware acceleration; auto: KVM where it works, else TCG (emulation)",
	    .names = accel_names),
	KEY("hypervisor", "machine", CONF_KEY_ENUM, machine, "auto",
	    "machine type; auto: microvm on x86-64, virt on arm64",
	    .names = machine_names),
	KEY("hypervisor", "vsock", CONF_KEY_ENUM, vsock, "auto",
	    "how the guest dials out; auto: vhost where /dev/vhost-vsock exists, else vhost-user",
	    .names = vsock_names),
	KEY("hypervisor", "vsock_device", CONF_KEY_PATH, vsock_device,
	    KATA_DEFAULT_VSOCK_DEVICE,
	    "vhost-device-vsock, used with vsock = vhost-user"),
	KEY("hypervisor", "extra_args", CONF_KEY_LIST, hypervisor_args, "",
	    "arguments appended to the hypervisor's command line"),

	KEY("guest", "kernel", CONF_KEY_PATH, kernel, KATA_DEFAULT_KERNEL,
	    "guest kernel: uncompressed vmlinux (x86-64) or Image (arm64)"),
	KEY("guest", "initrd", CONF_KEY_PATH, initrd, KATA_DEFAULT_INITRD,
	    "guest initramfs, with kata-agent as its /init"),
	KEY("guest", "kernel_params", CONF_KEY_LIST, kernel_params, "",
	    "parameters appended to the kernel's command line"),
	KEY("guest", "memory", CONF_KEY_SIZE, memory, "512M",
	    "memory of a VM unless the bundle says otherwise", .min = 64ull << 20,
	    .max = 1ull << 40),
	KEY("guest", "memory_room", CONF_KEY_SIZE, memory_room, "0",
	    "memory beyond what the bundle's limit needs: as far as update can raise it",
	    .min = 0, .max = 1ull << 40),
	KEY("guest", "vcpus", CONF_KEY_U32, vcpus, "1",
	    "virtual CPUs of a VM unless the bundle says otherwise", .min = 1,
	    .max = 255),
	KEY("guest", "boot_timeout", CONF_KEY_U32, boot_timeout, "60",
	    "seconds until kata-agent must have dialled in", .min = 1, .max = 3600),
	KEY("guest", "console", CONF_KEY_BOOL, console, "no",
	    "write the guest's console to console.log in the VM's state directory"),

	KEY("share", "virtiofsd", CONF_KEY_PATH, virtiofsd, KATA_DEFAULT_VIRTIOFSD,
	    "the file server between host and guest"),
	KEY("share", "flavour", CONF_KEY_ENUM, virtiofsd_flavour, "auto",
	    "whose options it takes; auto: told by its path", .names = flavour_names),
	KEY("share", "cache", CONF_KEY_ENUM, fs_cache, "auto",
	    "what the guest may cache; never: every look goes to the host",
	    .names = cache_names),

	KEY("network", "spare_cards", CONF_KEY_U32, spare_cards, "2",
	    "network cards of a VM for interfaces that appear after create has begun",
	    .min = 0, .max = 8),

	KEY("runtime", "unsupported", CONF_KEY_ENUM, unsupported, "warn",
	    "what to do with properties of config.json that are not applied yet",
	    .names = unsupported_names),
	KEY("runtime", "allow_kernel", CONF_KEY_PATHS, allow_kernel, "",
	    "patterns of paths that a bundle's vm.kernel may name"),
	KEY("runtime", "allow_hypervisor", CONF_KEY_PATHS, allow_hypervisor, "",
	    "patterns of paths that a bundle's vm.hypervisor may name"),
	KEY("runtime", "allow_image", CONF_KEY_PATHS, allow_image, "",
	    "patterns of paths that a bundle's vm.image may name"),
	KEY("runtime", "allow_driver", CONF_KEY_LIST, allow_driver, "",
	    "drivers that the annotation io.katacontainers.config.hypervisor.driver may choose",
	    .names = driver_names),
	KEY("runtime", "allow_hypervisor_args", CONF_KEY_BOOL, allow_hypervisor_args,
	    "no",
	    "may a bundle give vm.hypervisor.parameters? They can reach any file of the host"),
	KEY("runtime", "allow_kernel_params", CONF_KEY_BOOL, allow_kernel_params, "no",
	    "may a bundle give vm.kernel.parameters?"),
};

/* "auto, kvm or tcg" */
const char *conf_names_text(const char *const *names, char *dst, size_t size)
{
	size_t n = 0, at = 0;

	while (names[n])
		n++;
	for (size_t i = 0; i < n && at < size; i++) {
		const char *sep = i == 0 ? "" : i + 1 == n ? " or " : ", ";
		int len = snprintf(dst + at, size - at, "%s%s", sep, names[i]);

		at += len > 0 ? (size_t)len : 0;
	}
	return dst;
}

static int names_index(const char *const *names, const char *value)
{
	for (int i = 0; names[i]; i++)
		if (str_eq(names[i], value))
			return i;
	return -1;
}

static int set_word(const struct conf_key *k, void *member, const char *value,
		    struct kata_err *err)
{
	int i = names_index(k->names, value);
	char list[128];

	if (i < 0)
		return err_set(err, -EINVAL, "%s = %s: must be %s", k->name, value,
			       conf_names_text(k->names, list, sizeof(list)));
	if (k->kind == CONF_KEY_ENUM) {
		*(int *)member = i;
		return 0;
	}
	free(*(char **)member);
	*(char **)member = mem_strdup(value);
	return 0;
}

static int set_path(const struct conf_key *k, void *member, const char *value,
		    struct kata_err *err)
{
	if (value[0] != '/' && !(k->names && names_index(k->names, value) >= 0))
		return err_set(err, -EINVAL, "%s = %s: must be an absolute path%s",
			       k->name, value, k->names ? " or auto" : "");
	free(*(char **)member);
	*(char **)member = mem_strdup(value);
	return 0;
}

static int set_list(const struct conf_key *k, void *member, const char *value,
		    struct kata_err *err)
{
	static const char space[] = " \t\r\n\v\f";
	struct strv *list = member;
	struct strv fresh = { 0 };
	char names[128];

	while (*(value += strspn(value, space))) {
		size_t len = strcspn(value, space);
		AUTO_FREE char *word = mem_strndup(value, len);
		int r = 0;

		value += len;
		if (k->kind == CONF_KEY_LIST && k->names &&
		    names_index(k->names, word) < 0)
			r = err_set(err, -EINVAL, "%s: %s: must be %s", k->name, word,
				    conf_names_text(k->names, names, sizeof(names)));
		else if (k->kind == CONF_KEY_PATHS && word[0] != '/')
			r = err_set(err, -EINVAL, "%s: %s: must be an absolute path",
				    k->name, word);
		else if (fresh.n == CONF_LIST_MAX)
			r = err_set(err, -E2BIG, "%s: more than %d values", k->name,
				    CONF_LIST_MAX);
		if (r < 0) {
			strv_done(&fresh);
			return r;
		}
		strv_add(&fresh, word);
	}
	strv_done(list);
	*list = fresh;
	return 0;
}

/* A size in the shortest form that is exact: "512M", "1T", "1000". */
void conf_size_text(uint64_t n, char *dst, size_t size)
{
	static const char unit[] = { 0, 'K', 'M', 'G', 'T' };
	size_t u = 0;

	while (n && n % 1024 == 0 && u + 1 < ARRAY_SIZE(unit)) {
		n /= 1024;
		u++;
	}
	snprintf(dst, size, "%llu%.1s", (unsigned long long)n, u ? &unit[u] : "");
}

static int set_number(const struct conf_key *k, void *member, const char *value,
		      struct kata_err *err)
{
	char min[32], max[32];
	uint64_t n;
	int r;

	if (k->kind == CONF_KEY_SIZE)
		r = str_to_size(value, k->min, k->max, &n);
	else
		r = str_to_u64(value, k->min, k->max, &n);
	if (r == -ERANGE) {
		conf_size_text(k->min, min, sizeof(min));
		conf_size_text(k->max, max, sizeof(max));
		return err_set(err, -EINVAL, "%s = %s: must be between %s and %s",
			       k->name, value, min, max);
	}
	if (r < 0)
		return err_set(err, -EINVAL, "%s = %s: %s", k->name, value,
			       k->kind == CONF_KEY_SIZE
				       ? "not a size (examples: 512M, 2G)"
				       : "not a whole number");
	if (k->kind == CONF_KEY_SIZE)
		*(uint64_t *)member = n;
	else
		*(uint32_t *)member = (uint32_t)n;
	return 0;
}

static int set_bool(const struct conf_key *k, void *member, const char *value,
		    struct kata_err *err)
{
	if (str_to_bool(value, member) < 0)
		return err_set(err, -EINVAL, "%s = %s: must be yes or no", k->name,
			       value);
	return 0;
}

static int (*const setters[])(const struct conf_key *, void *, const char *,
			      struct kata_err *) = {
	[CONF_KEY_WORD] = set_word,  [CONF_KEY_ENUM] = set_word,
	[CONF_KEY_PATH] = set_path,  [CONF_KEY_LIST] = set_list,
	[CONF_KEY_PATHS] = set_list, [CONF_KEY_SIZE] = set_number,
	[CONF_KEY_U32] = set_number, [CONF_KEY_BOOL] = set_bool,
};

int conf_key_set(struct kata_conf *v, const struct conf_key *k, const char *value,
		 struct kata_err *err)
{
	/* an empty value would otherwise read as "not a size", "must be auto, ..." */
	if (!*value && k->kind != CONF_KEY_LIST && k->kind != CONF_KEY_PATHS)
		return err_set(err, -EINVAL, "%s has no value", k->name);
	/* with the usual space before it, it would be a comment */
	if (*value == ';')
		return err_set(err, -EINVAL, "%s: a value cannot begin with \";\"",
			       k->name);
	return setters[k->kind](k, conf_member(v, k), value, err);
}

void conf_key_done(struct kata_conf *v, const struct conf_key *k)
{
	void *m = conf_member(v, k);

	if (k->kind == CONF_KEY_LIST || k->kind == CONF_KEY_PATHS)
		strv_done(m);
	else if (k->kind == CONF_KEY_WORD || k->kind == CONF_KEY_PATH)
		free(*(char **)m);
}

/* " ; did you mean X?" from the candidates, or "" */
static const char *hint(const char *given, const char *const *candidates, size_t n,
			char *dst, size_t size)
{
	const char *near = str_nearest(given, candidates, n);

	if (near)
		snprintf(dst, size, "; did you mean \"%s\"?", near);
	else
		dst[0] = 0;
	return dst;
}

static int unknown_section(const char *section, struct kata_err *err)
{
	const char *names[CONF_KEYS];
	char text[96];
	size_t n = 0;

	for (size_t i = 0; i < CONF_KEYS; i++)
		if (!n || !str_eq(names[n - 1], conf_keys[i].section))
			names[n++] = conf_keys[i].section;
	return err_set(err, -EINVAL, "unknown section [%s]%s", section,
		       hint(section, names, n, text, sizeof(text)));
}

static int unknown_key(const char *section, const char *name, struct kata_err *err)
{
	const char *names[CONF_KEYS];
	char text[96];
	size_t n = 0;

	for (size_t i = 0; i < CONF_KEYS; i++)
		if (str_eq(conf_keys[i].section, section))
			names[n++] = conf_keys[i].name;
	if (!n && !*section)
		return err_set(err, -EINVAL, "a key before the first [section]");
	if (!n)
		return unknown_section(section, err);
	for (size_t i = 0; i < CONF_KEYS; i++)
		if (str_eq(conf_keys[i].name, name))
			return err_set(err, -EINVAL,
				       "unknown key \"%s\" in [%s]; it belongs in [%s]",
				       name, section, conf_keys[i].section);
	return err_set(err, -EINVAL, "unknown key \"%s\" in [%s]%s", name, section,
		       hint(name, names, n, text, sizeof(text)));
}

int conf_key_find(const char *section, const char *name, struct kata_err *err)
{
	for (int i = 0; i < CONF_KEYS; i++)
		if (str_eq(conf_keys[i].section, section) &&
		    str_eq(conf_keys[i].name, name))
			return i;
	return unknown_key(section, name, err);
}

int conf_section_check(const char *section, struct kata_err *err)
{
	for (size_t i = 0; i < CONF_KEYS; i++)
		if (str_eq(conf_keys[i].section, section))
			return 0;
	return unknown_section(section, err);
}

// SPDX-License-Identifier: Apache-2.0
/* keyring: keyctl(2) as runc uses it (libcontainer/keys), with its name "_ses.<id>" and its words. */
#include "keyring.h"

#include <errno.h>
#include <linux/keyctl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* linux/key.h, which is the kernel's alone */
#define KEY_USR_SEARCH 0x00080000
#define KEY_OTH_SEARCH 0x00000008

static int hex_number(const char *text, uint32_t *ret)
{
	static const char digits[] = "0123456789abcdef";
	uint32_t n = 0;
	size_t len = strspn(text, digits);

	if (len == 0 || len > 8)
		return -EPROTO;
	for (size_t i = 0; i < len; i++)
		n = n << 4 | (uint32_t)(strchr(digits, text[i]) - digits);
	*ret = n;
	return 0;
}

/* "keyring;0;0;3f130000;_ses.box": the fourth */
static int permissions(long key, uint32_t *ret)
{
	char text[512], *field = text;
	long n = syscall(SYS_keyctl, KEYCTL_DESCRIBE, key, text, sizeof(text) - 1);

	if (n < 0)
		return -errno;
	text[(size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1] = '\0';
	for (int i = 0; i < 3 && field; i++) {
		field = strchr(field, ';');
		field += field ? 1 : 0;
	}
	return field ? hex_number(field, ret) : -EPROTO;
}

static int let_search(long key, uint32_t who)
{
	uint32_t perm;
	int r = permissions(key, &perm);

	if (r == 0 && syscall(SYS_keyctl, KEYCTL_SETPERM, key, perm | who) < 0)
		r = -errno;
	return r;
}

int keyring_join(const char *id, bool open, bool user_ns, struct kata_err *err)
{
	char name[300];
	long key;
	int r;

	snprintf(name, sizeof(name), "_ses.%s", id);
	key = syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name);
	if (key < 0)
		return errno == ENOSYS ? 0
				       : err_sys(err, "unable to join session keyring");
	if (!open)
		return 0;
	r = let_search(key, user_ns ? KEY_OTH_SEARCH : KEY_USR_SEARCH);
	return r < 0 ? err_sys_code(err, r, "unable to mod keyring permissions") : 0;
}

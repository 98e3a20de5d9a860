// SPDX-License-Identifier: Apache-2.0
/*
 * filter: flags, and the programs that were compiled before.
 *
 * libseccomp takes 10 to 15 ms of processor time for an engine's default profile, and an engine
 * gives every container the same. So programs are kept beside the containers' directories, in one
 * file of a few that a hash of the profile chooses; the next profile of that hash takes its place.
 * The file has the profile itself in front of the program: the hash decides nothing but
 * the name. A file that is damaged or foreign is the same as none, and failing to write
 * one costs time only.
 */
#include "seccomp/filter.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

/* no container can have this name: see oci_id_check() */
#define CACHE_NAME "@seccomp-"
#define CACHE_SLOTS 16u
/* To be raised when the same profile becomes another program. */
#define CACHE_VERSION 1
/* A profile that is longer is compiled each time. */
#define CACHE_KEY_MAX (64u << 10)
/* A number in front of it all: a file that was cut is none. */
#define LENGTH_LEN 8
#define PROGRAM_MAX (BPF_MAXINSNS * sizeof(struct sock_filter))

int filter_flags(const struct oci_seccomp *sec, uint32_t *ret_flags, struct kata_err *err)
{
	static const struct {
		const char *name;
		uint32_t flag;
	} known[] = {
		/* of a process that has one thread */
		{ "SECCOMP_FILTER_FLAG_TSYNC", 0 },
		{ "SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG },
		{ "SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW },
	};
	const struct jt_strv *names = &sec->flags;

	/* not even an empty list: runc's default */
	*ret_flags = names->v ? 0 : SECCOMP_FILTER_FLAG_SPEC_ALLOW;
	for (size_t i = 0; i < names->n; i++) {
		size_t k = 0;

		while (k < ARRAY_SIZE(known) && !str_eq(known[k].name, names->v[i]))
			k++;
		if (k == ARRAY_SIZE(known))
			return err_set(err, -ENOTSUP,
				       "linux.seccomp.flags[%zu]: %s is for supervised "
				       "system calls, which a VM has not",
				       i, names->v[i]);
		*ret_flags |= known[k].flag;
	}
	return 0;
}

/* --- programs that are kept */

/**
 * struct slot - where a profile's program is, or would be. The file: the program's length, @key,
 * the program.
 * @key: all that the program depends on
 */
struct slot {
	struct buf key;
	char name[16];
};

static uint64_t hash_of(const struct buf *b)
{
	uint64_t h = 0xcbf29ce484222325; /* FNV-1a */

	for (size_t i = 0; i < buf_len(b); i++)
		h = (h ^ buf_ptr(b)[i]) * 0x100000001b3;
	return h;
}

/* Return: false when it is not to be kept. */
static bool slot_of(const struct oci_seccomp *sec, struct slot *ret)
{
	const struct scmp_version *v = seccomp_version();
	struct json_out o = { .buf = &ret->key };

	*ret = (struct slot){ .key.max = CACHE_KEY_MAX };
	buf_addf(&ret->key, "kata-seccomp %d %u.%u.%u %x ", CACHE_VERSION, v->major,
		 v->minor, v->micro, seccomp_arch_native());
	jtab_encode(&oci_seccomp_tab, sec, &o);
	snprintf(ret->name, sizeof(ret->name), CACHE_NAME "%x",
		 (unsigned)(hash_of(&ret->key) % CACHE_SLOTS));
	return !ret->key.overflow;
}

static void length_text(size_t len, char ret[LENGTH_LEN + 1])
{
	snprintf(ret, LENGTH_LEN + 1, "%08x", (unsigned)len);
}

static bool slot_read(int dirfd, const struct slot *s, struct buf *out)
{
	size_t head = LENGTH_LEN + buf_len(&s->key), len;
	AUTO_FREE char *data = NULL;
	char length[LENGTH_LEN + 1];

	if (fs_read_at(dirfd, s->name, CACHE_KEY_MAX + 2 * PROGRAM_MAX, &data, &len) <
		    0 ||
	    len <= head)
		return false;
	length_text(len - head, length);
	if (len - head > PROGRAM_MAX || (len - head) % sizeof(struct sock_filter) != 0 ||
	    memcmp(data, length, LENGTH_LEN) != 0 ||
	    memcmp(data + LENGTH_LEN, buf_ptr(&s->key), buf_len(&s->key)) != 0)
		return false;
	buf_add(out, data + head, len - head);
	return true;
}

static void slot_write(int dirfd, const struct slot *s, const struct buf *program)
{
	char length[LENGTH_LEN + 1];
	struct buf b = { 0 };
	int r;

	length_text(buf_len(program), length);
	buf_add(&b, length, LENGTH_LEN);
	buf_add(&b, buf_ptr(&s->key), buf_len(&s->key));
	buf_add(&b, buf_ptr(program), buf_len(program));
	r = fs_write_atomic(dirfd, s->name, buf_ptr(&b), buf_len(&b), 0600);
	if (r < 0)
		log_debug("cannot keep %s: %s", s->name, err_text(-r));
	buf_done(&b);
}

static int make_program(int cache_dirfd, const struct oci_seccomp *sec, struct buf *out,
			struct kata_err *err)
{
	struct slot s;
	bool keep = slot_of(sec, &s) && cache_dirfd >= 0;
	int r = 0;

	if (!keep || !slot_read(cache_dirfd, &s, out)) {
		r = filter_compile(sec, out, err);
		if (r == 0 && keep)
			slot_write(cache_dirfd, &s, out);
	}
	buf_done(&s.key);
	return r;
}

int filter_make(int cache_dirfd, const struct oci_seccomp *sec, struct filter *ret,
		struct kata_err *err)
{
	struct filter f = { 0 };
	int r = filter_flags(sec, &f.flags, err);

	if (r == 0)
		r = make_program(cache_dirfd, sec, &f.program, err);
	if (r < 0) {
		buf_done(&f.program);
		return r;
	}
	*ret = f;
	return 0;
}

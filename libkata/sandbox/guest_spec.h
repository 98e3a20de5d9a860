/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guest_spec: what the agent is told about a container: the spec without what
 * the host has done already, bind sources rewritten to the shared tree. Pure.
 */
#ifndef KATA_SANDBOX_GUEST_SPEC_H
#define KATA_SANDBOX_GUEST_SPEC_H

#include "base/buf.h"
#include "oci/spec.h"
#include "proto/msg.h"
#include "proto/passed.h"
#include "seccomp/filter.h"

struct guest_streams {
	bool terminal;
	uint64_t token[STREAM_KINDS]; /* 0 = no such stream */
	const struct passed_fd *fds;  /* behind stdio, with their paths and tokens */
	size_t n_fds;
};

/**
 * A namespace's path that is another container's of the VM: kata-runtime writes it, with an id; the
 * agent gets the same with a number. Absolute, because config.json's rules want that.
 */
#define GUEST_NS_OF "/container:"

/**
 * struct guest_create - what MSG_CREATE is made of.
 * @bundle: for hooks in the container
 * @no_keyring: no session keyring of its own
 * @filter: linux.seccomp, compiled; NULL or empty = none
 * @number_of: the number of the container of this VM that has the id; 0 = there is none
 */
struct guest_create {
	const struct oci_spec *spec;
	const char *id;
	unsigned number;
	struct guest_streams streams;
	const char *bundle;
	bool no_keyring;
	struct jt_objv shared; /* share_facts() */
	const struct filter *filter;
	unsigned (*number_of)(void *arg, const char *id);
	void *arg;
};

/** guest_create_write() - body of MSG_CREATE. -ESRCH: a namespace of a container that has gone. */
int guest_create_write(const struct guest_create *g, struct buf *out,
		       struct kata_err *err) MUST_CHECK;
/** guest_update_write() - body of MSG_UPDATE: what of @res is the guest's to apply. */
void guest_update_write(const struct oci_resources *res, unsigned number,
			struct buf *out);
/**
 * guest_text_to_host() - a message of the guest in the words of config.json: paths in the
 * shared tree become the mount's source and the root's path. Cut to @size.
 */
void guest_text_to_host(const struct oci_spec *spec, unsigned number, const char *text,
			char *out, size_t size);
/** guest_exec_write() - body of MSG_EXEC. */
void guest_exec_write(const struct oci_process *p, unsigned container, unsigned process,
		      const struct guest_streams *st, struct buf *out);

/**
 * guest_spec_check() - pure: what of this spec cannot be applied yet. One callback per property
 * with its JSON path and a sentence; a property that would be wrong to run without is an error.
 */
int guest_spec_check(const struct oci_spec *spec,
		     void (*warn)(void *arg, const char *text), void *arg,
		     struct kata_err *err) MUST_CHECK;

/** guest_process_check() - the same for a further process. */
int guest_process_check(const struct oci_process *p,
			void (*warn)(void *arg, const char *text), void *arg,
			struct kata_err *err) MUST_CHECK;

/** guest_resources_check() - the same for the limits of an update: a limit is kept or refused, never warned of. */
int guest_resources_check(const struct oci_resources *res,
			  struct kata_err *err) MUST_CHECK;

/** struct guest_sentence - what guest_spec_check() says of a property, behind "<path>: ". */
struct guest_sentence {
	const char *path, *text;
	bool refused;
};

/** guest_check_sentence() - the @i-th of them; false: there are no more. For the table in props.c. */
bool guest_check_sentence(size_t i, struct guest_sentence *ret);

#endif

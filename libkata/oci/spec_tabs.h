/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spec_tabs: what the spec_*.c files share among themselves: the tables of the
 * sections, and the few kinds of rule that come up in more than one of them.
 * No other file includes this.
 */
#ifndef KATA_OCI_SPEC_TABS_H
#define KATA_OCI_SPEC_TABS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/jtab.h"
#include "oci/spec.h"

extern const struct jtab oci_id_map_tab, oci_hooks_tab, oci_linux_tab, oci_vm_tab;

/** The highest CPU or NUMA node in a list; runc's bound. */
#define OCI_LIST_MAX 65536

/**
 * spec_bad() - refuse a value: "<path>.<member>: <fmt>", control characters shown as '?'.
 * @path, @member: either may be "". Returns -EINVAL.
 */
int spec_bad(struct kata_err *err, const char *path, const char *member, const char *fmt,
	     ...) KATA_PRINTF(4, 5);

/** spec_need_abs() - NULL or an absolute path. */
int spec_need_abs(const char *value, const char *path, const char *member,
		  struct kata_err *err) MUST_CHECK;

/** spec_need_abs_all() - each of the list an absolute path. */
int spec_need_abs_all(const struct jt_strv *values, const char *path, const char *member,
		      struct kata_err *err) MUST_CHECK;

/** spec_need_word() - NULL or one of @words (NULL-terminated). */
int spec_need_word(const char *value, const char *const *words, const char *path,
		   const char *member, struct kata_err *err) MUST_CHECK;

/** spec_need_words() - each of the list one of @words. */
int spec_need_words(const struct jt_strv *values, const char *const *words,
		    const char *path, const char *member,
		    struct kata_err *err) MUST_CHECK;

/**
 * spec_need_list() - NULL or a list of CPUs or nodes such as "0-3,7"; blanks and empty
 * elements are skipped, as the kernel and runc do.
 */
int spec_need_list(const char *value, const char *path, const char *member,
		   struct kata_err *err) MUST_CHECK;

/** spec_list_empty() - no number in it (NULL, "", " ,"). */
bool spec_list_empty(const char *value);

/** spec_need_keys() - no empty key in the map. */
int spec_need_keys(const struct jt_map *map, const char *path, const char *member,
		   struct kata_err *err) MUST_CHECK;

/** spec_need_ifname() - a name the kernel's dev_valid_name() takes. */
int spec_need_ifname(const char *value, const char *path, const char *member,
		     struct kata_err *err) MUST_CHECK;

/**
 * spec_rules() - what holds between the sections of a whole document. These are
 * not in the tables, because the agent gets documents with parts taken out.
 */
int spec_rules(const struct oci_spec *spec, struct kata_err *err) MUST_CHECK;

#endif

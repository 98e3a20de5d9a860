/* SPDX-License-Identifier: Apache-2.0 */
/* lookup: which program a process is, as exec.LookPath of Go finds it, with its words. */
#ifndef KATA_AGENT_LOOKUP_H
#define KATA_AGENT_LOOKUP_H

#include "base/err.h"
#include "base/jtab.h"
#include "base/mem.h"

/** env_get() - value of the last NAME= in @env, NULL when absent. */
const char *env_get(const struct jt_strv *env, const char *name);

/**
 * env_make() - the environment for execve, as runc's prepareEnv makes it: of several entries of one
 * name the last stays, where it is; HOME=@home is appended when there is none or an empty one.
 * Memory from @a.
 */
char **env_make(const struct jt_strv *env, const char *home, struct arena *a);

/**
 * lookup_program() - @name as a path in the caller's root, for the caller's rights.
 * Return: 0 with *ret_path from @a; the error has status 127 (not found) or 126 (not executable).
 */
int lookup_program(const char *name, const char *path_env, struct arena *a,
		   const char **ret_path, struct kata_err *err) MUST_CHECK;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* birth: the fork of a process, and what is done to the child from outside before it goes on. */
#ifndef KATA_AGENT_BIRTH_H
#define KATA_AGENT_BIRTH_H

#include "child.h"
#include "process.h"

/**
 * birth_fork() - fork; the child is in child_main(@job). Sets p->pid and p->pidfd.
 * Return: 0, -errno: there is no child.
 */
int birth_fork(struct process *p, const struct child_job *job,
	       struct kata_err *err) MUST_CHECK;

/**
 * birth_settle() - for a child that waits to be let go (child_job_waits()): maps, what takes rights
 * that it has no more, and the word to go on. On failure the caller ends the child.
 */
int birth_settle(struct process *p, const struct child_job *job,
		 struct kata_err *err) MUST_CHECK;

#endif

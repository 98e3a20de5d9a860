/* SPDX-License-Identifier: Apache-2.0 */
/* copyup: fill a new tmpfs with what its mount point held (the option tmpcopyup). */
#ifndef KATA_AGENT_COPYUP_H
#define KATA_AGENT_COPYUP_H

#include "base/err.h"

/** copyup_tree() - copy what is in directory @from into directory @to, which is empty: files, directories,
 *  links, devices, with owner, mode and times. Return: 0 or -errno. */
int copyup_tree(int from, int to) MUST_CHECK;

#endif

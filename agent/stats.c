// SPDX-License-Identifier: Apache-2.0
/*
 * stats: one table says which number comes from where. Files have one of three shapes: a single
 * number (or "max"), lines "key number", and io.stat's "8:0 rbytes=1 wbytes=2", which
 * is summed over the devices.
 *
 * A file or key that this kernel does not have leaves MSG_STAT_NONE: unknown is not zero.
 */
#include "stats.h"

#include <string.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/str.h"

/** Longest file that is read; memory.stat has about 2 KiB. */
#define STATS_FILE_MAX (64u << 10)

/* @key NULL: the file is one number. "key=": summed over all lines. */
static const struct stat_row {
	enum msg_stat stat;
	const char *file, *key;
} rows[] = {
	{ STAT_CPU_USAGE_US, "cpu.stat", "usage_usec" },
	{ STAT_CPU_USER_US, "cpu.stat", "user_usec" },
	{ STAT_CPU_SYSTEM_US, "cpu.stat", "system_usec" },
	{ STAT_CPU_PERIODS, "cpu.stat", "nr_periods" },
	{ STAT_CPU_THROTTLED, "cpu.stat", "nr_throttled" },
	{ STAT_CPU_THROTTLED_US, "cpu.stat", "throttled_usec" },
	{ STAT_MEMORY_CURRENT, "memory.current", NULL },
	{ STAT_MEMORY_PEAK, "memory.peak", NULL },
	{ STAT_MEMORY_LIMIT, "memory.max", NULL },
	{ STAT_SWAP_CURRENT, "memory.swap.current", NULL },
	{ STAT_SWAP_LIMIT, "memory.swap.max", NULL },
	{ STAT_MEMORY_ANON, "memory.stat", "anon" },
	{ STAT_MEMORY_FILE, "memory.stat", "file" },
	{ STAT_MEMORY_KERNEL, "memory.stat", "kernel" },
	{ STAT_MEMORY_INACTIVE_FILE, "memory.stat", "inactive_file" },
	{ STAT_MEMORY_PGFAULT, "memory.stat", "pgfault" },
	{ STAT_MEMORY_PGMAJFAULT, "memory.stat", "pgmajfault" },
	{ STAT_MEMORY_FAILCNT, "memory.events", "max" },
	{ STAT_OOM_KILLS, "memory.events", "oom_kill" },
	{ STAT_PIDS_CURRENT, "pids.current", NULL },
	{ STAT_PIDS_LIMIT, "pids.max", NULL },
	{ STAT_IO_READ_BYTES, "io.stat", "rbytes=" },
	{ STAT_IO_WRITE_BYTES, "io.stat", "wbytes=" },
	{ STAT_IO_READS, "io.stat", "rios=" },
	{ STAT_IO_WRITES, "io.stat", "wios=" },
};

/* A number that is none ("max") stays unknown. */
static void put(struct msg_stats *s, const struct stat_row *row, const char *text,
		bool sum)
{
	uint64_t n;

	if (str_to_u64(text, 0, UINT64_MAX - 1, &n) == 0)
		s->v[row->stat] = sum ? s->v[row->stat] + n : n;
}

/* One word of a line: the line's key with its number behind, or an io.stat pair. */
static void put_word(struct msg_stats *s, const char *file, const char *word,
		     const char *number)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct stat_row *row = &rows[i];

		if (!str_eq(row->file, file))
			continue;
		if (!row->key)
			put(s, row, word, false);
		else if (str_has_suffix(row->key, "=") && str_has_prefix(word, row->key))
			put(s, row, word + strlen(row->key), true);
		else if (number && str_eq(row->key, word))
			put(s, row, number, false);
	}
}

/* A sum begins at nothing, as soon as the file is there. */
static void begin_sums(const char *file, struct msg_stats *s)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (str_eq(rows[i].file, file) && rows[i].key &&
		    str_has_suffix(rows[i].key, "="))
			s->v[rows[i].stat] = 0;
	}
}

void stats_parse(const char *file, char *text, struct msg_stats *ret)
{
	char *line, *word;

	begin_sums(file, ret);
	while ((line = strsep(&text, "\n"))) {
		while ((word = strsep(&line, " ")))
			put_word(ret, file, word, line);
	}
}

void stats_read(int cgroup_fd, struct msg_stats *ret)
{
	ret->n = MSG_STATS_MAX;
	for (size_t i = 0; i < MSG_STATS_MAX; i++)
		ret->v[i] = MSG_STAT_NONE;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO_FREE char *text = NULL;
		size_t len;

		/* the rows of a file stand together */
		if (i > 0 && str_eq(rows[i].file, rows[i - 1].file))
			continue;
		if (cgroup_fd >= 0 &&
		    fs_read_at(cgroup_fd, rows[i].file, STATS_FILE_MAX, &text, &len) == 0)
			stats_parse(rows[i].file, text, ret);
	}
}

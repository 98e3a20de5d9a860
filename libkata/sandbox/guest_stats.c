// SPDX-License-Identifier: Apache-2.0
/*
 * guest_stats: names and shape are those of runc's types/events.go; the numbers are the guest's, so they
 * say what the container uses, without its VM. A number that the guest does not know is left out,
 * one that means "no limit" is 2^64-1 as with runc.
 *
 * The document is a table: an object begins, a number follows, an object ends.
 */
#include "sandbox/guest_stats.h"

#include "base/mem.h"

enum item_kind { OBJECT, END, NUMBER, MICROSECONDS, LIMIT, NONE };

struct item {
	enum item_kind kind;
	const char *key;
	enum msg_stat stat;
};

static const struct item items[] = {
	{ OBJECT, "cpu", 0 },
	{ OBJECT, "usage", 0 },
	{ MICROSECONDS, "total", STAT_CPU_USAGE_US },
	{ MICROSECONDS, "kernel", STAT_CPU_SYSTEM_US },
	{ MICROSECONDS, "user", STAT_CPU_USER_US },
	{ END, NULL, 0 },
	{ OBJECT, "throttling", 0 },
	{ NUMBER, "periods", STAT_CPU_PERIODS },
	{ NUMBER, "throttledPeriods", STAT_CPU_THROTTLED },
	{ MICROSECONDS, "throttledTime", STAT_CPU_THROTTLED_US },
	{ END, NULL, 0 },
	{ END, NULL, 0 },
	{ OBJECT, "cpuset", 0 },
	{ END, NULL, 0 },
	{ OBJECT, "memory", 0 },
	{ NUMBER, "cache", STAT_MEMORY_FILE },
	{ OBJECT, "usage", 0 },
	{ LIMIT, "limit", STAT_MEMORY_LIMIT },
	{ NUMBER, "usage", STAT_MEMORY_CURRENT },
	{ NUMBER, "max", STAT_MEMORY_PEAK },
	{ NUMBER, "failcnt", STAT_MEMORY_FAILCNT },
	{ END, NULL, 0 },
	{ OBJECT, "swap", 0 },
	{ LIMIT, "limit", STAT_SWAP_LIMIT },
	{ NUMBER, "usage", STAT_SWAP_CURRENT },
	{ END, NULL, 0 },
	{ OBJECT, "kernel", 0 },
	{ NUMBER, "usage", STAT_MEMORY_KERNEL },
	{ END, NULL, 0 },
	{ OBJECT, "raw", 0 },
	{ NUMBER, "anon", STAT_MEMORY_ANON },
	{ NUMBER, "file", STAT_MEMORY_FILE },
	{ NUMBER, "inactive_file", STAT_MEMORY_INACTIVE_FILE },
	{ NUMBER, "pgfault", STAT_MEMORY_PGFAULT },
	{ NUMBER, "pgmajfault", STAT_MEMORY_PGMAJFAULT },
	{ NUMBER, "oom_kill", STAT_OOM_KILLS },
	{ END, NULL, 0 },
	{ END, NULL, 0 },
	{ OBJECT, "pids", 0 },
	{ NUMBER, "current", STAT_PIDS_CURRENT },
	/* runc: 0 is no limit */
	{ NONE, "limit", STAT_PIDS_LIMIT },
	{ END, NULL, 0 },
	{ OBJECT, "blkio", 0 },
	{ NUMBER, "readBytes", STAT_IO_READ_BYTES },
	{ NUMBER, "writeBytes", STAT_IO_WRITE_BYTES },
	{ NUMBER, "reads", STAT_IO_READS },
	{ NUMBER, "writes", STAT_IO_WRITES },
	{ END, NULL, 0 },
	{ OBJECT, "hugetlb", 0 },
	{ END, NULL, 0 },
	{ OBJECT, "intel_rdt", 0 },
	{ END, NULL, 0 },
};

void guest_stats_clear(struct msg_stats *m)
{
	m->n = MSG_STATS_MAX;
	for (size_t i = 0; i < MSG_STATS_MAX; i++)
		m->v[i] = MSG_STAT_NONE;
}

static void write_number(struct json_out *o, const struct item *it, uint64_t v)
{
	bool none = v == MSG_STAT_NONE;

	if (none && it->kind != LIMIT && it->kind != NONE)
		return;
	if (it->kind == MICROSECONDS)
		v = v > UINT64_MAX / 1000 ? UINT64_MAX : v * 1000;
	if (it->kind == NONE && none)
		v = 0;
	json_out_key(o, it->key);
	json_out_u64(o, v);
}

/* As runc's struct has no names for JSON, its members are called as in Go. */
static void write_interface(const struct net_counters *c, struct json_out *o)
{
	const struct {
		const char *key;
		uint64_t value;
	} numbers[] = {
		{ "RxBytes", c->rx_bytes },   { "RxPackets", c->rx_packets },
		{ "RxErrors", c->rx_errors }, { "RxDropped", c->rx_dropped },
		{ "TxBytes", c->tx_bytes },   { "TxPackets", c->tx_packets },
		{ "TxErrors", c->tx_errors }, { "TxDropped", c->tx_dropped },
	};

	json_out_begin_object(o);
	json_out_key(o, "Name");
	json_out_str(o, c->name);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		json_out_key(o, numbers[i].key);
		json_out_u64(o, numbers[i].value);
	}
	json_out_end_object(o);
}

/* As Go has it: a list that nothing was added to is null. */
static void write_interfaces(const struct net_counters *nets, size_t n,
			     struct json_out *o)
{
	if (n == 0) {
		json_out_null(o);
		return;
	}
	json_out_begin_array(o);
	for (size_t i = 0; i < n; i++)
		write_interface(&nets[i], o);
	json_out_end_array(o);
}

void guest_stats_write(const struct msg_stats *m, const struct net_counters *nets,
		       size_t n_nets, struct json_out *o)
{
	json_out_begin_object(o);
	for (size_t i = 0; i < ARRAY_SIZE(items); i++) {
		const struct item *it = &items[i];

		if (it->kind == OBJECT) {
			json_out_key(o, it->key);
			json_out_begin_object(o);
		} else if (it->kind == END) {
			json_out_end_object(o);
		} else {
			write_number(o, it, m->v[it->stat]);
		}
	}
	json_out_key(o, "network_interfaces");
	write_interfaces(nets, n_nets, o);
	json_out_end_object(o);
}

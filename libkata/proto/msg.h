/* SPDX-License-Identifier: Apache-2.0 */
/*
 * msg: the contract between kata-sandbox (host) and kata-agent (guest).
 *
 * The guest dials out, always: as soon as the agent is up it connects to host
 * port = its own CID (control), and for every stdio stream and every client of
 * the DNS relay to the same port again. The first bytes of each connection say
 * which of the three it is.
 *
 * Control: frames, little endian: u32 body length, u16 type, u16 zero, u32 id.
 * Requests carry an id > 0 chosen by the host; the answer (MSG_REPLY) repeats
 * it; events have id 0. Host -> guest bodies are JSON. Guest -> host bodies
 * are fixed-size fields and at most one bounded string, read with a cursor:
 * the guest is hostile.
 *
 * Streams: after the hello (u32 PROTO_STREAM_MAGIC, u64 token) raw bytes. A
 * stream's end is not told by closing, because not every vsock device flushes
 * what it holds when one side closes: the writer counts bytes and says
 * "ended after N bytes" on the control connection (MSG_STREAM_END, MSG_STDIN_END);
 * the reader closes when it has got N. Who closes first lost interest.
 * Tokens are random, one use each, made by the host.
 *
 * DNS relay (MSG_NETWORK with "dns"): after the hello (u32 PROTO_DNS_MAGIC, u32 6 = TCP or
 * 17 = UDP) the bytes of one TCP connection, or the datagrams of one UDP client,
 * each behind its length as u16 big endian (as RFC 1035 4.2.2 does in TCP), both ways. The host
 * sends them to 127.0.0.11:53 of the network namespace and nowhere else. Either
 * side ends it by closing; one that does so early is no fault.
 *
 * Forwarded connections (MSG_FORWARD) are streams of container 0, but both ways, in frames, and with
 * their end among these: proto/forward.h.
 */
#ifndef KATA_PROTO_MSG_H
#define KATA_PROTO_MSG_H

#include <stdbool.h>
#include <stdint.h>

#define PROTO_VERSION_MIN 2u
#define PROTO_VERSION 5u
/** The first with MSG_NOTIFY and what asks for it. */
#define PROTO_VERSION_NOTIFY 3u
/** The first that loads filters of system calls. */
#define PROTO_VERSION_FILTER 4u
/** The first with MSG_FORWARD. */
#define PROTO_VERSION_FORWARD 5u

#define PROTO_CONTROL_MAGIC 0x4b415443u /* "CTAK": hello of the control connection */
#define PROTO_STREAM_MAGIC 0x4b415453u	/* "STAK": hello of a stream */
#define PROTO_DNS_MAGIC 0x4b415444u	/* "DTAK": hello of a client of the DNS relay */

/** Longest body in either direction. A config.json with its tokens fits; a guest's frame is tiny. */
#define PROTO_MAX_HOST_BODY (20u << 20)
#define PROTO_MAX_GUEST_BODY 4096u
/** Longest text in a reply or event. */
#define PROTO_MAX_TEXT 1000u
/** Largest seccomp filter: BPF_MAXINSNS instructions of 8 bytes. */
#define PROTO_MAX_FILTER (4096u * 8)
/** Frame header size in bytes. */
#define PROTO_HEADER 12u
/**
 * Most bytes in one write to a vsock connection. A guest's kernel makes one packet of a write and,
 * from 6.17 on (Debian 13's from 6.12.68), a packet that does not fit in 32 KiB with its header and
 * bookkeeping becomes a chain of descriptors, which vhost-device-vsock 0.3 drops without a word.
 */
#define PROTO_MAX_WRITE 28672u

enum msg_type {
	/* guest -> host */
	MSG_HELLO = 1, /* first frame on control; struct msg_hello */
	MSG_REPLY,     /* struct msg_reply */
	MSG_EXIT, /* a process ended; struct msg_exit. Sent after its streams' MSG_STREAM_END */
	MSG_STREAM_END, /* guest wrote the last byte of a stream; struct msg_stream_end */
	MSG_OOM, /* the kernel killed for want of memory; u32 container. Before the EXIT */
	MSG_WARNING,	/* u32 container, string: something could not be applied */
	MSG_STATS_DATA, /* struct msg_stats: comes before the MSG_REPLY to MSG_STATS */
	MSG_NOTIFY, /* u32 container, u16 length, text: what its program said at NOTIFY_SOCKET, as
		     * notify_filter() leaves it. Before the EXIT */

	/* host -> guest, all answered by MSG_REPLY; bodies are JSON objects */
	MSG_WELCOME =
		64, /* {"version":n,"time_sec":..,"time_nsec":..,"entropy":"hex"}: answers HELLO */
	MSG_CREATE, /* struct msg_create: build the container, stop before exec */
	MSG_START, /* {"container":n}: open the gate; replies after exec happened or failed */
	MSG_EXEC,    /* struct msg_exec: run a further process */
	MSG_SIGNAL,  /* {"container":n,"process":m,"signal":s,"all":bool} */
	MSG_WINSIZE, /* {"container":n,"process":m,"height":h,"width":w} */
	MSG_STDIN_END, /* {"container":n,"process":m,"stream":s,"bytes":b}: close stdin, or the
			* input of a passed descriptor, after b bytes */
	MSG_DELETE,   /* {"container":n}: kill what is left, unmount, forget */
	MSG_SHUTDOWN, /* {}: sync and power off */
	MSG_UPDATE, /* {"container":n,"resources":{OCI resources}}: what is not named stays */
	MSG_PAUSE,   /* {"container":n}: freeze its cgroup; answered when it is frozen */
	MSG_RESUME,  /* {"container":n} */
	MSG_STATS,   /* {"container":n} */
	MSG_NETWORK, /* struct netmsg (netmsg.h): the whole network the VM is to have */
	MSG_CONNECT, /* {"container":n,"process":m,"fd":i,"connection":k,"in":"token","out":..}:
		      * to the listening socket that the process got as passed descriptor i */
	MSG_FORWARD, /* {"port":p,"ipv6":bool,"token":".."}: a connection to that port of loopback, then
		      * a stream with the token, on which forward.h's frames are. Answered when both
		      * are there; MSG_FAILED with ECONNREFUSED when nobody listens */
};

/** Codes of a reply; they decide the caller's exit status. */
enum msg_code {
	MSG_OK = 0,
	MSG_FAILED = 1,		/* errno says why */
	MSG_BAD_REQUEST = 2,	/* the agent does not understand the request */
	MSG_NO_SUCH = 3,	/* unknown container or process, or it has ended */
	MSG_NOT_FOUND = 4,	/* program not found: 127 */
	MSG_NOT_EXECUTABLE = 5, /* program not executable: 126 */
	MSG_CODES,
};

/** Streams of a process. With a terminal there is only STREAM_TTY, in both directions. */
enum msg_stream { STREAM_STDIN, STREAM_STDOUT, STREAM_STDERR, STREAM_TTY, STREAM_KINDS };

/** Most descriptors that a process gets behind its stdio (proto/passed.h). */
#define PROTO_PASSED_MAX 64u
/** Streams that a process has from the beginning: numbers below. */
#define STREAM_MAX (STREAM_KINDS + 2 * PROTO_PASSED_MAX)

/* Passed descriptor @i, counted from 0, that is relayed: bytes to the guest, bytes from it. */
static inline unsigned stream_passed_in(unsigned i)
{
	return STREAM_KINDS + 2 * i;
}

static inline unsigned stream_passed_out(unsigned i)
{
	return STREAM_KINDS + 2 * i + 1;
}

/* Connection @k to a passed listener, numbered by who accepted it. */
#define STREAM_CONNECTIONS 256u
static inline unsigned stream_connection_in(uint32_t k)
{
	return STREAM_CONNECTIONS + 2 * k;
}

static inline unsigned stream_connection_out(uint32_t k)
{
	return STREAM_CONNECTIONS + 2 * k + 1;
}

/** stream_is_input() - do its bytes go to the guest, and only there? */
static inline bool stream_is_input(unsigned stream)
{
	return stream == STREAM_STDIN || (stream >= STREAM_KINDS && stream % 2 == 0);
}

/* --- guest -> host bodies, in wire order -------------------------------------------------- */

struct msg_hello {
	uint16_t version_min, version_max;
	uint64_t uptime_kernel_us; /* CLOCK_BOOTTIME when the agent's main began */
	uint64_t uptime_ready_us;  /* ... and when it dialled */
	uint16_t release_len;	   /* string follows: uname -r, <= 64 */
	char release[65];
};

struct msg_reply {
	uint16_t code;	  /* enum msg_code */
	uint16_t err;	  /* errno of the guest, 0 = none */
	uint64_t took_us; /* time the agent spent */
	uint16_t text_len;
	char text[PROTO_MAX_TEXT + 1];
};

struct msg_exit {
	uint32_t container, process;
	uint8_t status; /* 0..255, 128 + signal when it died of one */
	uint8_t oom;	/* 1: the kernel's OOM killer did it */
};

struct msg_stream_end {
	uint32_t container, process;
	uint32_t stream; /* enum msg_stream, of a passed descriptor or a connection */
	uint64_t bytes;	 /* total written by the guest */
};

/**
 * What the guest's kernel counts for a container. u64 each; MSG_STAT_NONE: no limit, or the guest
 * does not know. New ones go to the end: either side may know fewer.
 */
enum msg_stat {
	STAT_CPU_USAGE_US, /* cpu.stat */
	STAT_CPU_USER_US,
	STAT_CPU_SYSTEM_US,
	STAT_CPU_PERIODS,
	STAT_CPU_THROTTLED,
	STAT_CPU_THROTTLED_US,
	STAT_MEMORY_CURRENT, /* bytes */
	STAT_MEMORY_PEAK,
	STAT_MEMORY_LIMIT,
	STAT_SWAP_CURRENT,
	STAT_SWAP_LIMIT,
	STAT_MEMORY_ANON, /* memory.stat, bytes */
	STAT_MEMORY_FILE,
	STAT_MEMORY_KERNEL,
	STAT_MEMORY_INACTIVE_FILE,
	STAT_MEMORY_PGFAULT,
	STAT_MEMORY_PGMAJFAULT,
	STAT_MEMORY_FAILCNT, /* memory.events: max */
	STAT_OOM_KILLS,	     /* memory.events: oom_kill */
	STAT_PIDS_CURRENT,
	STAT_PIDS_LIMIT,
	STAT_IO_READ_BYTES, /* io.stat, all devices */
	STAT_IO_WRITE_BYTES,
	STAT_IO_READS,
	STAT_IO_WRITES,
	MSG_STATS_MAX,
};
#define MSG_STAT_NONE UINT64_MAX

struct msg_stats {
	uint32_t container;
	uint16_t n; /* numbers that follow */
	uint64_t v[MSG_STATS_MAX];
};

/* --- host -> guest bodies (JSON) ----------------------------------------------------------
 *
 * MSG_CREATE:
 *   { "container": n,              number given by the host, unique in this VM
 *     "id": "...",                 for messages only
 *     "rootfs": "c1/rootfs",       below the share's mount point
 *     "spec": { OCI config },      bind sources rewritten to "/run/kata/share/c1/m3"
 *     "streams": { "stdin": "token", "stdout": .., "stderr": .. } or { "tty": .. }
 *   }                              tokens: decimal strings of a u64; a missing one = /dev/null
 *     "filter": { "flags": n, "program": "hex" }   linux.seccomp, compiled: SECCOMP_FILTER_FLAG_*
 *                                  and struct sock_filter[], at most PROTO_MAX_FILTER bytes. For
 *                                  all processes of the container; none = no filter
 *     "fds": [ .. ]                what the process gets from descriptor 3 on: proto/passed.h
 *     "notify": i                  (opt) spec.mounts[i] becomes a directory of the agent with a socket
 *                                  NOTIFY_NAME that it listens to: MSG_NOTIFY (proto/notify.h)
 * The init process has number 0. A namespace whose path is "/container:N" is that of container
 * N of this VM (pid, ipc, uts); other paths do not get here. spec.linux.resources is applied to
 * the container's cgroup of the guest.
 *
 * MSG_NETWORK: declarative, so it may come at any time after WELCOME and as often as the host's
 * network changes; pipelined before MSG_CREATE the container finds it done. "card" is the
 * MAC that the VMM gave the card; a card that no interface names is put down, emptied, and has
 * a neutral name. A card that is not there is waited for (3 s, it may just
 * have been plugged in), then it is an error that names it; requests behind it do not wait.
 *   { "interfaces": [ { "card": "02:4b:..", "name": "eth0", "mac": "02:42:..", "mtu": 1500,
 *                       "noarp": false, "acceptRa" (opt), "noIpv6" (opt),
 *                       "addresses": [ { "address": "172.17.0.2", "prefix": 16,
 *                                        "broadcast" (opt), "peer" (opt),
 *                                        "scope": 0, "flags": 0 (opt) } ] } ],
 *     "routes": [ { "destination": "0.0.0.0/0", "gateway" (opt), "interface": "eth0",
 *                   "source" (opt), "metric": 0, "scope": 0, "table": 254, "type": 1,
 *                   "protocol": 3, "onlink": false, "mtu" (opt) } ],
 *     "rules": [ { "priority": 100, "family": 4 or 6, "source" (opt), "destination" (opt),
 *                  "table": 100, "mark" (opt), "mask" (opt) } ],
 *     "neighbours": [ { "interface": "eth0", "address": "172.17.0.1", "mac": "..",
 *                       "state": 128 } ],
 *     "dns": false }
 *
 * MSG_EXEC: { "container": n, "process": m (> 0), "spec": { OCI process }, "streams": {...},
 *             "fds": [..] }
 *
 * What MSG_REPLY means for CREATE: the container stands, its program was found; the text of
 * a failure is complete for the user, as runc words it after
 * "unable to start container process: ".
 */

/** Where the agent mounts the shared tree. */
#define PROTO_SHARE_DIR "/run/kata/share"
/**
 * What the serial number of a disk begins with that is a block device of the host: its numbers
 * follow, "kata-b8-16". virtio-blk has 20 bytes for it, the longest of these 18.
 */
#define PROTO_DISK_SERIAL "kata-b"
/** virtio-fs tag of the shared tree. */
#define PROTO_SHARE_TAG "kata"

#endif

// SPDX-License-Identifier: Apache-2.0
/*
 * netlink: see the header. Requests have a fixed buffer and are checked once, when sent. The
 * kernel's answers are read with every length held against what is left.
 *
 * Must not know: what the messages are about.
 */
#include "netlink.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/sockios.h>

#include "base/mem.h"
#include "base/str.h"

/** More than the kernel puts into one datagram of a dump (32 KiB at most). */
#define ANSWER_MAX 65536

/* --- build */

/* Room for @len bytes at the end, aligned, zeroed; NULL: none left. */
static void *extend(struct nl_msg *m, size_t len)
{
	size_t at = NLMSG_ALIGN(m->head.nlmsg_len);
	size_t room = NLMSG_ALIGN(len);

	if (m->overflow || room < len || room > sizeof(m->bytes) - at) {
		m->overflow = true;
		return NULL;
	}
	memset(m->bytes + at, 0, room);
	m->head.nlmsg_len = (uint32_t)(at + len);
	return m->bytes + at;
}

void nl_begin(struct nl_msg *m, uint16_t type, uint16_t flags, const void *fixed,
	      size_t len)
{
	void *p;

	m->overflow = false;
	m->head = (struct nlmsghdr){
		.nlmsg_len = NLMSG_HDRLEN,
		.nlmsg_type = type,
		.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags),
	};
	p = extend(m, len);
	if (p)
		memcpy(p, fixed, len);
}

void nl_put(struct nl_msg *m, uint16_t type, const void *data, size_t len)
{
	struct nlattr *a = len > NL_MSG_MAX ? NULL : extend(m, NLA_HDRLEN + len);

	if (!a) {
		m->overflow = true;
		return;
	}
	a->nla_type = type;
	a->nla_len = (uint16_t)(NLA_HDRLEN + len);
	memcpy((uint8_t *)a + NLA_HDRLEN, data, len);
}

void nl_put_u32(struct nl_msg *m, uint16_t type, uint32_t v)
{
	nl_put(m, type, &v, sizeof(v));
}

size_t nl_nest(struct nl_msg *m, uint16_t type)
{
	size_t at = NLMSG_ALIGN(m->head.nlmsg_len);

	nl_put(m, type, "", 0);
	return at;
}

void nl_nest_end(struct nl_msg *m, size_t at)
{
	struct nlattr *a = (void *)(m->bytes + at);

	if (!m->overflow)
		a->nla_len = (uint16_t)(m->head.nlmsg_len - at);
}

/* --- read */

void nl_parse(const void *p, size_t len, struct nl_attr *ret, size_t n)
{
	const uint8_t *at = p;

	memset(ret, 0, n * sizeof(*ret));
	while (len >= NLA_HDRLEN) {
		struct nlattr a;
		size_t step;

		memcpy(&a, at, sizeof(a));
		if (a.nla_len < NLA_HDRLEN || a.nla_len > len)
			return;
		if ((a.nla_type & NLA_TYPE_MASK) < n)
			ret[a.nla_type & NLA_TYPE_MASK] = (struct nl_attr){
				at + NLA_HDRLEN, a.nla_len - (size_t)NLA_HDRLEN
			};
		step = NLA_ALIGN((size_t)a.nla_len);
		if (step > len)
			return;
		at += step;
		len -= step;
	}
}

bool nl_parse_msg(const struct nlmsghdr *h, size_t fixed, struct nl_attr *ret, size_t n)
{
	size_t head = NLMSG_HDRLEN + NLMSG_ALIGN(fixed);

	if (h->nlmsg_len < head)
		return false;
	nl_parse((const uint8_t *)h + head, h->nlmsg_len - head, ret, n);
	return true;
}

uint32_t nl_u32(const struct nl_attr *a, uint32_t otherwise)
{
	uint32_t v;

	if (!a->data || a->len < sizeof(v))
		return otherwise;
	memcpy(&v, a->data, sizeof(v));
	return v;
}

void nl_copy(const struct nl_attr *a, void *dst, size_t size)
{
	if (a->data)
		memcpy(dst, a->data, a->len < size ? a->len : size);
}

/* --- talk */

int nl_open(struct kata_err *err)
{
	AUTO_CLOSE int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	int on = 1;

	if (fd < 0)
		return err_sys(err, "netlink socket");
	/* the kernel's own words with an error (4.12), without our message behind it */
	if (setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on)) < 0 ||
	    setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on)) < 0)
		return err_sys(err, "netlink socket option");
	return TAKE_FD(fd);
}

int nl_netns(int fd, struct kata_err *err)
{
	int ns = ioctl(fd, SIOCGSKNS);

	return ns < 0 ? err_sys(err, "network namespace of a socket") : ns;
}

static int send_msg(int fd, struct nl_msg *m, struct kata_err *err)
{
	if (m->overflow)
		return err_set(err, -EMSGSIZE, "netlink message over %d bytes",
			       NL_MSG_MAX);
	m->head.nlmsg_seq++;
	if (send(fd, m->bytes, m->head.nlmsg_len, 0) < 0)
		return err_sys(err, "send to netlink");
	return 0;
}

/* The outcome in an NLMSG_ERROR; 0 is an acknowledgement. */
static int outcome(const struct nlmsghdr *h, struct kata_err *err)
{
	struct nl_attr attrs[NLMSGERR_ATTR_MSG + 1] = { 0 };
	struct nlmsgerr e;
	char words[128];

	if (h->nlmsg_len < NLMSG_HDRLEN + sizeof(e))
		return err_set(err, -EPROTO, "netlink answer is cut");
	memcpy(&e, (const uint8_t *)h + NLMSG_HDRLEN, sizeof(e));
	if (e.error == 0)
		return 0;
	if ((h->nlmsg_flags & NLM_F_ACK_TLVS) &&
	    nl_parse_msg(h, sizeof(e), attrs, ARRAY_SIZE(attrs)) &&
	    attrs[NLMSGERR_ATTR_MSG].len > 1) {
		size_t n = attrs[NLMSGERR_ATTR_MSG].len;

		n = n < sizeof(words) ? n : sizeof(words);
		memcpy(words, attrs[NLMSGERR_ATTR_MSG].data, n);
		words[n - 1] = '\0';
		return err_set(err, e.error, "%s (%s)", err_text(-e.error), words);
	}
	return err_set(err, e.error, "%s", err_text(-e.error));
}

/* A dump that was given up has its error in the NLMSG_DONE. */
static int end_of_dump(const struct nlmsghdr *h, struct kata_err *err)
{
	int code = 0;

	if (h->nlmsg_len >= NLMSG_HDRLEN + sizeof(code))
		memcpy(&code, (const uint8_t *)h + NLMSG_HDRLEN, sizeof(code));
	return code < 0 ? err_sys_code(err, code, "read from netlink") : 0;
}

struct answer {
	uint32_t seq;
	bool done;
	void (*fn)(void *arg, const struct nlmsghdr *h);
	void *arg;
};

/* One datagram. Messages that answer nothing of ours are passed over. */
static int take_answers(const uint8_t *p, size_t len, struct answer *a,
			struct kata_err *err)
{
	while (!a->done && len >= sizeof(struct nlmsghdr)) {
		const struct nlmsghdr *h = (const void *)p;
		size_t step = NLMSG_ALIGN((size_t)h->nlmsg_len);

		if (h->nlmsg_len < sizeof(*h) || h->nlmsg_len > len)
			return err_set(err, -EPROTO, "netlink answer is cut");
		if (h->nlmsg_seq == a->seq) {
			a->done = h->nlmsg_type == NLMSG_DONE ||
				  h->nlmsg_type == NLMSG_ERROR;
			if (h->nlmsg_type == NLMSG_ERROR)
				return outcome(h, err);
			if (a->done)
				return end_of_dump(h, err);
			if (a->fn)
				a->fn(a->arg, h);
		}
		if (step > len)
			break;
		p += step;
		len -= step;
	}
	return 0;
}

static int await(int fd, struct answer *a, struct kata_err *err)
{
	AUTO_FREE uint8_t *bytes = mem_alloc(ANSWER_MAX);
	int r = 0;

	while (r == 0 && !a->done) {
		ssize_t n = recv(fd, bytes, ANSWER_MAX, 0);

		if (n < 0 && errno != EINTR)
			return err_sys(err, "read from netlink");
		if (n > 0)
			r = take_answers(bytes, (size_t)n, a, err);
	}
	return r;
}

int nl_talk(int fd, struct nl_msg *m, struct kata_err *err)
{
	struct answer a = { 0 };
	int r;

	m->head.nlmsg_flags |= NLM_F_ACK;
	r = send_msg(fd, m, err);
	a.seq = m->head.nlmsg_seq;
	return r < 0 ? r : await(fd, &a, err);
}

int nl_dump(int fd, struct nl_msg *m, void (*fn)(void *arg, const struct nlmsghdr *h),
	    void *arg, struct kata_err *err)
{
	struct answer a = { .fn = fn, .arg = arg };
	int r;

	m->head.nlmsg_flags |= NLM_F_DUMP;
	r = send_msg(fd, m, err);
	a.seq = m->head.nlmsg_seq;
	return r < 0 ? r : await(fd, &a, err);
}

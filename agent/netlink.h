/* SPDX-License-Identifier: Apache-2.0 */
/* netlink: rtnetlink messages, built and read within bounds, and the talk with the kernel. */
#ifndef KATA_AGENT_NETLINK_H
#define KATA_AGENT_NETLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include "base/err.h"

/** Longest message we make; a route with all of its attributes has 200 bytes. */
#define NL_MSG_MAX 512

/**
 * struct nl_msg - a request. What does not fit sets @overflow and is dropped; nl_talk() and
 * nl_dump() refuse such a message with -EMSGSIZE.
 */
struct nl_msg {
	bool overflow;
	union {
		struct nlmsghdr head;
		uint8_t bytes[NL_MSG_MAX];
	};
};

/** nl_begin() - a message with its fixed part. @flags: beside NLM_F_REQUEST. */
void nl_begin(struct nl_msg *m, uint16_t type, uint16_t flags, const void *fixed,
	      size_t len);
void nl_put(struct nl_msg *m, uint16_t type, const void *data, size_t len);
void nl_put_u32(struct nl_msg *m, uint16_t type, uint32_t v);
/** nl_nest() - begin an attribute that holds others. Return: for nl_nest_end(). */
size_t nl_nest(struct nl_msg *m, uint16_t type);
void nl_nest_end(struct nl_msg *m, size_t at);

/** struct nl_attr - an attribute that was read; @data NULL = not there. */
struct nl_attr {
	const uint8_t *data;
	size_t len;
};

/** nl_parse() - attributes of type < @n into @ret by type; ill-formed rest is not looked at. */
void nl_parse(const void *p, size_t len, struct nl_attr *ret, size_t n);
/** nl_parse_msg() - those behind the fixed part of @fixed bytes. False: the message is too short. */
bool nl_parse_msg(const struct nlmsghdr *h, size_t fixed, struct nl_attr *ret, size_t n);
/** nl_u32() - the number in an attribute, @otherwise when there is none. */
uint32_t nl_u32(const struct nl_attr *a, uint32_t otherwise);
/** nl_copy() - min(size, length) bytes of it; the rest of @dst stays. */
void nl_copy(const struct nl_attr *a, void *dst, size_t size);

/** nl_netns() - a descriptor of the network namespace that a socket is of. */
int nl_netns(int fd, struct kata_err *err) MUST_CHECK;
/** nl_open() - a blocking route socket: the kernel answers within the call that asks. */
int nl_open(struct kata_err *err) MUST_CHECK;
/**
 * nl_talk() - send, wait for the acknowledgement.
 * Return: 0 or -errno of the kernel, @err then being its words
 */
int nl_talk(int fd, struct nl_msg *m, struct kata_err *err) MUST_CHECK;
/** nl_dump() - send, @fn for each message of the answer. */
int nl_dump(int fd, struct nl_msg *m, void (*fn)(void *arg, const struct nlmsghdr *h),
	    void *arg, struct kata_err *err) MUST_CHECK;

#endif

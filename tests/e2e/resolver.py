#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""resolver: a DNS server in a network namespace, as dockerd has one: its sockets are there, it is not.

usage: resolver.py NETNS ADDRESS NAME=IP... [FORWARD]
Answers A questions for each NAME over UDP; other questions go to the server FORWARD, from a socket of
that namespace, as dockerd asks upstream. Prints "ready", "asked from PORT" for each question, and
"forwarded N" for an answer of N bytes. Answers for names that begin with "big." have 3000.
"""
import ctypes
import os
import socket
import sys

CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)


def enter(fd):
    if libc.setns(fd, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


def socket_in(netns):
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    there = os.open(netns, os.O_RDONLY)
    enter(there)
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    enter(home)
    os.close(home)
    os.close(there)
    return s


def name_in(question):
    labels, at = [], 12
    while question[at]:
        labels.append(question[at + 1:at + 1 + question[at]].decode())
        at += question[at] + 1
    return ".".join(labels), question[12:at + 5]


def answer(question, names):
    name, asked = name_in(question)
    is_a = asked[-4:-2] == b"\0\1"
    known = name in names
    record = b"\xc0\x0c\0\1\0\1\0\0\0\x0a\0\4" + socket.inet_aton(names.get(name, "0.0.0.0"))
    count = b"\0\1" if known and is_a else b"\0\0"
    code = b"\x81\x80" if known else b"\x81\x83"
    return question[:2] + code + b"\0\1" + count + b"\0\0\0\0" + asked + (record if count[1] else b"")


def forward(question, netns, server):
    with socket_in(netns) as s:
        s.settimeout(5)
        s.sendto(question, (server, 53))
        try:
            reply = s.recv(4096)
            print("forwarded", len(reply), flush=True)
            return reply
        except TimeoutError:
            return None


def main():
    netns, address, rest = sys.argv[1], sys.argv[2], sys.argv[3:]
    names = dict(a.split("=") for a in rest if "=" in a)
    server = next((a for a in rest if "=" not in a), None)
    s = socket_in(netns)
    s.bind((address, 53))
    print("ready", flush=True)
    while True:
        question, peer = s.recvfrom(4096)
        print("asked from", peer[1], flush=True)
        try:
            known = name_in(question)[0] in names
        except (IndexError, UnicodeDecodeError):
            continue  # it is no question
        reply = answer(question, names) if known or not server else forward(question, netns, server)
        if reply and b"\3big" in question and not server:
            reply = reply.ljust(3000, b"\0")
        if reply:
            s.sendto(reply, peer)


main()

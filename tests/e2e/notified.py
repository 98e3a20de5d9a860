#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""notified: a service manager's NOTIFY_SOCKET: run a command with it, tell what comes.

usage: notified.py [--listen SECONDS] SOCKET COMMAND...
SOCKET is a path, or '@' and an abstract name. One line for each datagram, and "status N" when
the command has ended, in the order in which they happened; the descriptor of BARRIER=1 is
closed, which is the answer. --listen: SECONDS more, for what comes behind the end.
"""
import os
import select
import socket
import subprocess
import sys


def tell(s):
    data, fds, _, _ = socket.recv_fds(s, 8192, 8)
    for fd in fds:
        os.close(fd)
    text = data.decode().rstrip("\n").replace("\n", "|")
    print(text + (" with %d descriptor" % len(fds) if fds else ""), flush=True)


def ready(source, seconds):
    return bool(select.select([source], [], [], seconds)[0])


def main():
    argv = sys.argv[1:]
    more = 0
    if argv[0] == "--listen":
        more = float(argv[1])
        argv = argv[2:]
    name, command = argv[0], argv[1:]
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.bind("\0" + name[1:] if name[0] == "@" else name)
    child = subprocess.Popen(command, env=dict(os.environ, NOTIFY_SOCKET=name))
    end = os.pidfd_open(child.pid)
    while True:
        first = select.select([s, end], [], [])[0]
        if s in first:
            tell(s)
        elif end in first:
            break
    print("status %d" % child.wait(), flush=True)
    while more and ready(s, more):
        tell(s)


main()

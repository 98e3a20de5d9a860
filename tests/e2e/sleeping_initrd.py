#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""sleeping_initrd: an initramfs whose init does nothing.

usage: sleeping_initrd.py FILE
"""
import sys


def entry(name, mode, data=b""):
    name = name.encode() + b"\0"
    fields = [0, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name), 0]
    head = b"070701" + b"".join(b"%08X" % f for f in fields) + name
    head += b"\0" * (-len(head) % 4)
    return head + data + b"\0" * (-len(data) % 4)


def main():
    with open("/bin/busybox", "rb") as f:
        busybox = f.read()
    with open(sys.argv[1], "wb") as f:
        f.write(entry("bin", 0o40755))
        f.write(entry("bin/busybox", 0o100755, busybox))
        f.write(entry("init", 0o100755, b"#!/bin/busybox sh\nexec busybox sleep 100000\n"))
        f.write(entry("TRAILER!!!", 0))


main()

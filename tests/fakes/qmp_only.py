#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""qmp_only: a QEMU that runs no guest, for tests of what stands in front of it.

It greets, says yes to every command, and ends as QEMU does when the kernel's name says what the
guest is to do: */guest-reset, */guest-shutdown, */guest-crash.
"""
import json
import re
import socket
import sys

kernel = sys.argv[sys.argv.index("-kernel") + 1]
fd = int(re.search(r"id=qmp,fd=(\d+)", " ".join(sys.argv)).group(1))
with socket.socket(fileno=fd) as s:
    s.sendall(b'{"QMP":{"version":{},"capabilities":[]}}\n')
    for line in s.makefile("rb"):
        s.sendall(b'{"return":{}}\n')
        what = kernel.rpartition("/")[2]
        if what == "guest-crash":
            sys.exit("the emulator fell over")
        if what.startswith("guest-"):
            event = {"event": "SHUTDOWN", "data": {"guest": True, "reason": what}}
            s.sendall(json.dumps(event).encode() + b"\n")
            break

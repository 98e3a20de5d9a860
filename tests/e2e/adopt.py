#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""adopt: what an engine's shim is to a runtime: run a command, adopt what it leaves, and
note how each process ended.

usage: adopt.py DIR COMMAND...
DIR/status gets the command's exit status, DIR/exit.PID that of each adopted process. Ends
when there is none left.
"""
import ctypes
import os
import sys

PR_SET_CHILD_SUBREAPER = 36


def note(name, status):
    code = os.waitstatus_to_exitcode(status)
    with open(name + ".new", "w", encoding="ascii") as f:
        f.write(f"{code if code >= 0 else 128 - code}\n")
    os.rename(name + ".new", name)


def main():
    where, command = sys.argv[1], sys.argv[2:]
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    child = os.fork()
    if child == 0:
        os.execvp(command[0], command)
    null = os.open("/dev/null", os.O_RDWR)
    for fd in range(3):
        os.dup2(null, fd)
    while True:
        try:
            pid, status = os.wait()
        except ChildProcessError:
            return
        note(f"{where}/status" if pid == child else f"{where}/exit.{pid}", status)


main()

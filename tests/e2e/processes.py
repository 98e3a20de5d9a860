#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""processes: who has to do with a directory?

usage: processes.py DIR
Prints "process PID COMMAND" of each process, but the caller's own ancestors, whose command line
names DIR, whose working directory, root or open files are below it, or whose root is one of
DIR/*/rootfs in another mount namespace (a shim's). Zombies have none of these.
"""
import glob
import os
import sys


def ancestors():
    pid, found = os.getpid(), set()
    while pid > 1:
        found.add(pid)
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as f:
            pid = int(f.read().rpartition(")")[2].split()[1])
    return found


def identity(path):
    st = os.stat(path)
    return st.st_dev, st.st_ino


def links(proc):
    yield f"{proc}/cwd"
    yield f"{proc}/root"
    for fd in os.listdir(f"{proc}/fd"):
        yield f"{proc}/fd/{fd}"


def concerns(proc, where, roots, command):
    if where in command:
        return True
    for link in links(proc):
        try:
            if os.readlink(link).startswith(where):
                return True
        except OSError:
            pass
    return identity(f"{proc}/root") in roots


def main():
    where = sys.argv[1]
    roots = {identity(p) for p in glob.glob(f"{where}/*/rootfs")}
    mine = ancestors()
    for proc in glob.glob("/proc/[0-9]*"):
        pid = int(proc.rpartition("/")[2])
        if pid in mine:
            continue
        try:
            with open(f"{proc}/cmdline", encoding="utf-8", errors="replace") as f:
                command = f.read().replace("\0", " ")
            if concerns(proc, where, roots, command):
                print("process", pid, command[:120])
        except OSError:
            pass


main()

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""on_terminal: run a command on a terminal of its own, as a person at a shell does.

usage: on_terminal.py ROWS COLUMNS TEXT COMMAND...
Types TEXT and Enter once the command has said something, prints what it says, then whether
it left the terminal's settings as they were. Ends with the command's status.
"""
import fcntl
import os
import pty
import select
import struct
import sys
import termios


def main():
    rows, columns, text = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    before = termios.tcgetattr(slave)
    child = os.fork()
    if child == 0:
        os.close(master)
        login_tty(slave)
        os.execvp(sys.argv[4], sys.argv[4:])
    typed = False
    said = b""
    done = 0
    while True:
        if not done:
            done, status = os.waitpid(child, os.WNOHANG)
        ready = wait_readable(master)
        if ready:
            said += os.read(master, 65536)
        if said and not typed:
            typed = True
            os.write(master, text.encode() + b"\r")
        if done and not ready:
            break
    sys.stdout.write(said.decode(errors="replace"))
    after = termios.tcgetattr(slave)
    print("settings restored" if after == before else f"settings changed: {before} {after}")
    sys.exit(os.waitstatus_to_exitcode(status))


def login_tty(fd):
    os.setsid()
    fcntl.ioctl(fd, termios.TIOCSCTTY, 0)
    for i in range(3):
        os.dup2(fd, i)


def wait_readable(fd):
    return select.select([fd], [], [], 0.1)[0]


main()

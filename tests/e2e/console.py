#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""console: the engine's end of a console socket.

usage: console.py SOCKET OUT COMMANDS
Listens at SOCKET, takes one terminal (exactly one descriptor, at least one byte), and copies
what it says to OUT until it hangs up. Lines of the fifo COMMANDS: "send TEXT" types TEXT
and Enter, "size ROWS COLUMNS" resizes, "close" lets the terminal go.
"""
import fcntl
import os
import select
import socket
import struct
import sys
import termios


def take_terminal(path):
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(path)
        s.listen(1)
        peer, _ = s.accept()
        data, fds, _, _ = socket.recv_fds(peer, 4096, 4)
    if not data or len(fds) != 1:
        sys.exit(f"console socket: {len(data)} bytes, {len(fds)} descriptors")
    return fds[0]


def obey(line, master):
    word, _, rest = line.partition(" ")
    if word == "send":
        os.write(master, rest.encode() + b"\r")
    elif word == "size":
        rows, columns = map(int, rest.split())
        fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    elif word == "close":
        sys.exit(0)


def main():
    path, out, commands = sys.argv[1:4]
    fifo = os.open(commands, os.O_RDWR | os.O_NONBLOCK)
    master = take_terminal(path)
    pending = ""
    with open(out, "wb", buffering=0) as f:
        while True:
            ready, _, _ = select.select([master, fifo], [], [])
            if master in ready:
                try:
                    data = os.read(master, 65536)
                except OSError:
                    return
                if not data:
                    return
                f.write(data)
            if fifo in ready:
                pending += os.read(fifo, 4096).decode()
                while "\n" in pending:
                    line, _, pending = pending.partition("\n")
                    obey(line, master)


main()

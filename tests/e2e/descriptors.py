#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""descriptors: run a command with descriptors from 3 on that a shell cannot make, play their far
ends, and tell what came.

usage: descriptors.py [--listen-fds N] KIND... -- COMMAND...

KIND     what the command gets, in order, and what is done with the far end meanwhile:
  pipe-in:TEXT   a pipe to read from, with TEXT and then its end
  pipe-out       a pipe to write to
  socket:TEXT    a socket; TEXT is written and that half shut down
  big            a socket; 1 MB is written and that half shut down
  unix:N, tcp:N  a listening socket; N clients at once send 1 MB each and a client's number before
                 it, and wait for the same in capitals
  datagram, eventfd, seqpacket, tty, memfd, rdwr-fifo, gap
Prints "N: TEXT" for what came out of each (the size and "same" of what big got back), then
"status: S". --listen-fds: LISTEN_FDS, with the command's own LISTEN_PID.
"""

import array
import os
import pty
import socket
import sys
import tempfile
import threading

BIG = bytes(i * 7 % 251 for i in range(1 << 20))


class Far:
    """The command's descriptor, and what is done at the other side."""

    def __init__(self, fd, keep=None, write=None, read=False, sock=None):
        self.fd, self.keep, self.write, self.read, self.sock = fd, keep, write, read, sock
        self.got = b""

    def feed(self):
        if self.sock:
            self.sock.sendall(self.write)
            self.sock.shutdown(socket.SHUT_WR)
        else:
            os.write(self.keep, self.write)
            os.close(self.keep)

    def drain(self):
        fd = self.sock.fileno() if self.sock else self.keep
        while True:
            data = os.read(fd, 65536)
            if not data:
                return
            self.got += data


def pair(kind, text):
    ours, theirs = socket.socketpair(socket.AF_UNIX, kind)
    return Far(theirs.detach(), sock=ours, write=text, read=True)


class Clients(Far):
    """A listening socket, and what its clients got."""

    def __init__(self, family, n):
        sock = socket.socket(family)
        if family == socket.AF_INET:
            sock.bind(("127.0.0.1", 0))
        else:
            sock.bind("\0descriptors.py-%d" % os.getpid())
        sock.listen()
        self.n, self.family, self.name = n, family, sock.getsockname()
        self.good = 0
        super().__init__(sock.detach(), write=b"", read=True)

    def client(self, i):
        with socket.socket(self.family) as sock:
            text = b"%d client" % i + BIG.hex().encode()
            sock.settimeout(60)
            sock.connect(self.name)
            sender = threading.Thread(target=lambda: (sock.sendall(text),
                                                      sock.shutdown(socket.SHUT_WR)))
            sender.start()
            got = b""
            while data := sock.recv(65536):
                got += data
            sender.join()
            self.good += got == text.upper()

    def feed(self):
        """All is in drain()."""

    def drain(self):
        work = [threading.Thread(target=self.client, args=(i,)) for i in range(self.n)]
        for t in work:
            t.start()
        for t in work:
            t.join()
        self.got = b"%d good" % self.good


def make(kind):
    name, _, text = kind.partition(":")
    text = text.encode()
    if name == "pipe-in":
        r, w = os.pipe()
        return Far(r, keep=w, write=text)
    if name == "pipe-out":
        r, w = os.pipe()
        return Far(w, keep=r, read=True)
    if name == "socket":
        return pair(socket.SOCK_STREAM, text)
    if name == "big":
        return pair(socket.SOCK_STREAM, BIG)
    if name == "datagram":
        return Far(socket.socket(socket.AF_INET, socket.SOCK_DGRAM).detach())
    if name == "eventfd":
        return Far(os.eventfd(0))
    if name == "memfd":
        return Far(os.memfd_create("x"))
    if name == "tty":
        master, slave = pty.openpty()
        return Far(slave, keep=master)
    if name in ("unix", "tcp"):
        return Clients(socket.AF_UNIX if name == "unix" else socket.AF_INET, int(text))
    if name == "seqpacket":
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        sock.bind("\0descriptors.py-%d" % os.getpid())
        sock.listen()
        return Far(sock.detach())
    if name == "rdwr-fifo":
        with tempfile.TemporaryDirectory() as d:
            os.mkfifo(d + "/f")
            return Far(os.open(d + "/f", os.O_RDWR))
    if name == "gap":
        return None
    raise SystemExit(f"descriptors.py: unknown kind {kind}")


def place(ends, listen):
    """In the child: everything at its number, nothing else above stdio."""
    high = array.array("i")
    for i, e in enumerate(ends):
        high.append(os.dup2(e.fd, 500 + i) if e else -1)
    os.closerange(3, 500)
    for i, fd in enumerate(high):
        if fd >= 0:
            os.dup2(fd, 3 + i, inheritable=True)
    os.closerange(500, 600)
    if listen:
        os.environ["LISTEN_FDS"] = listen
        os.environ["LISTEN_PID"] = str(os.getpid())


def start(ends, listen, command):
    pid = os.fork()
    if pid == 0:
        place(ends, listen)
        try:
            os.execvp(command[0], command)
        except OSError as e:
            print(e, file=sys.stderr)
        os._exit(127)
    return pid


def main(args):
    listen = None
    if args[0] == "--listen-fds":
        listen, args = args[1], args[2:]
    at = args.index("--")
    ends = [make(kind) for kind in args[:at]]
    pid = start(ends, listen, args[at + 1 :])
    for e in ends:
        if e:
            os.close(e.fd)
    work = [threading.Thread(target=e.feed) for e in ends if e and e.write is not None]
    work += [threading.Thread(target=e.drain) for e in ends if e and e.read]
    for t in work:
        t.daemon = True
        t.start()
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    for t in work:
        t.join(30)
        if t.is_alive():
            raise SystemExit("descriptors.py: a far end is stuck")
    for i, e in enumerate(ends):
        if e and e.read:
            same = "same" if e.got == BIG else "another"
            text = f"{len(e.got)} {same}" if e.write == BIG else e.got.decode().rstrip("\n")
            print(f"{3 + i}: {text}")
    print(f"status: {status}")


main(sys.argv[1:])

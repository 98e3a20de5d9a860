# SPDX-License-Identifier: Apache-2.0
"""forwarded: whoever connects to localhost in a network namespace, for portforward.bats.

forwarded.py echo ADDRESS PORT BYTES    there and back; prints "same" when nothing is lost
forwarded.py many ADDRESS PORT N        N connections at once, each with its own words
forwarded.py end ADDRESS PORT           says a byte and prints how it ends: "refused", "reset" or "eof"
forwarded.py hold ADDRESS PORT FILE     a connection that says nothing; FILE is made when it stands;
                                        prints how it ends
forwarded.py answer ADDRESS PORT        a server: prints "up", says "here" to each
"""
import hashlib
import os
import socket
import sys
import threading

TIMEOUT = 120


def connect(address, port):
    return socket.create_connection((address, int(port)), TIMEOUT)


def echo(address, port, size):
    """The sender shuts down its half at the end, so the server's end is the end of all."""
    data = os.urandom(int(size))
    c = connect(address, port)

    def send():
        c.sendall(data)
        c.shutdown(socket.SHUT_WR)

    t = threading.Thread(target=send)
    t.start()
    got, n = hashlib.sha256(), 0
    while d := c.recv(1 << 16):
        got.update(d)
        n += len(d)
    t.join()
    same = got.digest() == hashlib.sha256(data).digest()
    print("same" if same else f"different: {n} of {size} bytes")


def read_all(c, n):
    got = b""
    while len(got) < n:
        d = c.recv(n - len(got))
        if not d:
            break
        got += d
    return got


def many(address, port, n):
    """All stand before the first is used."""
    all_of_them = [connect(address, port) for _ in range(int(n))]
    for i, c in enumerate(all_of_them):
        c.sendall(b"%08d" % i)
    good = sum(read_all(c, 8) == b"%08d" % i for i, c in enumerate(all_of_them))
    for c in all_of_them:
        c.shutdown(socket.SHUT_WR)
    good = min(good, sum(c.recv(1) == b"" for c in all_of_them))
    print(good)


def end(address, port):
    try:
        c = connect(address, port)
    except ConnectionRefusedError:
        print("refused")
        return
    except ConnectionResetError:
        print("reset")
        return
    how_it_ends(c, b"x")


def how_it_ends(c, word):
    try:
        if word:
            c.sendall(word)
        while c.recv(4096):
            pass
        print("eof")
    except (ConnectionResetError, BrokenPipeError):
        print("reset")


def hold(address, port, path):
    c = connect(address, port)
    c.sendall(b"x")
    read_all(c, 1)
    open(path, "w", encoding="ascii").close()
    how_it_ends(c, b"")


def answer(address, port):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    s = socket.create_server((address, int(port)), family=family)
    print("up", flush=True)
    while True:
        c = s.accept()[0]
        c.sendall(b"here")
        c.close()


def ask(address, port):
    print(connect(address, port).recv(100).decode())


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])

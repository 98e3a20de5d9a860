# SPDX-License-Identifier: Apache-2.0
"""host_peer: plays kata-sandbox towards a real kata-agent.

Speaks libkata/proto/msg.h by its own reading of it, so that a mistake in the C code is not
made twice. One thread, one selector: whoever waits for something runs the selector
until it is there.

    peer = HostPeer("/path/of/socket")          # the agent dials this
    peer.wait_hello(); peer.welcome()
    c = peer.create(1, "c1/rootfs", spec, stdin=True)
    c.start(); c.write(b"..."); c.close_stdin()
    assert c.wait_exit() == 0; c.output["stdout"]
"""

import copy
import json
import os
import random
import selectors
import socket
import struct
import time

CONTROL_MAGIC = 0x4B415443
STREAM_MAGIC = 0x4B415453
DNS_MAGIC = 0x4B415444
HELLO, REPLY, EXIT, STREAM_END, OOM, WARNING, STATS_DATA, NOTIFY = range(1, 9)
(WELCOME, CREATE, START, EXEC, SIGNAL, WINSIZE, STDIN_END, DELETE, SHUTDOWN,
 UPDATE, PAUSE, RESUME, STATS, NETWORK) = range(64, 78)
OK, FAILED, BAD_REQUEST, NO_SUCH, NOT_FOUND, NOT_EXECUTABLE = range(6)
STREAMS = ["stdin", "stdout", "stderr", "tty"]
STATS_NAMES = """cpu_usage_us cpu_user_us cpu_system_us cpu_periods cpu_throttled cpu_throttled_us
    memory_current memory_peak memory_limit swap_current swap_limit memory_anon memory_file
    memory_kernel memory_inactive_file memory_pgfault memory_pgmajfault memory_failcnt oom_kills
    pids_current pids_limit io_read_bytes io_write_bytes io_reads io_writes""".split()
SHARE = "/run/kata/share"


class Gone(Exception):
    """The agent closed the control connection."""


class Refused(Exception):
    """A reply other than OK."""

    def __init__(self, reply):
        super().__init__("code %d errno %d: %s" % (reply["code"], reply["err"], reply["text"]))
        self.code, self.err, self.text = reply["code"], reply["err"], reply["text"]


class Process:
    """One process of the guest, as the host sees it."""

    def __init__(self, peer, container, number, kinds):
        self.peer, self.container, self.number = peer, container, number
        self.tokens = {k: random.getrandbits(63) | 1 for k in kinds}
        self.socks = {}
        self.output = {k: bytearray() for k in kinds if k != "stdin"}
        self.keep = True        # False: count the bytes only
        self.received = {k: 0 for k in kinds if k != "stdin"}
        self.ended = {}
        self.status = None
        self.oom = None
        self.pending = memoryview(b"")      # for stdin or tty
        self.sent = 0
        self.end_stdin = False

    @property
    def key(self):
        return {"container": self.container, "process": self.number}

    def write(self, data):
        """Give it input; sent as the connection takes it."""
        self.pending = memoryview(bytes(self.pending) + data)
        self.peer.watch_input(self)

    def close_stdin(self):
        """Tell the agent that no more input comes, once all is sent."""
        self.end_stdin = True
        self.peer.run(lambda: not self.pending)
        self.peer.call(STDIN_END, dict(self.key, bytes=self.sent))

    def drained(self):
        return all(k in self.ended and self.received[k] >= self.ended[k] for k in self.output)

    def wait_exit(self, timeout=60):
        """Status, after every stream has delivered what was announced; then closes them."""
        self.peer.run(lambda: self.status is not None and self.drained(), timeout)
        for k, n in self.ended.items():
            assert self.received[k] == n, (k, self.received[k], n)
        for k in list(self.socks):
            self.peer.drop(self, k)
        return self.status

    def wait_output(self, kind, text, timeout=60):
        self.peer.run(lambda: text in self.output[kind], timeout)

    def start(self):
        return self.peer.call(START, {"container": self.container})

    def signal(self, sig, everyone=False):
        return self.peer.call(SIGNAL, dict(self.key, signal=sig, all=everyone))

    def winsize(self, height, width):
        return self.peer.call(WINSIZE, dict(self.key, height=height, width=width))

    def pause(self, timeout=60):
        return self.peer.call(PAUSE, {"container": self.container}, timeout)

    def resume(self, timeout=60):
        return self.peer.call(RESUME, {"container": self.container}, timeout)

    def update(self, **resources):
        return self.peer.call(UPDATE, {"container": self.container, "resources": resources})

    def stats(self):
        """What the guest counts; None: unknown, or no limit."""
        self.peer.call(STATS, {"container": self.container})
        return self.peer.stats.pop(self.container)

    def delete(self, timeout=60):
        r = self.peer.call(DELETE, {"container": self.container}, timeout)
        for k in list(self.socks):
            self.peer.drop(self, k)
        return r

    def exec(self, number, process, kinds=("stdout", "stderr")):
        p = Process(self.peer, self.container, number,
                    ["tty"] if process.get("terminal") else list(kinds))
        self.peer.expect(p)
        self.peer.call(EXEC, dict(p.key, spec=process, streams=tokens(p)))
        self.peer.run(lambda: len(p.socks) == len(p.tokens))
        return p


def tokens(p):
    return {k: str(t) for k, t in p.tokens.items()}


class HostPeer:
    def __init__(self, path):
        self.sel = selectors.DefaultSelector()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(64)
        self.listener.setblocking(False)
        self.sel.register(self.listener, selectors.EVENT_READ, self.on_accept)
        self.control = None
        self.inbox = bytearray()
        self.hello = None
        self.replies = {}
        self.gone = False
        self.last_id = 0
        self.expected = {}      # token -> (process, kind)
        self.processes = {}     # (container, process) -> Process
        self.dns = lambda query: None
        self.dns_clients = []   # (protocol, socket)
        self.dns_input = {}
        self.warnings = []
        self.stats = {}         # container -> the last STATS_DATA
        self.ooms = []          # containers, as told
        self.unexpected = []    # events nobody waits for
        self.events = []        # every EXIT and STREAM_END in order

    def close(self):
        for key in list(self.sel.get_map().values()):
            self.sel.unregister(key.fileobj)
            key.fileobj.close()
        self.sel.close()

    # --- the selector

    def run(self, done, timeout=60):
        end = time.monotonic() + timeout
        while not done():
            left = end - time.monotonic()
            if left <= 0:
                raise TimeoutError("waited %d s" % timeout)
            if self.gone:
                raise Gone()
            for key, events in self.sel.select(left):
                key.data(key.fileobj, events)

    def on_accept(self, listener, _):
        s, _ = listener.accept()
        s.setblocking(False)
        self.sel.register(s, selectors.EVENT_READ, self.on_visitor)

    def on_visitor(self, s, _):
        """A connection that has not said what it is. Hellos are short: they come whole."""
        head = s.recv(12, socket.MSG_PEEK)
        if len(head) < 4:
            if not head:
                self.sel.unregister(s)
                s.close()
            return
        magic, = struct.unpack_from("<I", head)
        if magic == CONTROL_MAGIC:
            s.recv(4)
            assert self.control is None
            self.control = s
            self.sel.modify(s, selectors.EVENT_READ, self.on_control)
            return
        if magic == DNS_MAGIC:
            if len(head) >= 8:
                protocol, = struct.unpack_from("<I", s.recv(8), 4)
                self.dns_clients.append((protocol, s))
                self.sel.modify(s, selectors.EVENT_READ, lambda f, e: self.on_dns(protocol, f))
            return
        assert magic == STREAM_MAGIC, hex(magic)
        if len(head) < 12:
            return
        s.recv(12)
        token, = struct.unpack_from("<Q", head, 4)
        p, kind = self.expected.pop(token)
        p.socks[kind] = s
        self.sel.modify(s, selectors.EVENT_READ, lambda f, e: self.on_stream(p, kind, f, e))
        self.watch_input(p)

    def on_dns(self, protocol, s):
        """A client of the relay: @dns is the resolver, query -> answer (bytes), None: hang up."""
        try:
            data = s.recv(1 << 16)
        except ConnectionResetError:
            data = b""
        answers = [self.dns(q) for q in self.datagrams(protocol, s, data)] if data else [None]
        if None in answers:
            self.dns_clients.remove((protocol, s))
            self.dns_input.pop(s, None)
            self.sel.unregister(s)
            s.close()
            return
        s.sendall(b"".join(struct.pack(">H", len(a)) + a for a in answers))

    def datagrams(self, protocol, s, data):
        """Messages that are whole; UDP through the relay and TCP of DNS have the same lengths."""
        assert protocol in (6, 17)
        have = self.dns_input.setdefault(s, bytearray())
        have += data
        while len(have) >= 2 and len(have) >= 2 + (have[0] << 8 | have[1]):
            n = have[0] << 8 | have[1]
            yield bytes(have[2:2 + n])
            del have[:2 + n]

    def watch_input(self, p):
        for kind in ("stdin", "tty"):
            s = p.socks.get(kind)
            if s:
                mask = selectors.EVENT_READ | (selectors.EVENT_WRITE if p.pending else 0)
                self.sel.modify(s, mask, lambda f, e, k=kind: self.on_stream(p, k, f, e))

    def on_stream(self, p, kind, s, events):
        if events & selectors.EVENT_WRITE and p.pending:
            try:
                n = s.send(p.pending[:1 << 20])
            except (BrokenPipeError, ConnectionResetError):
                p.pending = memoryview(b"")
                self.drop(p, kind)
                return
            p.sent += n
            p.pending = p.pending[n:]
            if not p.pending:
                self.watch_input(p)
        if events & selectors.EVENT_READ:
            try:
                data = s.recv(1 << 18)
            except ConnectionResetError:
                data = b""
            if not data:
                self.drop(p, kind)
            elif kind != "stdin":
                p.received[kind] += len(data)
                if p.keep:
                    p.output[kind] += data

    def drop(self, p, kind):
        """Close our end of a stream."""
        s = p.socks.pop(kind, None)
        if s:
            self.sel.unregister(s)
            s.close()

    # --- control

    def on_control(self, s, _):
        try:
            data = s.recv(1 << 16)
        except ConnectionResetError:
            data = b""
        if not data:
            self.gone = True
            self.sel.unregister(s)
            s.close()
            return
        self.inbox += data
        while len(self.inbox) >= 12:
            size, kind, zero, ident = struct.unpack_from("<IHHI", self.inbox)
            assert zero == 0 and size <= 4096, (size, kind, zero)
            if len(self.inbox) < 12 + size:
                return
            body = bytes(self.inbox[12:12 + size])
            del self.inbox[:12 + size]
            self.on_frame(kind, ident, body)

    def on_frame(self, kind, ident, body):
        if kind == HELLO:
            low, high, began, ready, n = struct.unpack_from("<HHQQH", body)
            assert len(body) == 22 + n and self.hello is None
            self.hello = {"min": low, "max": high, "began_us": began, "ready_us": ready,
                          "release": body[22:].decode()}
        elif kind == REPLY:
            code, err, took, n = struct.unpack_from("<HHQH", body)
            assert len(body) == 14 + n
            self.replies[ident] = {"code": code, "err": err, "took_us": took,
                                   "text": body[14:].decode()}
        elif kind == EXIT:
            container, process, status, oom = struct.unpack("<IIBB", body)
            self.events.append(("exit", container, process, status))
            p = self.processes.get((container, process))
            assert p and p.status is None, ("EXIT", container, process)
            assert all(k in p.ended for k in p.output), "EXIT before STREAM_END"
            p.status, p.oom = status, oom
        elif kind == STREAM_END:
            container, process, stream, count = struct.unpack("<IIIQ", body)
            self.events.append(("end", container, process, STREAMS[stream], count))
            p = self.processes.get((container, process))
            assert p and STREAMS[stream] not in p.ended, ("STREAM_END", container, process)
            p.ended[STREAMS[stream]] = count
        elif kind == OOM:
            container, = struct.unpack("<I", body)
            self.events.append(("oom", container))
            self.ooms.append(container)
        elif kind == STATS_DATA:
            container, n = struct.unpack_from("<IH", body)
            assert len(body) == 6 + 8 * n and n >= len(STATS_NAMES)
            self.stats[container] = {k: None if v == 2**64 - 1 else v for k, v in
                                     zip(STATS_NAMES, struct.unpack_from("<%dQ" % n, body, 6))}
        elif kind == NOTIFY:
            container, n = struct.unpack_from("<IH", body)
            assert len(body) == 6 + n
            self.events.append(("notify", container, body[6:].decode()))
        elif kind == WARNING:
            container, n = struct.unpack_from("<IH", body)
            self.warnings.append((container, body[6:6 + n].decode()))
        else:
            self.unexpected.append((kind, body))

    def send(self, kind, body):
        return self.send_bytes(kind, json.dumps(body).encode())

    def send_bytes(self, kind, text):
        self.last_id += 1
        self.control.setblocking(True)
        self.control.sendall(struct.pack("<IHHI", len(text), kind, 0, self.last_id) + text)
        self.control.setblocking(False)
        return self.last_id

    def call(self, kind, body, timeout=60):
        ident = self.send(kind, body)
        self.run(lambda: ident in self.replies, timeout)
        reply = self.replies.pop(ident)
        if reply["code"] != OK:
            raise Refused(reply)
        return reply

    # --- what the host does

    def wait_hello(self, timeout=120):
        self.run(lambda: self.hello, timeout)
        return self.hello

    def welcome(self):
        now = time.time_ns()
        return self.call(WELCOME, {"version": 4, "time_sec": now // 10**9,
                                   "time_nsec": now % 10**9, "entropy": os.urandom(64).hex()})

    def network(self, interfaces=(), **more):
        return self.call(NETWORK, dict(more, interfaces=list(interfaces)))

    def expect(self, p):
        self.processes[(p.container, p.number)] = p
        for kind, token in p.tokens.items():
            self.expected[token] = (p, kind)

    def create(self, number, rootfs, spec, kinds=("stdout", "stderr"), ident=None,
               **more):
        terminal = (spec.get("process") or {}).get("terminal")
        p = Process(self, number, 0, ["tty"] if terminal else list(kinds))
        self.expect(p)
        p.reply = self.call(CREATE, {"container": number, "id": ident or "test%d" % number,
                                     "rootfs": rootfs, "spec": spec, "streams": tokens(p), **more})
        # the reply and the connections travel separately
        self.run(lambda: len(p.socks) == len(p.tokens))
        return p


MOUNTS = [
    {"destination": "/proc", "type": "proc", "source": "proc"},
    {"destination": "/dev", "type": "tmpfs", "source": "tmpfs",
     "options": ["nosuid", "strictatime", "mode=755", "size=65536k"]},
    {"destination": "/dev/pts", "type": "devpts", "source": "devpts",
     "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]},
    {"destination": "/dev/shm", "type": "tmpfs", "source": "shm",
     "options": ["nosuid", "noexec", "nodev", "mode=1777", "size=64m"]},
    {"destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue",
     "options": ["nosuid", "noexec", "nodev"]},
    {"destination": "/sys", "type": "sysfs", "source": "sysfs",
     "options": ["nosuid", "noexec", "nodev", "ro"]},
]
CAPS = ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_KILL", "CAP_SETUID", "CAP_SETGID", "CAP_AUDIT_WRITE"]
SPEC = {
    "ociVersion": "1.2.0",
    "root": {"path": "rootfs"},
    "process": {
        "user": {"uid": 0, "gid": 0},
        "args": ["true"],
        "env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
        "cwd": "/",
        "capabilities": {k: CAPS for k in ("bounding", "effective", "permitted")},
    },
    "hostname": "box",
    "mounts": MOUNTS,
    "linux": {
        "namespaces": [{"type": t} for t in ("pid", "mount", "uts", "ipc", "network", "cgroup")],
        "maskedPaths": ["/proc/kcore", "/proc/timer_list", "/sys/firmware", "/proc/nothing"],
        "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
    },
}


def spec(*args, **process):
    """A usual spec running args; further members of process by name."""
    s = copy.deepcopy(SPEC)
    s["process"]["args"] = list(args)
    s["process"].update(process)
    return s

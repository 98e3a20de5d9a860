# SPDX-License-Identifier: Apache-2.0
"""network: what the way from the namespace's interface to the VM's card costs.

One VM has two cards. One stands for a veth whose other end is in another namespace, as with every
engine: tap, filters of tc, veth. Of the other card's tap the filters are taken away again and it gets an
address: the same VMM on a bare tap. A third way has no VM: veth to veth. The same is sent over all of them
in turn, by iperf3, whose server is in the other namespace, or at the bare tap.
"""
import contextlib
import ctypes
import json
import os
import re
import shutil
import socket
import statistics
import struct
import subprocess
import time

import measure as m
from measure import Row

CLONE_NEWNET = 0x40000000
BYTES = "64M"
ROUNDS = 4  # of a sample the best counts: what is lost to others on the machine is no cost of ours
PINGS = 30
TAP, BARE, VETH = "tap, tc, veth", "same VM, bare tap", "veth, no VM"

ROWS = [
    Row("TCP, guest sends", TAP, BARE, "Mbit/s", limit=0.95, more=True),
    Row("TCP, guest receives", TAP, BARE, "Mbit/s", limit=0.95, more=True),
    Row("TCP, guest sends", TAP, VETH, "Mbit/s", more=True),
    Row("TCP, guest receives", TAP, VETH, "Mbit/s", more=True),
    Row("ping", TAP, BARE, "ms"),
    Row("ping", TAP, VETH, "ms"),
    Row("guest sends: cpu of QEMU per GB", TAP, BARE, "ms"),
    Row("guest receives: cpu of QEMU per GB", TAP, BARE, "ms"),
]


def ip(*words):
    subprocess.run(["ip", *words], check=True)


def within(netns, *words):
    return ["nsenter", f"--net=/run/netns/{netns}", *words]


class Bed:
    """Three namespaces: the VM's, one with the other ends, one without a VM."""

    def __init__(self, bed, stack):
        self.bed, self.name = bed, f"{bed.id}-net"
        self.vm, self.far, self.plain = (f"{bed.id}-{n}" for n in ("vm", "far", "plain"))
        for netns in (self.vm, self.far, self.plain):
            ip("netns", "add", netns)
            stack.callback(ip, "netns", "del", netns)
            ip("-n", netns, "link", "set", "lo", "up")
        self.cable(self.vm, "eth0", 1)
        self.cable(self.vm, "eth1", 2)
        self.cable(self.plain, "eth2", 3)
        self.run_vm(stack)
        self.bare_tap()
        self.serve(self.far, stack)
        self.serve(self.vm, stack)

    def cable(self, netns, name, n):
        ip("-n", self.far, "link", "add", name, "type", "veth", "peer", "name", name, "netns", netns)
        for end, host in ((self.far, 1), (netns, 2)):
            if name != "eth1":
                ip("-n", end, "addr", "add", f"10.99.{n}.{host}/24", "dev", name)
            ip("-n", end, "link", "set", name, "up")

    def run_vm(self, stack):
        bundle = f"{self.bed.dir}/net"
        shutil.copytree(f"{self.bed.bundle}/rootfs", f"{bundle}/rootfs", symlinks=True)
        program = shutil.which("iperf3")
        libraries = subprocess.check_output(["ldd", program], text=True)
        for path in [program, *re.findall(r"(/\S+) \(0x", libraries)]:
            os.makedirs(os.path.dirname(f"{bundle}/rootfs{path}"), exist_ok=True)
            shutil.copy(path, f"{bundle}/rootfs{path}")
        self.program = program
        self.bed.write_config(bundle, ["sleep", "100000"])
        with open(f"{bundle}/config.json", "r+", encoding="utf-8") as f:
            config = json.load(f)
            for ns in config["linux"]["namespaces"]:
                if ns["type"] == "network":
                    ns["path"] = f"/run/netns/{self.vm}"
            for held in config["process"]["capabilities"].values():
                held.append("CAP_NET_ADMIN")
            f.seek(0)
            json.dump(config, f)
            f.truncate()
        m.run(self.bed.kata.call("run", "-d", "--bundle", bundle, self.name), self.bed.log)
        stack.callback(m.run, self.bed.kata.call("delete", "--force", self.name), self.bed.log)
        sandbox = self.bed.record(self.name)["sandbox"]["pid"]
        self.vmm = [p for p in m.children(sandbox) if "qemu-system" in m.command(p)[0]]

    def bare_tap(self):
        text = subprocess.check_output(
            ["tc", "-n", self.vm, "filter", "show", "dev", "eth1", "ingress"], text=True)
        tap = re.search(r"Redirect to device (\S+)\)", text).group(1)
        subprocess.run(["tc", "-n", self.vm, "qdisc", "del", "dev", tap, "ingress"], check=True)
        ip("-n", self.vm, "addr", "add", "10.99.2.1/24", "dev", tap)
        # not by way of eth1: in the namespace, where the tap's end is, it would be a local address
        m.run(self.bed.kata.call("exec", self.name, "busybox", "ip", "addr", "add", "10.99.2.2/24",
                                 "dev", "eth1"), self.bed.log)

    def serve(self, netns, stack):
        child = m.spawn(within(netns, self.program, "-s"), out=self.bed.log)
        stack.callback(child.wait)
        stack.callback(child.kill)

        def listens():
            text = subprocess.check_output(within(netns, "ss", "-Hltn", "sport", "5201"))
            return text.strip()

        m.eventually("iperf3's server", listens)

    def send(self, way, *options):
        """Return: (rate in Mbit/s, processor time of the VMM in ms per GB)"""
        words = [self.program, "-J", "-n", BYTES, *options, "-c"]
        if way == VETH:
            argv = within(self.plain, *words, "10.99.3.1")
        else:
            to = "10.99.1.1" if way == TAP else "10.99.2.1"
            argv = self.bed.kata.call("exec", self.name, *words, to)
        before = m.threads_cpu(self.vmm)
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, check=False,
                              timeout=m.TIMEOUT)
        spent = m.threads_cpu(self.vmm) - before
        got = json.loads(done.stdout).get("end", {}).get("sum_received") if done.stdout else None
        if done.returncode != 0 or not got:
            raise m.Failed(f"{' '.join(argv)}: {(done.stderr + done.stdout)[-500:]}")
        return got["bits_per_second"] / 1e6, spent / got["bytes"] * 1e9

    def send_all(self, *options):
        """Return: by way, the best of some rounds, each by itself"""
        got = {way: [] for way in (TAP, BARE, VETH)}
        for i in range(ROUNDS):
            for way in (TAP, BARE) if i else (TAP, BARE, VETH):
                got[way].append(self.send(way, *options))
        return {way: (max(r for r, _ in some), min(c for _, c in some)) for way, some in got.items()}

    def ping(self, way):
        if way == BARE:
            return ping(self.vm, "10.99.2.2")
        return ping(self.far, "10.99.1.2" if way == TAP else "10.99.3.2")


def socket_in(netns):
    setns = ctypes.CDLL(None, use_errno=True).setns
    with open("/proc/self/ns/net", "rb") as home, open(f"/run/netns/{netns}", "rb") as there:
        if setns(there.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"setns {netns}")
        try:
            return socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        finally:
            setns(home.fileno(), CLONE_NEWNET)


def ping(netns, address):
    """Median of some round trips, in ms."""
    took = []
    with socket_in(netns) as s:
        s.settimeout(10)
        s.connect((address, 0))
        for i in range(PINGS):
            total = 0x800 + 7 + i  # what is in it: echo request, id 7, number
            began = m.now()
            s.send(struct.pack(">BBHHH", 8, 0, ~total & 0xffff, 7, i))
            while (got := s.recv(100))[20] != 0 or got[26:28] != struct.pack(">H", i):
                pass
            took.append(m.now() - began)
            time.sleep(0.002)
    return statistics.median(took)


def scenario(bed):
    if not shutil.which("iperf3"):
        raise m.Failed("no iperf3; HACKING.md says how to install what tests need")
    with contextlib.ExitStack() as stack:
        net = Bed(bed, stack)
        while True:
            out, into = net.send_all(), net.send_all("-R")
            trip = {way: net.ping(way) for way in (TAP, BARE, VETH)}
            yield [
                (out[TAP][0], out[BARE][0]),
                (into[TAP][0], into[BARE][0]),
                (out[TAP][0], out[VETH][0]),
                (into[TAP][0], into[VETH][0]),
                (trip[TAP], trip[BARE]),
                (trip[TAP], trip[VETH]),
                (out[TAP][1], out[BARE][1]),
                (into[TAP][1], into[BARE][1]),
            ]

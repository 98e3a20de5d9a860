# SPDX-License-Identifier: Apache-2.0
"""guest: a kata-agent to test: in namespaces of this machine, or in a VM."""

import ctypes
import os
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fakes"))
from host_peer import HostPeer  # noqa: E402


def find(name, *more):
    return shutil.which(name) or next((p for p in more if os.access(p, os.X_OK)), None)


# Permanent MACs
CARDS = ["02:4b:00:00:00:%02x" % i for i in (1, 2, 3)]


class Guest:
    """A running agent with its peer, and the shared tree."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="agent-test.")
        self.share = self.dir + "/share"
        os.mkdir(self.share)
        self.procs = []
        self.last = 0

    def spawn(self, name, *argv):
        with open("%s/%s.log" % (self.dir, name), "wb") as log:
            self.procs.append(subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log,
                                               stderr=log, cwd=self.dir))
        return self.procs[-1]

    def log(self):
        return "".join("--- %s\n%s" % (f, open(self.dir + "/" + f, errors="replace").read())
                       for f in sorted(os.listdir(self.dir)) if f.endswith(".log"))

    def rootfs(self):
        """A new container's number, its rootfs made from busybox."""
        self.last += 1
        root = "%s/c%d/rootfs" % (self.share, self.last)
        for d in ("bin", "etc", "tmp", "proc", "sys", "dev", "root"):
            os.makedirs(root + "/" + d)
        os.chmod(root + "/tmp", 0o1777)
        shutil.copy(find("busybox"), root + "/bin/busybox")
        names = subprocess.run([root + "/bin/busybox", "--list"], capture_output=True, text=True,
                               check=True).stdout.split()
        for n in names:
            if n != "busybox":
                os.symlink("busybox", root + "/bin/" + n)
        with open(root + "/etc/passwd", "w") as f:
            f.write("root:x:0:0:root:/root:/bin/sh\nu:x:1000:1000::/tmp:/bin/sh\n")
        return self.last, root

    def cards(self):
        """Make the cards CARDS; a VM has them."""

    def stop(self):
        """End everything; the exit status of what ran the agent."""
        self.peer.close()
        try:
            status = self.main.wait(20)
        except subprocess.TimeoutExpired:
            status = "hung"
        for p in self.procs:
            if p.poll() is None:
                p.kill()
                p.wait()
        return status

    def remove(self):
        shutil.rmtree(self.dir)


def mute(path):
    """Mounts a file system whose server never says a word: who looks for something in it waits until the
    descriptor that is returned is closed. None: no FUSE here."""
    libc = ctypes.CDLL(None, use_errno=True)
    try:
        fd = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return None
    os.mkdir(path)
    options = "fd=%d,rootmode=40000,user_id=0,group_id=0" % fd
    if libc.mount(b"mute", path.encode(), b"fuse", 0, options.encode()) == 0:
        return fd
    os.close(fd)
    return None


class NamespaceGuest(Guest):
    """The agent's test entry. Its cgroup, where there is a cgroup2 tree, is below ours."""

    def __init__(self, agent):
        super().__init__()
        self.peer = HostPeer(self.dir + "/sock")
        args = [agent, "--test-socket", self.dir + "/sock", "--share", self.share]
        self.cgroup = None
        self.has_cards = False
        for tree in ("/sys/fs/cgroup", "/sys/fs/cgroup/unified"):
            if os.path.exists(tree + "/cgroup.procs") and os.path.exists(tree + "/cgroup.subtree_control"):
                self.cgroup = tempfile.mkdtemp(prefix="agent-test.", dir=tree)
                args += ["--cgroup", self.cgroup]
                break
        # in the agent's mount namespace, and not in ours
        self.mute = mute(self.share + "/mute")
        self.main = self.spawn("agent", "unshare", "-m", "-p", "-f", "-n", "--kill-child",
                               "--mount-proc", *args)

    def unmute(self):
        if self.mute is not None:
            os.close(self.mute)
        self.mute = None

    def stop(self):
        self.unmute()
        return super().stop()

    def cards(self):
        if self.has_cards:
            return
        self.has_cards = True
        far = self.spawn("far", "unshare", "-n", "sleep", "infinity")
        here = os.stat("/proc/self/ns/net").st_ino
        end = time.monotonic() + 20
        while os.stat("/proc/%d/ns/net" % far.pid).st_ino == here:
            assert time.monotonic() < end
            time.sleep(0.01)
        self.far = far.pid
        for i, mac in enumerate(CARDS):
            self.card(i, mac)

    def card(self, i, mac):
        """One more card, of a veth whose far end is up in a namespace of its own."""
        self.ip("link", "add", "kt%d" % i, "address", mac, "type", "veth",
                "peer", "name", "far%d" % i, "netns", str(self.far))
        subprocess.run(["nsenter", "-n", "-t", str(self.far), "ip", "link", "set", "far%d" % i, "up"], check=True)

    def unplug(self, i):
        """Take a card out, wherever it is."""
        subprocess.run(["nsenter", "-n", "-t", str(self.far), "ip", "link", "del", "far%d" % i], check=True)

    def ip(self, *args):
        """Of the parking place: unshare has stayed in the namespace that the agent has left."""
        return self.ip_of(self.main.pid, *args)

    def ip_within(self, *args):
        """Of the namespace of the agent and its containers."""
        with open("/proc/%d/task/%d/children" % (self.main.pid, self.main.pid)) as f:
            return self.ip_of(int(f.read()), *args)

    @staticmethod
    def ip_of(pid, *args):
        return subprocess.run(["nsenter", "-n", "-t", str(pid), "ip", *args], check=True,
                              capture_output=True, text=True).stdout

    def remove(self):
        subprocess.run(["umount", "-q", "-l", self.share + "/mute"])
        if self.cgroup:
            for d, _, _ in sorted(os.walk(self.cgroup), reverse=True):
                os.rmdir(d)
        super().remove()


class VmGuest(Guest):
    """A VM: @guest has vmlinux, initramfs.cpio, and vhost-device-vsock."""

    def __init__(self, guest, tsc_khz):
        super().__init__()
        self.peer = HostPeer(self.dir + "/vsock_42")
        vsock = find("vhost-device-vsock", guest + "/vhost-device-vsock")
        self.spawn("vsock", vsock, "--vm", "guest-cid=42,socket=vsock.dev,uds-path=vsock")
        self.spawn("virtiofsd", find("virtiofsd", "/usr/lib/qemu/virtiofsd"),
                   "--socket-path=fs.dev", "-o", "source=" + self.share, "-o", "cache=auto")
        end = time.monotonic() + 20
        while not all(os.path.exists(self.dir + f) for f in ("/vsock.dev", "/fs.dev")):
            assert time.monotonic() < end, self.log()
            time.sleep(0.01)
        self.main = self.spawn(
            "qemu", "qemu-system-x86_64", "-global", "virtio-mmio.force-legacy=false",
            "-M", "microvm,acpi=on,rtc=on,pit=on,pic=on,isa-serial=on,memory-backend=m",
            "-accel", "tcg,thread=multi",     # works everywhere, and alike
            "-cpu", "max", "-m", "256", "-smp", "1,maxcpus=2", "-nodefaults", "-no-user-config",
            "-display", "none", "-no-reboot", "-serial", "file:console.log",
            "-kernel", guest + "/vmlinux", "-initrd", guest + "/initramfs.cpio",
            "-append", "console=ttyS0 quiet panic=-1 tsc_early_khz=%d tsc=reliable no_timer_check "
                       "noreplace-smp nr_cpus=1" % tsc_khz,
            "-object", "memory-backend-memfd,id=m,size=256M,share=on",
            "-chardev", "socket,id=vs,path=vsock.dev", "-device", "vhost-user-vsock-device,chardev=vs",
            "-chardev", "socket,id=fs,path=fs.dev",
            "-device", "vhost-user-fs-device,chardev=fs,tag=kata,queue-size=1024",
            *(a for i, mac in enumerate(CARDS) for a in (
                "-netdev", "user,id=n%d" % i if i == 0 else "hubport,id=n%d,hubid=%d" % (i, i),
                "-device", "virtio-net-device,netdev=n%d,mac=%s" % (i, mac))))

# SPDX-License-Identifier: Apache-2.0
"""rows: what is measured. A scenario does the same thing in two ways, in turn, and gives for each of
its rows pairs (ours, theirs); a row says which way is better and what the limit is, if there is one.
"""
import contextlib
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import measure as m
import network
from measure import Row

STREAM_BYTES = 64 << 20
GAP = 0.05  # between calls: what the kernel defers for the last is not this one's


class Runtime:
    """kata, runc or crun: the same command line."""

    def __init__(self, program, root, *options):
        self.argv = [program, "--root", root, *options]
        self.root = root
        self.name = os.path.basename(program)

    def call(self, *words):
        return [*self.argv, *words]


class Bed:
    """A directory with a bundle, the runtimes, and a container of each that sleeps."""

    def __init__(self, kata, source):
        self.kata_program, self.source = kata, source
        self.dir = tempfile.mkdtemp(prefix="kata-bench.", dir="/tmp")
        self.log = f"{self.dir}/log"
        self.id = "bench-" + self.dir.rpartition(".")[2]
        self.kata = Runtime(kata, f"{self.dir}/kata")
        self.runc = Runtime("runc", f"{self.dir}/runc")
        self.crun = Runtime("crun", f"{self.dir}/crun", "--cgroup-manager=disabled")
        self.bundle = f"{self.dir}/b"
        self.kept = []

    def open(self):
        m.adopt()
        for program in (self.kata_program, "runc", "conmon", "busybox", "cpio", "strip"):
            if not shutil.which(program):
                raise m.Failed(f"no {program}; HACKING.md says how to install what tests need")
        rootfs = f"{self.bundle}/rootfs"
        for name in ("bin", "dev", "etc", "proc", "sys", "tmp"):
            os.makedirs(f"{rootfs}/{name}")
        shutil.copy("/bin/busybox", f"{rootfs}/bin/busybox")
        for applet in ("true", "sleep", "dd", "cat", "sh"):
            os.symlink("busybox", f"{rootfs}/bin/{applet}")
        self.write_config(self.bundle, ["sleep", "100000"])

    def write_config(self, bundle, args):
        with open(f"{self.source}/tests/e2e/config.json", encoding="utf-8") as f:
            config = json.load(f)
        config["process"]["args"] = args
        with open(f"{bundle}/config.json", "w", encoding="utf-8") as f:
            json.dump(config, f)

    def keep(self, runtime):
        """The id of a container that runs until the end; made when first asked for."""
        name = f"{self.id}-kept-{runtime.name}"
        if (runtime, name) not in self.kept:
            m.run(runtime.call("run", "-d", "--bundle", self.bundle, name), self.log)
            self.kept.append((runtime, name))
        return name

    def record(self, name):
        with open(f"{self.kata.root}/{name}/record.json", encoding="utf-8") as f:
            return json.load(f)

    def setting(self, section, key):
        text = subprocess.check_output([self.kata_program, "config", "--json"])
        return json.loads(text)[section][key]["value"]

    def close(self):
        for runtime, name in self.kept:
            m.run(runtime.call("delete", "--force", name), self.log)
        shutil.rmtree(self.dir)


# --- exec ----------------------------------------------------------------------------------------

EXEC = [
    Row("exec true: cpu", "kata-runtime, kata-shim", "runc", "ms", limit=1),
    Row("exec true: cpu, all", "and sandbox, virtiofsd, vsock", "runc", "ms"),
    Row("exec true: wall", "kata", "runc", "ms"),
]


def helpers(bed, name):
    """What serves the VM, without the VMM."""
    sandbox = bed.record(name)["sandbox"]["pid"]
    pids = [sandbox, *m.children(sandbox)]
    return [p for p in pids if not m.command(p)[0].rpartition("/")[2].startswith("qemu-system")]


def scenario_exec(bed):
    ours, theirs = bed.keep(bed.kata), bed.keep(bed.runc)
    served_by = helpers(bed, ours)
    while True:
        time.sleep(GAP)
        runc = m.run(bed.runc.call("exec", theirs, "true"), bed.log)
        time.sleep(GAP)
        before = m.threads_cpu(served_by)
        kata = m.run(bed.kata.call("exec", ours, "true"), bed.log)
        time.sleep(GAP)  # it closes what the exec had
        more = m.threads_cpu(served_by) - before
        yield [(kata.cpu, runc.cpu), (kata.cpu + more, runc.cpu), (kata.wall, runc.wall)]


# --- create, start, kill, delete -----------------------------------------------------------------

LIFE = [
    Row("create+start+delete: cpu", "kata without VMM, devices", "runc", "ms", limit=0.5),
    Row("create+start+delete: cpu", "kata without VMM, devices", "crun", "ms"),
    Row("kill -9 to gone: wall", "kata", "runc", "ms"),
]


def life(bed, runtime, group, config=()):
    """One container's life: (processor time, time from kill to the end of its process)."""
    name, pid_file = f"{bed.id}-{runtime.name}", f"{bed.dir}/pid"
    before = group.rest()

    def do(*words):
        m.run([*runtime.argv, *config, *words], bed.log, join=group)

    do("create", "--bundle", bed.bundle, "--pid-file", pid_file, name)
    do("start", name)
    with open(pid_file, encoding="ascii") as f:
        pidfd = os.pidfd_open(int(f.read()))
    began = m.now()
    do("kill", name, "KILL")
    m.wait_gone(pidfd)
    stopped = m.now() - began
    os.close(pidfd)
    m.reap()
    do("delete", "--force", name)
    m.eventually("the end of all processes", group.empty)
    return group.rest() - before, stopped


def counted_config(bed, group):
    """Settings under which the VMM and its devices are counted apart."""
    virtiofsd = bed.setting("share", "virtiofsd")
    path = f"{bed.dir}/kata.conf"
    qemu = bed.setting("hypervisor", "path")
    if qemu in (None, "", "auto"):
        qemu = shutil.which("qemu-system-" + os.uname().machine)
    device = bed.setting("hypervisor", "vsock_device")
    flavour = "c" if virtiofsd.endswith("/qemu/virtiofsd") else "rust"
    with open(path, "w", encoding="utf-8") as f:
        f.write(
            f"[hypervisor]\npath = {m.elsewhere(group, 'vmm', qemu, bed.dir)}\n"
            f"vsock_device = {m.elsewhere(group, 'devices', device, bed.dir)}\n"
            f"[share]\nvirtiofsd = {m.elsewhere(group, 'devices', virtiofsd, bed.dir)}\n"
            f"flavour = {flavour}\n"
        )
    return ("--config", path)


def crun_works(bed, group):
    if not shutil.which("crun"):
        return False
    try:
        life(bed, bed.crun, group)
    except m.Failed:
        # it refuses some cgroup layouts
        subprocess.run(bed.crun.call("delete", "--force", f"{bed.id}-crun"), check=False,
                       capture_output=True)
        return False
    return True


def scenario_life(bed):
    group = m.Group(bed.id, ["vmm", "devices"])
    try:
        config = counted_config(bed, group)
        with_crun = crun_works(bed, group)
        while True:
            runc_cpu, runc_stop = life(bed, bed.runc, group)
            cpu, stop = life(bed, bed.kata, group, config)
            crun = (cpu, life(bed, bed.crun, group)[0]) if with_crun else None
            yield [(cpu, runc_cpu), crun, (stop, runc_stop)]
    finally:
        group.remove()


# --- boot ----------------------------------------------------------------------------------------

BOOT = [Row("run true: wall", "kata", "bare QEMU to agent-up", "ms", limit=1.2)]
CID = 3


def bare_argv(argv, vsock):
    """The command line of a VM of ours with nothing but the vsock device."""
    dropped = ("id=qmp", "chardev=qmp", "id=share", "chardev=share", "netdev")
    kept = [argv[0]]
    words = iter(argv[1:])
    pairs = []
    for word in words:
        if not word.startswith("-"):
            pairs[-1].append(word)
        else:
            pairs.append([word])
    for pair in pairs:
        if pair[0] == "-netdev" or any(d in w for w in pair[1:] for d in dropped):
            continue
        if pair[0] == "-chardev" and "id=vsock" in pair[1]:
            pair[1] = f"socket,id=vsock,path={vsock}"
        kept += pair
    return kept


def listens(path):
    with open("/proc/net/unix", encoding="utf-8", errors="replace") as f:
        for line in f:
            words = line.split()
            if words[-1] == path and words[3] == "00010000":
                return True
    return False


def end(child):
    child.send_signal(signal.SIGKILL)
    child.wait()


def bare_boot(bed, argv, device):
    """Time from the VMM's start to the agent's connection."""
    base = tempfile.mkdtemp(dir=bed.dir)
    vsock, uds = f"{base}/device", f"{base}/vsock"
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket(socket.AF_UNIX))
        listener.bind(f"{uds}_{CID}")
        listener.listen()
        helper = m.spawn([device, "--vm", f"guest-cid={CID},socket={vsock},uds-path={uds}"],
                         out=bed.log)
        stack.callback(end, helper)
        m.eventually("vhost-device-vsock", lambda: listens(vsock))
        began = m.now()
        stack.callback(end, m.spawn(bare_argv(argv, vsock), out=bed.log))
        if not select.select([listener], [], [], m.TIMEOUT)[0]:
            raise m.Failed("the bare VM's agent does not call")
        return m.now() - began


def scenario_boot(bed):
    sandbox = bed.record(bed.keep(bed.kata))["sandbox"]["pid"]
    argv = next(c for c in map(m.command, m.children(sandbox)) if "qemu-system" in c[0])
    device = bed.setting("hypervisor", "vsock_device")
    bundle = f"{bed.dir}/true"
    os.mkdir(bundle)
    os.symlink(f"{bed.bundle}/rootfs", f"{bundle}/rootfs")
    bed.write_config(bundle, ["true"])
    while True:
        bare = bare_boot(bed, argv, device)
        kata = m.run(bed.kata.call("run", "--bundle", bundle, f"{bed.id}-true"), bed.log)
        m.reap()
        yield [(kata.wall, bare)]


# --- streams -------------------------------------------------------------------------------------

STDIO = [
    Row("stdout", "kata", "runc", "MB/s", limit=0.5, more=True),
    Row("stdin", "kata", "runc", "MB/s", limit=0.5, more=True),
]


def read_all(argv):
    """Rate from the first byte to the last."""
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as child:
        total = len(os.read(child.stdout.fileno(), 1 << 16))
        began = m.now()
        while got := len(os.read(child.stdout.fileno(), 1 << 16)):
            total += got
        took = m.now() - began
    if child.returncode != 0 or total != STREAM_BYTES:
        raise m.Failed(f"{' '.join(argv)}: status {child.returncode}, {total} bytes")
    return total / 1e3 / took


def write_all(argv):
    """Rate from the first byte to the end of the reader, which has then had all."""
    block = bytes(1 << 16)
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        child.stdout.read(1)  # it stands
        began = m.now()
        for _ in range(STREAM_BYTES // len(block)):
            child.stdin.write(block)
        child.stdin.close()
        child.stdout.read()
        took = m.now() - began
    if child.returncode != 0:
        raise m.Failed(f"{' '.join(argv)}: status {child.returncode}")
    return STREAM_BYTES / 1e3 / took


def scenario_stdio(bed):
    out = ["dd", "if=/dev/zero", "bs=64k", f"count={STREAM_BYTES >> 16}", "status=none"]
    into = ["sh", "-c", "echo; exec dd of=/dev/null bs=64k 2>/dev/null"]
    argv = [r.call("exec", bed.keep(r)) for r in (bed.kata, bed.runc)]
    while True:
        yield [
            (read_all(argv[0] + out), read_all(argv[1] + out)),
            (write_all(argv[0] + into), write_all(argv[1] + into)),
        ]


# --- memory and sizes ----------------------------------------------------------------------------

MEMORY = [Row("resident helpers: PSS", "kata-sandbox, kata-shim", "conmon", "kB", limit=1)]


@contextlib.contextmanager
def conmon(bed):
    """A container of runc's below conmon; gives conmon's pid."""
    name, pid_file = f"{bed.id}-conmon", f"{bed.dir}/conmon.pid"
    made = f"{bed.dir}/conmon-made.pid"
    m.run(["conmon", "--cid", name, "--cuuid", name, "--name", name,
           "--runtime", shutil.which("runc"), "--runtime-arg", "--root",
           "--runtime-arg", bed.runc.root, "--bundle", bed.bundle,
           "--container-pidfile", made, "--conmon-pidfile", pid_file,
           "--exit-dir", bed.dir, "--persist-dir", bed.dir, "--socket-dir-path", bed.dir,
           "--log-path", f"k8s-file:{bed.dir}/conmon.log"], bed.log)
    # it goes on alone; the last that runc's create does is to write this
    m.eventually("conmon's container", lambda: os.path.exists(made))
    try:
        with open(pid_file, encoding="ascii") as f:
            yield int(f.read())
    finally:
        m.run(bed.runc.call("delete", "--force", name), bed.log)
        os.unlink(made)
        m.reap()


def scenario_memory(bed):
    ours = bed.record(bed.keep(bed.kata))
    while True:
        with conmon(bed) as pid:
            pair = m.pss([ours["sandbox"]["pid"], ours["shim"]["pid"]]), m.pss([pid])
        yield [pair]


SIZES = [
    Row("installed: host programs", "stripped", "1 MiB", "kB", limit=1),
    Row("installed: agent", "stripped", "1.5 MiB", "kB", limit=1),
    Row("installed: initramfs", "without modules", "1 MiB", "kB", limit=1),
    Row("installed: kernel, compressed", "gzip -9", "6 MiB", "kB", limit=1),
]


def stripped(bed, paths):
    total = 0
    for path in paths:
        subprocess.run(["strip", "-o", f"{bed.dir}/stripped", path], check=True)
        total += os.path.getsize(f"{bed.dir}/stripped")
    return total / 1024


def without_modules(path):
    listing = subprocess.run(["cpio", "-itv", "--quiet"], stdin=open(path, "rb"), check=True,
                             capture_output=True, text=True).stdout
    total = 0
    for words in (line.split() for line in listing.splitlines() if not line.endswith(".ko")):
        # a device has its numbers where others have their size
        total += 110 + len(words[-1]) + (int(words[4]) if words[4].isdigit() else 0)
    return total / 1024


def scenario_sizes(bed):
    prefix = bed.kata_program.rpartition("/bin/")[0]
    libexec = f"{prefix}/libexec/kata"
    library = os.path.realpath(f"{prefix}/lib/libkata.so.0")
    host = [bed.kata_program, library, f"{libexec}/kata-sandbox", f"{libexec}/kata-shim"]
    kernel = subprocess.run(["gzip", "-9c", bed.setting("guest", "kernel")], check=True,
                            capture_output=True).stdout
    values = [
        (stripped(bed, host), 1024),
        (stripped(bed, [f"{libexec}/kata-agent"]), 1536),
        (without_modules(bed.setting("guest", "initrd")), 1024),
        (len(kernel) / 1024, 6144),
    ]
    while True:
        yield values


# name: rows, generator of samples, and whether one sample says it all
SCENARIOS = {
    "exec": (EXEC, scenario_exec, False),
    "life": (LIFE, scenario_life, False),
    "boot": (BOOT, scenario_boot, False),
    "stdio": (STDIO, scenario_stdio, False),
    "network": (network.ROWS, network.scenario, False),
    "memory": (MEMORY, scenario_memory, False),
    "sizes": (SIZES, scenario_sizes, True),
}

# SPDX-License-Identifier: Apache-2.0
"""measure: time, processor time and memory of processes, and what a row of numbers says.

Knows nothing of containers. Milliseconds throughout; memory in kB.

Processor time is taken from three places. A child that ends: its rusage, with what it waited for.
A process that lives on: the scheduler's own count of its threads, in nanoseconds. A tree that
comes and goes: a cgroup, from which what is not to count moves away (Group).
"""
import ctypes
import glob
import os
import select
import signal
import statistics
import subprocess
import time

PR_SET_CHILD_SUBREAPER = 36
TIMEOUT = 120


class Failed(Exception):
    """A command did not do what a measurement needs; its text says which and why."""


def adopt():
    """What our children leave running becomes ours: its end can be waited for."""
    if ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise Failed("prctl: cannot become a subreaper")


def reap():
    """Collect what has ended, whoever started it."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def now():
    return time.monotonic() * 1000


class Usage:
    """What one command took: wall, cpu (its own and of what it waited for)."""

    def __init__(self, wall, cpu):
        self.wall, self.cpu = wall, cpu


def spawn(argv, out="/dev/null", in_="/dev/null", join=None):
    """Start it; its standard error goes to the file OUT too unless that is no file."""

    def enter():
        if join:
            join.enter()

    with open(in_, "rb") as i, open(out, "ab") as o:
        return subprocess.Popen(argv, stdin=i, stdout=o, stderr=o, preexec_fn=enter)


def run(argv, log, join=None):
    """Run to the end, which has to be a good one."""
    began = now()
    child = spawn(argv, out=log, join=join)
    fd = os.pidfd_open(child.pid)
    try:
        if not select.select([fd], [], [], TIMEOUT)[0]:
            os.kill(child.pid, signal.SIGKILL)
            raise Failed(f"{' '.join(argv)}: not within {TIMEOUT} s")
        wall = now() - began
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = status
    finally:
        os.close(fd)
    if status != 0:
        with open(log, encoding="utf-8", errors="replace") as f:
            raise Failed(f"{' '.join(argv)}: {f.read()[-500:].strip()}")
    return Usage(wall, (usage.ru_utime + usage.ru_stime) * 1000)


def wait_gone(pidfd):
    if not select.select([pidfd], [], [], TIMEOUT)[0]:
        raise Failed(f"a process is still there after {TIMEOUT} s")


def eventually(what, condition):
    """For what sends no event; not in the midst of what is timed."""
    end = time.monotonic() + TIMEOUT
    while not condition():
        if time.monotonic() > end:
            raise Failed(f"{what}: not within {TIMEOUT} s")
        reap()
        time.sleep(0.01)


def children(pid):
    found = []
    for path in glob.glob(f"/proc/{pid}/task/*/children"):
        with open(path, encoding="ascii") as f:
            for child in f.read().split():
                found += [int(child)] + children(int(child))
    return found


def command(pid):
    with open(f"/proc/{pid}/cmdline", "rb") as f:
        return [os.fsdecode(a) for a in f.read().split(b"\0")[:-1]]


def threads_cpu(pids):
    total = 0
    for pid in pids:
        for path in glob.glob(f"/proc/{pid}/task/*/schedstat"):
            with open(path, encoding="ascii") as f:
                total += int(f.read().split()[0])
    return total / 1e6


def pss(pids):
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
            total += sum(int(line.split()[1]) for line in f if line.startswith("Pss:"))
    return total


class Group:
    """A cgroup, v1 or v2, that counts; parts of it are counted apart."""

    def __init__(self, name, parts):
        base = "/sys/fs/cgroup/cpuacct"
        self.path = os.path.join(base if os.path.isdir(base) else "/sys/fs/cgroup", name)
        self.parts = parts
        for part in ["", *parts]:
            os.mkdir(os.path.join(self.path, part))

    def enter(self):
        with open(f"{self.path}/cgroup.procs", "w", encoding="ascii") as f:
            f.write("0")

    def cpu(self, part=""):
        path = os.path.join(self.path, part)
        try:
            with open(f"{path}/cpuacct.usage", encoding="ascii") as f:
                return int(f.read()) / 1e6
        except FileNotFoundError:
            with open(f"{path}/cpu.stat", encoding="ascii") as f:
                return int(dict(line.split() for line in f)["usage_usec"]) / 1e3

    def rest(self):
        """Without the parts: both versions count what is below as well."""
        return self.cpu() - sum(self.cpu(part) for part in self.parts)

    def empty(self):
        with open(f"{self.path}/cgroup.procs", encoding="ascii") as f:
            return not f.read()

    def remove(self):
        for part in [*self.parts, ""]:
            try:
                os.rmdir(os.path.join(self.path, part))
            except OSError as e:
                raise Failed(f"{self.path}/{part}: {e.strerror}") from e


def elsewhere(group, part, program, directory):
    """A program that moves itself into PART before it is PROGRAM; returns its path."""
    path = f"{directory}/{part}-{os.path.basename(program)}"
    with open(path, "w", encoding="utf-8") as f:
        f.write(f'#!/bin/sh\necho 0 >{group.path}/{part}/cgroup.procs\nexec {program} "$@"\n')
    os.chmod(path, 0o755)
    return path


# --- what a row of numbers says ------------------------------------------------------------------


class Row:
    def __init__(self, name, ours, theirs, unit, limit=None, more=False):
        self.name, self.ours, self.theirs, self.unit = name, ours, theirs, unit
        self.limit, self.more = limit, more


def quantile(values, q):
    values = sorted(values)
    return values[min(len(values) - 1, int(q * len(values)))]


def summary(values):
    return {
        "median": statistics.median(values),
        "p90": quantile(values, 0.9),
        "min": min(values),
        # relative error of the median, from the run's own spread (of a normal distribution)
        "error": 0.93 * (quantile(values, 0.75) - quantile(values, 0.25))
        / statistics.median(values) / len(values) ** 0.5,
        "n": len(values),
    }

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""same: two outputs of same.probe, line by line.

usage: same.py LISTED CONFIG RUNC KATA
LISTED holds the differences that a VM makes, a line each, fields apart by tabs:
  CONFIGS  of same.bats, with commas; * is all. A ? in front: whether it differs is up to this
           machine's kernel and caller, so it may be missing
  KEY      regular expression for the whole of what stands before ": "
  VALUE    regular expression for the whole of what the VM's container says; - is: no such line
  REASON
A difference that is not listed is a failure, and so is a listed one that is not there.
"""
import re
import sys


def read(path):
    lines = {}
    with open(path) as f:
        for line in f:
            key, sep, value = line.rstrip("\r\n").partition(": ")
            if not sep and line.strip().endswith(":"):
                key, sep, value = line.strip()[:-1], ":", ""
            if not sep:
                sys.exit(f"{path}: what is this? {line!r}")
            if key in lines:
                sys.exit(f"{path}: {key!r} is there twice")
            lines[key] = value
    if len(lines) < 60:
        sys.exit(f"{path}: only {len(lines)} lines")
    return lines


def read_listed(path, config):
    listed = []
    with open(path) as f:
        for number, line in enumerate(f, 1):
            if not line.strip() or line.startswith("#"):
                continue
            fields = re.split(r"\t+", line.strip())
            if len(fields) != 4:
                sys.exit(f"{path}:{number}: {len(fields)} fields, not CONFIGS KEY VALUE REASON")
            configs = fields[0].lstrip("?")
            if configs == "*" or config in configs.split(","):
                listed.append((number, fields[1], fields[2], fields[0].startswith("?")))
    return listed


def main():
    path, config = sys.argv[1:3]
    runc, kata = read(sys.argv[3]), read(sys.argv[4])
    listed = read_listed(path, config)
    used, bad = set(), 0
    for key in list(runc) + [k for k in kata if k not in runc]:
        if runc.get(key) == kata.get(key):
            continue
        rows = [n for n, k, v, _ in listed if re.fullmatch(k, key) and
                (v == "-" if key not in kata else v != "-" and re.fullmatch(v, kata[key]))]
        used.update(rows)
        if not rows:
            bad += 1
            print(f"{config}: {key}\n  runc: {runc.get(key, '(no such line)')}\n"
                  f"  kata: {kata.get(key, '(no such line)')}")
    for number, key, _, may in listed:
        if number not in used and not may:
            bad += 1
            print(f"{path}:{number}: {config}: {key} does not differ so")
    sys.exit(1 if bad else 0)


main()

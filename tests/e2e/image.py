#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""image: a directory as a container image of one layer, as `docker save` writes them.

usage: image.py DIR NAME >TAR
NAME is with its tag. The program is sh, PATH the usual one.
"""
import hashlib
import io
import json
import os
import sys
import tarfile

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}


def layer_of(directory):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        tar.add(directory, arcname=".")
    return out.getvalue()


def config_of(layer):
    return json.dumps({
        "architecture": MACHINES[os.uname().machine],
        "os": "linux",
        "config": {"Env": ["PATH=" + PATH], "Cmd": ["sh"]},
        "rootfs": {
            "type": "layers",
            "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest()],
        },
    }).encode()


def main():
    directory, name = sys.argv[1:]
    layer = layer_of(directory)
    config = config_of(layer)
    manifest = json.dumps(
        [{"Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"]}]).encode()
    parts = {"config.json": config, "layer.tar": layer, "manifest.json": manifest}
    with tarfile.open(fileobj=sys.stdout.buffer, mode="w|") as tar:
        for part, content in parts.items():
            info = tarfile.TarInfo(part)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))


main()

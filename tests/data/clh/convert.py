#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""convert: openapi.json out of Cloud Hypervisor's own definition. Not run by tests: needs PyYAML.

usage: convert.py cloud-hypervisor.yaml >openapi.json

The source is vmm/src/api/openapi/cloud-hypervisor.yaml of the project (Apache-2.0), at commit
ae44c2971c83. What only explains is left out, each object with properties refuses others, and of a path
the body's schema and the possible answers stay.
"""
import json
import sys

import yaml

EXPLAINS = ("description", "default", "deprecated", "title", "example")


def clean(node, is_properties=False):
    if isinstance(node, list):
        return [clean(x) for x in node]
    if not isinstance(node, dict):
        return node
    out = {
        k: clean(v, k == "properties" and not is_properties)
        for k, v in node.items()
        if is_properties or k not in EXPLAINS
    }
    if not is_properties and out.get("type") == "object" and "properties" in out:
        out.setdefault("additionalProperties", False)
    return out


def operation(op):
    out = {"answers": [int(x) for x in op["responses"]]}
    if "requestBody" in op:
        out["body"] = op["requestBody"]["content"]["application/json"]["schema"]
    return out


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        doc = yaml.safe_load(f)
    paths = {
        path: {method: operation(op) for method, op in methods.items()}
        for path, methods in doc["paths"].items()
    }
    schemas = clean(doc["components"]["schemas"], True)
    json.dump({"paths": paths, "components": {"schemas": schemas}}, sys.stdout, indent=1)
    print()


main()

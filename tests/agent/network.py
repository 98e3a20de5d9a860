# SPDX-License-Identifier: Apache-2.0
"""network: tests of agent's MSG_NETWORK; what the guest then has is asked of busybox's ip in a container."""

import copy
import json
import struct
import time

from guest import CARDS
from host_peer import FAILED, NETWORK, OK, Refused, spec

TESTS = []
MAC = ["02:42:ac:11:00:02", "02:42:ac:12:00:03", "02:42:ac:13:00:04"]


def test(fn):
    TESTS.append(fn)
    return fn


def interface(i, name, *addresses, **more):
    out = []
    for a in addresses:
        address, prefix = a.split("/")
        out.append({"address": address, "prefix": int(prefix), "scope": 0})
    return dict({"card": CARDS[i], "name": name, "mac": MAC[i], "mtu": 1500, "noarp": False,
                 "addresses": out}, **more)


def route(destination, dev=None, via=None, **more):
    r = {"destination": destination, "metric": 0, "scope": 0, "table": 254, "type": 1, "protocol": 3,
         "onlink": False}
    if dev:
        r["interface"] = dev
    if via:
        r["gateway"] = via
    return dict(r, **more)


def shell(g, script, **kw):
    """Output of a script in a container of its own."""
    n, _ = g.rootfs()
    s = spec("sh", "-c", script)
    # busybox's ip wants them; a container that is to change things gets the capability
    s["process"]["capabilities"] = {k: ["CAP_NET_ADMIN", "CAP_NET_RAW"] for k in ("bounding", "effective", "permitted")}
    for k, v in kw.items():
        s[k] = copy.deepcopy(v)
    p = g.peer.create(n, "c%d/rootfs" % n, s)
    p.start()
    p.wait_exit()
    p.delete()
    assert p.status == 0 and not p.output["stderr"], (script, p.status, p.output)
    return p.output["stdout"].decode()


def links(g):
    """name -> [mac, mtu, is up, [addresses]]; waits for link-local addresses, which the kernel makes later."""
    end = time.monotonic() + 20
    while True:
        try:
            found = links_now(g)
        except Tentative:
            settled(g)
            continue
        if time.monotonic() > end or all(any(a.startswith("fe80") for a in v[3]) for n, v in found.items()
                                         if v[2] and n != "lo"):
            return found


class Tentative(AssertionError):
    pass


def settled(g):
    """The kernel adds an address as tentative and says at once that nobody is asked whether it is
    taken: a detection would go on for a second or more."""
    end = time.monotonic() + 0.5
    while time.monotonic() < end:
        try:
            return links_now(g)
        except Tentative:
            pass
    return links_now(g)


def links_now(g):
    found = {}
    for line in shell(g, "ip addr").splitlines():
        words = line.split()
        if line[0] != " ":
            name = words[1].rstrip(":").split("@")[0]
            found[name] = [None, int(words[words.index("mtu") + 1]), "UP" in words[2].strip("<>").split(","), []]
        elif words[0].startswith("link/"):
            found[name][0] = words[1] if len(words) > 1 else None
        elif words[0].startswith("inet"):
            if "tentative" in words:
                raise Tentative(line)
            assert "dadfailed" not in words, line
            found[name][3].append(words[1])
    return found


def refused(fn, text):
    try:
        fn()
    except Refused as e:
        assert (e.code, e.text[:len(text)]) == (FAILED, text), (e.code, e.text, "wanted", text)
        return
    raise AssertionError("was not refused")


def link_local(mac):
    b = [int(x, 16) for x in mac.split(":")]
    return "fe80::%x:%xff:fe%02x:%x/64" % ((b[0] ^ 2) << 8 | b[1], b[2], b[3], b[4] << 8 | b[5])


@test
def a_guest_that_was_told_nothing_has_lo(g):
    g.cards()
    assert links_now(g) == {"lo": ["00:00:00:00:00:00", 65536, True, ["127.0.0.1/8", "::1/128"]]}, links_now(g)
    assert shell(g, "ls /sys/class/net; cd /proc/sys/net/ipv4/conf && ls").split() == ["lo", "all", "default", "lo"]


@test
def network_of_one_card(g):
    g.cards()
    eth0 = interface(0, "eth0", "10.0.2.15/24", "fd00::15/64", mtu=1400)
    eth0["addresses"][0]["broadcast"] = "10.0.2.255"
    more = {"routes": [route("10.0.2.0/24", "eth0", scope=253, protocol=2, source="10.0.2.15"),
                       route("0.0.0.0/0", "eth0", "10.0.2.2"), route("::/0", "eth0", "fd00::1"),
                       route("10.9.0.0/16", "eth0", "10.0.2.3", metric=7, mtu=1300),
                       route("10.8.0.0/16", type=7), route("192.0.2.0/24", "eth0", "198.51.100.1", onlink=True, table=100)],
            "rules": [{"priority": 100, "family": 4, "source": "10.0.2.15/32", "table": 100},
                      {"priority": 101, "family": 6, "table": 100, "mark": 5}],
            "neighbours": [{"interface": "eth0", "address": "10.0.2.9", "mac": "02:00:00:00:00:09", "state": 128}]}
    for _ in range(3):      # the second and third do nothing
        g.peer.network([eth0], **more)
        have = links(g)
        assert have["eth0"][:3] == [MAC[0], 1400, True], have
        assert sorted(have["eth0"][3]) == sorted(["10.0.2.15/24", "fd00::15/64", link_local(MAC[0])]), have
        assert sorted(have) == ["eth0", "lo"] and have["lo"][2], have
        assert shell(g, "ls /sys/class/net").split() == ["eth0", "lo"]
        v4 = shell(g, "ip route").splitlines()
        assert [" ".join(r.split()) for r in v4] == [
            "default via 10.0.2.2 dev eth0", "10.0.2.0/24 dev eth0 scope link src 10.0.2.15", "unreachable 10.8.0.0/16",
            "10.9.0.0/16 via 10.0.2.3 dev eth0 metric 7"], v4
        assert "192.0.2.0/24 via 198.51.100.1 dev eth0" in shell(g, "ip route show table 100")
        assert "default via fd00::1 dev eth0" in shell(g, "ip -6 route")
        assert "100:\tfrom 10.0.2.15 lookup 100" in shell(g, "ip rule"), shell(g, "ip rule")
        assert "101:\tfrom all fwmark 0x5 lookup 100" in shell(g, "ip -6 rule"), shell(g, "ip -6 rule")
        assert "10.0.2.9 dev eth0 lladdr 02:00:00:00:00:09" in shell(g, "ip neigh"), shell(g, "ip neigh")
    if g.is_vm:
        shell(g, "ping -c 1 -W 10 10.0.2.2")
    # what is not named goes
    g.peer.network([interface(0, "eth0", "10.0.2.16/24")])
    assert [a for a in links(g)["eth0"][3] if not a.startswith("fe80")] == ["10.0.2.16/24"]
    assert shell(g, "ip route").split() == ["10.0.2.0/24", "dev", "eth0", "scope", "link", "src", "10.0.2.16"]
    assert "lookup 100" not in shell(g, "ip rule; ip -6 rule") and "10.0.2.9" not in shell(g, "ip neigh")
    assert links(g)["eth0"][1] == 1500


@test
def names_are_swapped(g):
    g.cards()
    a, b = interface(0, "eth0", "10.1.0.2/16"), interface(1, "eth1", "10.2.0.2/16", "fd02::2/64")
    routes = [route("0.0.0.0/0", "eth0", "10.1.0.1"), route("fd99::/64", "eth1", "fd02::1")]
    g.peer.network([a, b], routes=routes)
    assert "default via 10.1.0.1 dev eth0" in shell(g, "ip route")
    a["name"], b["name"] = "eth1", "eth0"
    routes[0]["interface"], routes[1]["interface"] = "eth1", "eth0"
    g.peer.network([a, b], routes=routes)
    have = links(g)
    assert have["eth1"] == [MAC[0], 1500, True, ["10.1.0.2/16", link_local(MAC[0])]], have
    assert have["eth0"] == [MAC[1], 1500, True, ["10.2.0.2/16", "fd02::2/64", link_local(MAC[1])]], have
    assert "default via 10.1.0.1 dev eth1" in shell(g, "ip route")
    assert "fd99::/64 via fd02::1 dev eth0" in shell(g, "ip -6 route")
    # ... and in a ring of three, and with the MACs of each other
    c = interface(2, "eth1", "10.3.0.2/16")
    a["name"], a["mac"], b["name"], b["mac"] = "eth0", MAC[1], "eth2", MAC[0]
    g.peer.network([a, b, c])
    have = links(g)
    assert {n: v[0] for n, v in have.items() if n != "lo"} == {"eth0": MAC[1], "eth1": MAC[2], "eth2": MAC[0]}, have
    assert have["eth1"][3][0] == "10.3.0.2/16"


@test
def cards_come_and_go(g):
    g.cards()
    g.peer.network([interface(0, "eth0", "10.1.0.2/16"), interface(1, "net1", "10.2.0.2/16")],
                   routes=[route("10.5.0.0/16", "net1", "10.2.0.1")])
    shell(g, "ip addr add 10.77.0.1/24 dev net1; ip addr add 10.78.0.1/24 dev eth0; ip route add 10.79.0.0/24 via 10.1.0.9")
    g.peer.network([interface(0, "eth0", "10.1.0.2/16")])
    have = links(g)
    assert sorted(have) == ["eth0", "lo"] and "10.5" not in shell(g, "ip route"), have
    assert shell(g, "ls /sys/class/net /proc/sys/net/ipv6/conf").split().count("net1") == 0
    # what the container has added to a card it still has is its own
    assert "10.78.0.1/24" in have["eth0"][3] and "10.79.0.0/24 via 10.1.0.9" in shell(g, "ip route")
    shell(g, "ip addr del 10.78.0.1/24 dev eth0; ip route del 10.79.0.0/24")
    # what it has taken away the host wants back
    shell(g, "ip link set eth0 down; ip addr flush dev eth0")
    g.peer.network([interface(0, "eth0", "10.1.0.2/16")])
    assert links(g)["eth0"][2:] == [True, ["10.1.0.2/16", link_local(MAC[0])]], links(g)
    g.peer.network()
    assert sorted(links(g)) == ["lo"], links(g)
    if not g.is_vm:     # as they came
        parked = json.loads(g.ip("-json", "addr"))
        assert sorted(v["address"] for v in parked if v["link_type"] == "ether") == CARDS, parked
        assert not any("UP" in v["flags"] or v["addr_info"] for v in parked), parked
    # what has come back has none of what was left on it
    g.peer.network([interface(1, "net1", "10.2.0.2/16")])
    assert links(g)["net1"] == [MAC[1], 1500, True, ["10.2.0.2/16", link_local(MAC[1])]], links(g)


@test
def a_container_has_the_cards_name_and_index(g):
    if g.is_vm:     # its parking place cannot be looked into
        return
    g.cards()
    g.peer.network()
    # no Ethernet: the test entry takes all of that for cards
    tuns = ["tun%d" % i for i in range(9)]
    for name in tuns:
        g.ip_within("tuntap", "add", "mode", "tun", "name", name)
    taken = {v["ifindex"]: v["ifname"] for v in json.loads(g.ip_within("-json", "link"))}
    card, *_ = [v for v in json.loads(g.ip("-json", "link")) if v.get("address") in CARDS and v["ifindex"] in taken]
    i = CARDS.index(card["address"])
    tuns.remove(taken[card["ifindex"]])
    g.ip_within("link", "set", taken[card["ifindex"]], "name", card["ifname"])
    g.peer.network([interface(i, "eth0", "10.1.0.2/16")])
    within = {v["ifname"]: v["ifindex"] for v in json.loads(g.ip_within("-json", "link"))}
    assert within[card["ifname"]] == card["ifindex"] != within["eth0"], within
    assert links(g)["eth0"] == [MAC[i], 1500, True, ["10.1.0.2/16", link_local(MAC[i])]], links(g)
    g.peer.network()
    for name in tuns + [card["ifname"]]:
        g.ip_within("link", "del", name)
    assert sorted(links(g)) == ["lo"], links(g)
    assert sorted(v["address"] for v in json.loads(g.ip("-json", "link")) if v["link_type"] == "ether") == CARDS


@test
def mistakes_of_the_host_are_named(g):
    g.cards()
    eth0 = interface(0, "eth0", "10.1.0.2/16")
    refused(lambda: g.peer.network([dict(eth0, card="02:4b:00:00:00:99")]),
            "interface eth0: the VM has no card 02:4b:00:00:00:99")
    refused(lambda: g.peer.network([eth0], routes=[route("0.0.0.0/0", "eth0", "10.9.0.1")]),
            "route default via 10.9.0.1 dev eth0: network is unreachable")
    refused(lambda: g.peer.network([dict(eth0, mtu=60)]), "interface eth0: MTU 60: ")
    # what failed leaves nothing that the next one would stumble over
    g.peer.network([eth0], routes=[route("0.0.0.0/0", "eth0", "10.1.0.1")])
    assert "default via 10.1.0.1 dev eth0" in shell(g, "ip route")


@test
def a_card_is_waited_for(g):
    g.cards()
    late = dict(interface(0, "late0", "10.6.0.2/16"), card="02:4b:00:00:00:77", mac="02:42:00:00:00:77")
    first = g.peer.send(NETWORK, {"interfaces": [late]})
    second = g.peer.send(NETWORK, {"interfaces": [late, interface(0, "eth0", "10.1.0.2/16")]})
    # others are not kept waiting
    assert shell(g, "echo here") == "here\n"
    g.peer.run(lambda: first in g.peer.replies)
    assert g.peer.replies[first]["text"] == "a newer network came", g.peer.replies
    assert second not in g.peer.replies
    if g.is_vm:     # a microvm has no hot-plug
        g.peer.run(lambda: second in g.peer.replies)
        assert g.peer.replies[second]["text"] == "interface late0: the VM has no card 02:4b:00:00:00:77", g.peer.replies
        return
    g.card(9, "02:4b:00:00:00:77")
    g.peer.run(lambda: second in g.peer.replies, 2)
    assert g.peer.replies[second]["code"] == OK
    assert sorted(links(g)) == ["eth0", "late0", "lo"]
    g.unplug(9)
    assert sorted(links(g)) == ["eth0", "lo"]
    g.peer.network()


@test
def ipv6_is_off_where_the_host_has_none(g):
    g.cards()
    eth0 = interface(0, "eth0", "10.1.0.2/16", noIpv6=True)
    g.peer.network()
    g.peer.network([eth0])
    assert links_now(g)["eth0"][3] == ["10.1.0.2/16"]
    g.peer.network([interface(0, "eth0", "10.1.0.2/16", "fd01::2/64")])
    assert "fd01::2/64" in links(g)["eth0"][3]
    assert shell(g, "cat /proc/sys/net/ipv6/conf/eth0/accept_ra").strip() == "0"
    g.peer.network()
    g.peer.network([interface(0, "eth0", acceptRa=True)])
    assert shell(g, "cat /proc/sys/net/ipv6/conf/eth0/accept_ra").strip() == "1"


@test
def net_sysctls_apply(g):
    g.cards()
    g.peer.network([interface(0, "eth0", "10.1.0.2/16")])
    linux = copy.deepcopy(spec()["linux"])
    linux["sysctl"] = {"net.ipv4.ip_forward": "1", "net.ipv4.ping_group_range": "0 1000",
                       "net.ipv4.conf.eth0.rp_filter": "2", "net/ipv6/conf/eth0/accept_ra": "2"}
    assert shell(g, "cd /proc/sys/net; cat ipv4/ip_forward ipv4/ping_group_range ipv4/conf/eth0/rp_filter "
                 "ipv6/conf/eth0/accept_ra", linux=linux).split() == ["1", "0", "1000", "2", "2"]
    linux["sysctl"] = {"net.ipv4.conf.eth9.rp_filter": "2"}
    refused(lambda: shell(g, "true", linux=linux), "open /proc/sys/net/ipv4/conf/eth9/rp_filter: no such file or directory")
    # the host's next message leaves them alone
    g.peer.network([interface(0, "eth0", "10.1.0.2/16", "10.1.0.3/16")])
    assert shell(g, "cat /proc/sys/net/ipv6/conf/eth0/accept_ra").strip() == "2"


def resolver(query):
    """Every name is 10.9.8.7; "big" has more than a datagram takes without EDNS; "none" gets no answer."""
    name = query[12:query.index(b"\0", 12)]
    if b"none" in name:
        return None
    kind, = struct.unpack_from(">H", query, 12 + len(name) + 1)
    question = query[12:12 + len(name) + 5]
    count = (400 if b"big" in name else 1) if kind == 1 else 0
    answer = b"\xc0\x0c" + struct.pack(">HHIH4B", 1, 1, 60, 4, 10, 9, 8, 7)
    return query[:2] + struct.pack(">HHHHH", 0x8180, 1, count, 0, 0) + question + answer * count


@test
def dns_is_relayed(g):
    g.cards()
    g.peer.dns = resolver
    g.peer.network([interface(0, "eth0", "10.1.0.2/16")], dns=True)
    n, root = g.rootfs()
    with open(root + "/etc/resolv.conf", "w") as f:
        f.write("nameserver 127.0.0.11\n")

    def ask(script, process=1):
        p = g.peer.create(n, "c%d/rootfs" % n, spec("sh", "-c", script))
        p.start()
        p.wait_exit(60)
        p.delete()
        return p.status, p.output["stdout"].decode()
    status, text = ask("nslookup web")
    assert status == 0 and "10.9.8.7" in text and "127.0.0.11" in text, text
    # many clients, more at once than there may be relays: all are answered, if not at once
    status, text = ask("for i in $(seq 150); do nslookup -type=a host$i >/dev/null & done; wait; "
                       "for i in $(seq 20); do nslookup -type=a again$i | grep -c 10.9.8.7; done")
    assert text == "1\n" * 20, text
    assert len(g.peer.dns_clients) <= 128
    # TCP: one question, its length first, and its answer, longer than any datagram
    query = b"\1\2\1\0\0\1\0\0\0\0\0\0\3big\4test\0\0\1\0\1"
    octal = "".join("\\%03o" % b for b in struct.pack(">H", len(query)) + query)
    status, text = ask("{ printf '%s'; sleep 1; } | nc 127.0.0.11 53 | head -c 8192 | wc -c" % octal)
    want = len(resolver(query)) + 2
    assert text.strip() == str(want), (text, want)
    # the host hangs up
    status, text = ask("nc 127.0.0.11 53 </dev/null; echo $?; timeout 2 nslookup none | grep -c 10.9")
    assert text.split() == ["0", "0"], text
    assert g.peer.network([interface(0, "eth0", "10.1.0.2/16")], dns=False)
    status, text = ask("nc 127.0.0.11 53 </dev/null 2>&1; echo $?")
    assert "refused" in text, text
    g.peer.network()

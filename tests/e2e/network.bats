#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# network: interfaces of a network namespace in the guest, by hand-written bundles. Each test has two
# namespaces: $net, the container's, and $far, where the other ends of its cables are.

load helpers
load network

setup()
{
	network_setup
}

teardown()
{
	network_teardown
}

@test "an interface that is there before create" {
	cable eth0 1
	ip -n "$net" link set eth0 mtu 1400
	ip -n "$far" link set eth0 mtu 1400
	ip -n "$net" route add default via 10.7.1.1
	ip -n "$net" route add default via fd07:1::1
	ip -n "$far" addr add 9.9.9.9/32 dev lo
	ip -n "$far" link set lo up
	container
	up
	reaches eth0 1
	guest ping -c 1 -W 5 9.9.9.9 >&2
	has "$(guest ip link show eth0)" "mtu 1400"
	has "$(guest ip -6 route)" "default via fd07:1::1"
	guest ping -c 1 -W 5 -s 8000 fd07:1::1 >&2
	kata delete --force "$c"
	clean
	untouched eth0 1
}

# busybox' nc ends when either side says it has no more; these wait for both
receive='
import socket, sys
s = socket.create_server((sys.argv[1], 7000))
open(sys.argv[2] + ".listens", "w")
c = s.accept()[0]
with open(sys.argv[2], "wb") as f:
    while d := c.recv(1 << 16):
        f.write(d)
'
send='
import socket, sys
c = socket.create_connection((sys.argv[1], 7000), 10)
c.sendall(open(sys.argv[2], "rb").read())
c.shutdown(socket.SHUT_WR)
while c.recv(1 << 16):
    pass
'

far_py()
{
	timeout 60 ip netns exec "$far" python3 -c "$@" 3>&-
}

@test "TCP in both directions" {
	cable eth0 1
	head -c 3000000 /dev/urandom >"$T/data"
	container
	up
	cp "$T/data" "$T/b/rootfs/data"
	far_py "$receive" 10.7.1.1 "$T/got" &
	eventually 10 test -e "$T/got.listens"
	guest sh -c 'nc 10.7.1.1 7000 </data'
	wait $!
	cmp "$T/data" "$T/got"
	kata exec --detach "$c" sh -c 'nc -l -p 7000 >/got' </dev/null >/dev/null 2>&1
	eventually 20 far_py "$send" fd07:1::2 "$T/data"
	eventually 20 cmp "$T/data" "$T/b/rootfs/got"
}

@test "an interface that appears between create and start" {
	container
	cable eth0 1
	ip -n "$net" route add default via 10.7.1.1
	up
	reaches eth0 1
	has "$(guest ip route)" "default via 10.7.1.1"
	kata delete --force "$c"
	clean
	untouched eth0 1
}

@test "the program never runs before its network" {
	sh_bundle b 'ip -o addr show eth0; ip route' "$(in_net)"
	create "$c" b
	cable eth0 1
	ip -n "$net" route add default via 10.7.1.1
	kata start "$c"
	wait_stopped "$c"
	has "$(cat "$T/$c.out")" "10.7.1.2/24"
	has "$(cat "$T/$c.out")" "fd07:1::2/64"
	has "$(cat "$T/$c.out")" "default via 10.7.1.1"
}

@test "a hook plugs the interface in while the guest boots" {
	declare -f cable >"$T/cable"
	printf '#!/bin/bash\nset -e\nnet=%s far=%s\n. %s/cable\ncable eth0 1\n' "$net" "$far" "$T" >"$T/hook"
	chmod +x "$T/hook"
	container '.hooks.prestart = [{"path": "'"$T"'/hook", "env": ["PATH='"$PATH"'"]}]'
	up
	reaches eth0 1
}

@test "interfaces that come, change and go while it runs" {
	cable eth0 1
	container
	up
	reaches eth0 1
	cable eth1 2
	reaches_soon eth1 2
	reaches eth0 1
	ip -n "$net" link set eth1 mtu 1300
	eventually 20 eval 'guest ip link show eth1 | grep -q "mtu 1300"'
	ip -n "$net" addr add 10.7.2.77/24 dev eth1
	eventually 20 far ping -c 1 -W 1 10.7.2.77
	ip -n "$net" addr del 10.7.2.77/24 dev eth1
	eventually 20 eval '! guest ip addr show eth1 | grep -q 10.7.2.77'
	ip -n "$net" link del eth1
	eventually 20 guest_has_no eth1
	reaches eth0 1
	# another one at once under the same name
	cable eth1 3
	reaches_soon eth1 3
	# goes and comes back while nobody looks: same index, nothing of ours on it any more
	ip -n "$net" link set eth0 netns "$far" name away
	ip -n "$far" link set away netns "$net" name eth0
	ip -n "$net" addr add 10.7.1.2/24 dev eth0
	ip -n "$net" addr add fd07:1::2/64 dev eth0 nodad
	ip -n "$net" link set eth0 up
	reaches_soon eth0 1
	kata delete --force "$c"
	clean
	untouched eth1 3
}

@test "two interfaces, rules and a table of its own" {
	cable eth0 1
	cable net1 2
	ip -n "$net" route add default via 10.7.1.1
	ip -n "$net" route add default via 10.7.2.1 table 7
	ip -n "$net" rule add from 10.7.2.0/24 table 7 priority 99
	ip -n "$net" neigh add 10.7.1.99 lladdr 02:00:00:00:00:99 dev eth0 nud permanent
	container
	up
	reaches eth0 1
	reaches net1 2
	has "$(guest ip rule)" "99:	from 10.7.2.0/24 lookup 7"
	has "$(guest ip route show table 7)" "default via 10.7.2.1 dev net1"
	has "$(guest ip neigh)" "10.7.1.99 dev eth0 lladdr 02:00:00:00:00:99"
}

@test "IPv6 is off where the host's interface has it off" {
	local addresses
	cable eth0 1
	cable eth1 2
	# as docker does in networks without; it takes the addresses away
	ip netns exec "$net" sh -c 'echo 1 >/proc/sys/net/ipv6/conf/eth0/disable_ipv6'
	container
	up
	guest ping -c 1 -W 5 10.7.1.1 >&2
	equal "$(guest cat /proc/sys/net/ipv6/conf/eth0/disable_ipv6)" 1
	# the kernel makes link-local addresses when it has noticed the carrier
	eventually 20 eval '! guest ip link show eth0 | grep -q NO-CARRIER'
	addresses=$(guest ip addr show eth0)
	has "$addresses" "10.7.1.2/24"
	has_not "$addresses" inet6
	reaches eth1 2
}

@test "no network: the loopback interface and no delay" {
	container
	up
	has "$(guest ip addr show lo)" "127.0.0.1/8"
	guest ping -c 1 127.0.0.1 >&2
	equal "$(guest ip route)" ""
	kata delete --force "$c"
	clean
}

# the guest has the interfaces of $net and no other
same_interfaces()
{
	equal "$(guest ls /sys/class/net)" "$(ip netns exec "$net" ls /sys/class/net | grep -v kata)"
}

@test "the guest has the interfaces of the namespace and no other" {
	container
	up
	same_interfaces
	equal "$(guest ls /sys/class/net)" lo
	cable eth0 1
	cable card0 2
	reaches_soon card0 2
	reaches eth0 1
	same_interfaces
	ip -n "$net" link del card0
	eventually 20 guest_has_no card0
	same_interfaces
	# what was taken away is used again
	cable eth7 3
	reaches_soon eth7 3
	same_interfaces
}

@test "members of a pod share the network" {
	cable eth0 1
	container
	up
	sh_bundle m 'ip -o addr show eth0; ping -c 1 -W 5 10.7.1.1' "$(in_net)"
	kata run --bundle "$T/m" "$c-m" </dev/null >"$T/m.out"
	has "$(cat "$T/m.out")" "10.7.1.2/24"
	has "$(cat "$T/m.out")" "1 packets received"
	reaches eth0 1
}

@test "more interfaces than cards" {
	conf network "spare_cards = 1"
	container
	cable eth0 1
	cable eth1 2
	run kata start "$c"
	[ "$status" -ne 0 ]
	has "$output" "network interface eth1: the VM's 1 cards are all in use"
	has "$output" "[network] spare_cards in kata.conf"
	equal "$(status_of "$c")" created
	ip -n "$net" link del eth1
	up
	reaches eth0 1
}

# slave NAME N KIND MODE...: as cable, but NAME is of that kind, upon a cable between two of $far's own
slave()
{
	local name=$1 n=$2 kind=$3
	shift 3
	ip -n "$far" link add "over$n" type veth peer name "under$n"
	ip -n "$far" addr add "10.7.$n.1/24" dev "over$n"
	ip -n "$far" addr add "fd07:$n::1/64" dev "over$n" nodad
	ip -n "$far" link set "over$n" up
	ip -n "$far" link set "under$n" up
	ip -n "$far" link add plug0 link "under$n" type "$kind" "$@" ||
		skip "hardware: the kernel has no $kind"
	ip -n "$far" link set plug0 netns "$net" name "$name"
	ip -n "$net" addr add "10.7.$n.2/24" dev "$name"
	ip -n "$net" addr add "fd07:$n::2/64" dev "$name" nodad
	ip -n "$net" link set "$name" up
}

@test "a macvlan" {
	slave eth0 1 macvlan mode bridge
	container
	up
	reaches eth0 1
	kata delete --force "$c"
	clean
	untouched eth0 1
}

@test "an ipvlan in mode l2" {
	slave eth0 1 ipvlan mode l2
	container
	up
	guest ping -c 1 -W 5 10.7.1.1 >&2
	guest ping -c 1 -W 5 fd07:1::1 >&2
	far ping -c 1 -W 5 10.7.1.2 >&2
	kata delete --force "$c"
	clean
	untouched eth0 1
}

# answers ARP and pings for 10.7.1.1 on a tap of the namespace that is in $1, from outside of it
served_tap='
import ctypes, fcntl, os, socket, struct, sys
setns = ctypes.CDLL(None).setns
home, there = os.open("/proc/self/ns/net", os.O_RDONLY), os.open(sys.argv[1], os.O_RDONLY)
assert setns(there, 0x40000000) == 0
tap = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(tap, 0x400454ca, struct.pack("16sH22x", b"eth0", 0x1002))
assert setns(home, 0x40000000) == 0
mac, ip = bytes.fromhex("020000000001"), socket.inet_aton("10.7.1.1")
print("ready", flush=True)
while f := os.read(tap, 65536):
    if f[12:14] == b"\x08\x06" and f[38:42] == ip:
        os.write(tap, f[6:12] + mac + f[12:21] + b"\2" + mac + ip + f[22:32])
    elif f[12:14] == b"\x08\0" and f[23] == 1 and f[34] == 8:
        body = b"\0\0" + b"\0\0" + f[38:]
        total = sum(struct.unpack(">%dH" % (len(body) // 2), body[:len(body) & ~1]))
        total = (total & 0xffff) + (total >> 16)
        body = b"\0\0" + struct.pack(">H", ~(total + (total >> 16)) & 0xffff) + f[38:]
        os.write(tap, f[6:12] + mac + f[12:26] + f[30:34] + f[26:30] + body)
'

@test "a tap that a process of the host serves" {
	python3 -c "$served_tap" "/run/netns/$net" >"$T/tap" 3>&- &
	eventually 10 grep -q ready "$T/tap"
	ip -n "$net" addr add 10.7.1.2/24 dev eth0
	ip -n "$net" link set eth0 up
	container
	up
	guest ping -c 1 -W 5 10.7.1.1 >&2
	kata delete --force "$c"
	clean
	has "$(ip -n "$net" addr show eth0)" "10.7.1.2/24"
	kill %1
}

@test "an interface that cannot be wired is refused by name" {
	ip -n "$net" link add br0 type bridge
	ip -n "$net" link set br0 up
	sh_bundle b 'true' "$(in_net)"
	run kata run --bundle "$T/b" "$c"
	[ "$status" -ne 0 ]
	has "$output" "network interface br0 is of kind bridge, which cannot be given to a VM"
	equal "$(leaks | grep -v '^netns')" ""
	ip -n "$net" link set br0 down
	ip -n "$net" tuntap add tun0 mode tun
	ip -n "$net" link set tun0 up
	run kata run --bundle "$T/b" "$c"
	[ "$status" -ne 0 ]
	has "$output" "network interface tun0 is of kind tun and has no Ethernet frames"
	ip -n "$net" link del tun0
	ip -n "$net" link add under type veth peer name p0
	if ip -n "$net" link add mvt0 link under type macvtap; then
		ip -n "$net" link set under up
		ip -n "$net" link set mvt0 up
		run kata run --bundle "$T/b" "$c"
		[ "$status" -ne 0 ]
		has "$output" "network interface mvt0 is of kind macvtap, which cannot be given to a VM"
	fi
	ip -n "$net" link del under
	kata run --bundle "$T/b" "$c" </dev/null
}

@test "networks that a VM cannot be given" {
	cable eth0 1
	sh_bundle b 'true' "$(in_net)"
	change "$T/b" 'del(.linux.namespaces[] | select(.type == "network"))'
	run kata run --bundle "$T/b" "$c"
	has "$output" "linux.namespaces: network: the host's network cannot be given to a VM"
	change "$T/b" '.linux.namespaces += [{"type": "network", "path": "/proc/self/ns/net"}]'
	run kata run --bundle "$T/b" "$c"
	has "$output" "is the host's network, which cannot be given to a VM"
	# from within a namespace of one's own the host's is still not to be had
	change "$T/b" '(.linux.namespaces[] | select(.type == "network")).path = "/proc/'$$'/ns/net"'
	run ip netns exec "$far" "$KATA_RUNTIME" --root "$ROOT" run --bundle "$T/b" "$c"
	[ "$status" -ne 0 ]
	has "$output" "linux.namespaces: /proc/$$/ns/net is "
	# somebody else's traffic is not taken
	change "$T/b" "$(in_net)"
	ip netns exec "$net" sleep 1000 3>&- &
	eventually 10 eval 'ip netns pids "$net" | grep -q .'
	run kata run --bundle "$T/b" "$c"
	has "$output" "is in use by process"
	has "$output" "(sleep)"
	has "$output" "eth0"
	[ ! -e "$ROOT/$c" ]
	clean
	kill %1
	eventually 10 eval '! ip netns pids "$net" | grep -q .'
	# a thread of an engine's that has been there is no user (podman 5 and containerd have such)
	python3 -c "$visitor" "/run/netns/$net" >"$T/visitor" 3>&- &
	eventually 10 grep -q there "$T/visitor"
	has "$(ip netns pids "$net")" "$!"
	kata run --bundle "$T/b" "$c" </dev/null
}

# its first thread is in the namespace, another is not
visitor='
import ctypes, os, sys, threading, time
threading.Thread(target=lambda: time.sleep(1000), daemon=True).start()
assert ctypes.CDLL(None).setns(os.open(sys.argv[1], os.O_RDONLY), 0x40000000) == 0
print("there", flush=True)
time.sleep(1000)
'

@test "the engine's resolver in the namespace answers in the guest" {
	cable eth0 1
	echo 'nameserver 127.0.0.11' >"$T/resolv.conf"
	resolver inner "$net" 127.0.0.11 inside.test=10.7.1.77 10.7.1.1
	resolver outer "$far" 10.7.1.1 outside.test=9.8.7.6 big.test=9.8.7.5
	container '.mounts += [{"destination": "/etc/resolv.conf", "type": "bind",
		"source": "'"$T"'/resolv.conf", "options": ["bind", "ro"]}]'
	up
	has "$(guest nslookup inside.test)" 10.7.1.77
	# asked from the namespace itself, whose incoming packets are the guest's
	has "$(guest nslookup outside.test)" 9.8.7.6
	[ "$(awk '/asked from/ { print $3 }' "$T/outer" | sort -n | head -1)" -ge 61440 ]
	# an answer in three packets
	guest nslookup big.test >&2 || true
	has "$(cat "$T/inner")" "forwarded 3000"
	# and from the guest
	has "$(guest nslookup outside.test 10.7.1.1)" 9.8.7.6
	[ "$(awk '/asked from/ { print $3 }' "$T/outer" | sort -n | head -1)" -lt 61440 ]
	reaches eth0 1
	equal "$(ip netns exec "$net" cat /proc/sys/net/ipv4/ip_local_port_range | tr '\t' ' ')" "61440 65535"
	kill -9 "$(record "$c" .sandbox.pid)"
	kata delete --force "$c"
	clean
	equal "$(ip netns exec "$net" cat /proc/sys/net/ipv4/ip_local_port_range | tr '\t' ' ')" "32768 60999"
}

@test "statistics of the interfaces" {
	local s
	cable eth0 1
	container
	up
	reaches eth0 1
	guest ping -c 1 -W 5 -s 1400 10.7.1.1 >&2
	s=$(kata events --stats "$c" | jq -c '.data.network_interfaces')
	equal "$(jq -r 'map(.Name) | join(" ")' <<<"$s")" eth0
	[ "$(jq '.[0].RxBytes' <<<"$s")" -gt 1400 ]
	[ "$(jq '.[0].TxPackets' <<<"$s")" -gt 4 ]
	# a member of the pod has the same interfaces; what it sends is counted
	sh_bundle m 'echo up; exec sleep 1000' "$(in_net)"
	start_container "$c-m" m
	wait_output "$c-m" up
	kata exec "$c-m" ping -c 3 -W 5 -s 1400 10.7.1.1 >&2 </dev/null
	s=$(($(jq '.[0].TxBytes' <<<"$s") + 4200))
	[ "$(kata events --stats "$c-m" | jq '.data.network_interfaces[] | select(.Name == "eth0").TxBytes')" -gt "$s" ]
}

@test "everything is killed, the namespace lives on, delete cleans it" {
	cable eth0 1
	container
	up
	reaches eth0 1
	kill -9 "$(record "$c" .sandbox.pid)" "$(record "$c" .shim.pid)"
	wait_stopped "$c"
	has "$(tc -n "$net" filter show dev eth0 ingress)" mirred
	kata delete --force "$c"
	clean
	untouched eth0 1
}

# as CNI's bandwidth plugin limits: outside of us, so that nothing is to be done for it
@test "a rate limit on the interface holds for the guest" {
	local began
	cable eth0 1
	tc -n "$net" qdisc add dev eth0 root tbf rate 8mbit burst 32kb latency 400ms
	container
	up
	head -c 2000000 /dev/urandom >"$T/b/rootfs/data"
	far_py "$receive" 10.7.1.1 "$T/got" &
	eventually 10 test -e "$T/got.listens"
	began=${EPOCHREALTIME/./}
	guest sh -c 'nc 10.7.1.1 7000 </data'
	wait $!
	cmp "$T/b/rootfs/data" "$T/got"
	[ $((${EPOCHREALTIME/./} - began)) -gt 1700000 ]
	kata delete --force "$c"
	clean
	has "$(tc -n "$net" qdisc show dev eth0)" "tbf"
	untouched eth0 1
}

@test "a qdisc that was there stays" {
	cable eth0 1
	tc -n "$net" qdisc add dev eth0 ingress
	tc -n "$net" filter add dev eth0 ingress prio 7 protocol ip u32 match ip dst 9.9.9.9/32 flowid :1
	container
	up
	reaches eth0 1
	kata delete --force "$c"
	has "$(tc -n "$net" filter show dev eth0 ingress)" "pref 7"
	has_not "$(tc -n "$net" filter show dev eth0 ingress)" mirred
	untouched eth0 1
}

@test "a creation that fails leaves the namespace as it was" {
	cable eth0 1
	sh_bundle b 'true' "$(in_net)"
	change "$T/b" '.process.args = ["/no/such"]'
	run kata create --bundle "$T/b" "$c" </dev/null
	[ "$status" -ne 0 ]
	clean
	change "$T/b" '.hooks.createRuntime = [{"path": "/bin/false"}]'
	run kata create --bundle "$T/b" "$c" </dev/null
	[ "$status" -ne 0 ]
	clean
	untouched eth0 1
}

@test "a flood of changes stalls nobody" {
	cable eth0 1
	container
	up
	for i in $(seq 20000); do
		echo "addr add 10.8.0.1/24 dev eth0"
		echo "addr del 10.8.0.1/24 dev eth0"
	done >"$T/batch"
	timeout 120 ip -n "$net" -batch "$T/batch" &
	for i in 1 2 3; do
		[ "$(timeout 20 "$KATA_RUNTIME" --root "$ROOT" exec "$c" echo "$i" </dev/null)" = "$i" ]
	done
	wait $!
	eventually 20 eval '! guest ip addr show eth0 | grep -q 10.8.0.1'
	reaches eth0 1
}

# clean, in one look: of what we make nothing is in the namespace
untouched_by_us()
{
	[ -z "$(ip -n "$net" -o link | grep kata)$(tc -n "$net" qdisc show | grep -E 'ingress|clsact')" ] &&
		[ "$(ip -n "$net" -o neigh)" = "$neighbours" ]
}

# kill_on_the_way WHAT: the sandbox once it is on record, or create, some milliseconds later; no process is made
# for it but one, so that the instants are where they are meant to be
kill_on_the_way()
{
	local victim=$creator
	if [ "$1" = sandbox ]; then
		victim=''
		# create may be over, or the record not be whole
		while [ -z "$victim" ] && kill -0 "$creator" 2>/dev/null; do
			[[ ! -e $ROOT/$c/record.json ]] ||
				[[ ! $(<"$ROOT/$c/record.json") =~ \"sandbox\":[^}]*\"pid\":\ *([1-9][0-9]*) ]] ||
				victim=${BASH_REMATCH[1]}
		done
	fi
	sleep "$(printf 0.0%02d $((RANDOM % 60)))"
	[ ! -e "$ROOT/@$c/net.json" ] || with_marks=$((with_marks + 1))
	[ -z "$victim" ] || ! kill -9 "$victim" 2>/dev/null || killed=$((killed + 1))
}

# The VMM never says a word, so that no guest costs its time: taps, filters and marks are made before it is
# started. Every fourth is deleted while it waits; in the others something is killed at some instant.
@test "two hundred creations on one network, most of them killed on the way" {
	local i neighbours creator killed=0 with_marks=0 victims=(wait sandbox create sandbox)
	cable eth0 1
	far ping -c 1 -W 5 10.7.1.2 >&2
	printf '#!/bin/sh\nexec sleep 1000\n' >"$T/vmm"
	chmod +x "$T/vmm"
	conf hypervisor "path = $T/vmm"
	sh_bundle b true "$(in_net)"
	ip -n "$net" neigh flush all
	neighbours=$(ip -n "$net" -o neigh)
	RANDOM=4
	for i in $(seq 200); do
		"$KATA_RUNTIME" --root "$ROOT" create --bundle "$T/b" "$c" </dev/null >"$T/o" 2>&1 3>&- &
		creator=$!
		case ${victims[i % 4]} in
		wait) eventually 10 test -e "$ROOT/@$c/net.json" ;;
		*) kill_on_the_way "${victims[i % 4]}" ;;
		esac
		kata delete --force "$c" >"$T/d" 2>&1
		wait $creator || true
		[ ! -e "$ROOT/$c" ] && [ ! -e "$ROOT/@$c" ]
		untouched_by_us || fail "after $i: $(cat "$T/o" "$T/d"; ip -n "$net" -o link; tc -n "$net" qdisc show)"
	done
	echo "killed $killed, $with_marks of them with something to clean" >&2
	[ $killed -gt 100 ] && [ $with_marks -gt 20 ]
	untouched eth0 1
}

@test "many containers in a row on one network" {
	cable eth0 1
	sh_bundle b 'ping -c 1 -W 5 10.7.1.1' "$(in_net)"
	for i in $(seq 10); do
		kata create --bundle "$T/b" "$c" </dev/null >"$T/o" 2>&1
		case $i in
		[369]) kill -9 "$(record "$c" .sandbox.pid)" ;;
		*) kata start "$c" && wait_stopped "$c" && has "$(cat "$T/o")" "1 packets received" ;;
		esac
		kata delete --force "$c"
		clean
	done
	untouched eth0 1
}

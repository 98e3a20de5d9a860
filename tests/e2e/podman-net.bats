#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# podman-net: podman's networks (netavark, aardvark-dns) in VMs. Podman's host is a network namespace of
# the test's own, which has its bridges and firewall rules. As podman-net-sid.bats, a link to this file,
# with the current podman.
#
# Containers' programs talk by nc: busybox is linked statically, and its wget crashes in glibc's
# name service.

load helpers
load podman

setup_file()
{
	local suite=system
	case ${BATS_TEST_FILENAME##*/} in
	*-sid.bats) suite=sid ;;
	esac
	PODMAN_NETNS=kata-podman-$$
	export PODMAN_NETNS
	ip netns add "$PODMAN_NETNS"
	ip -n "$PODMAN_NETNS" link set lo up
	podman_setup_file $suite
	pm network create --subnet 10.206.0.0/24 one >/dev/null
	pm network create --subnet 10.207.0.0/24 --ipv6 --subnet fd07:207::/64 two >/dev/null
	pm network create --subnet 10.208.0.0/24 --internal inner >/dev/null
}

teardown_file()
{
	podman_teardown_file
	ip netns del "$PODMAN_NETNS"
}

setup()
{
	podman_setup
	c=${c,,} # aardvark-dns 1.4 knows no name with capitals
	namespaces_before=$(network_namespaces)
}

teardown()
{
	podman_teardown
	equal "$(links)" ""
	equal "$(network_namespaces)" "$namespaces_before"
	equal "$(resolvers)" ""
}

# what containers have made on podman's host and have not taken away
links()
{
	ip -n "$PODMAN_NETNS" -o link | grep -E 'veth|kata[0-9]' || true
}

network_namespaces()
{
	find /run/netns -maxdepth 1 -name 'netns-*' 2>/dev/null | sort
}

resolvers()
{
	pgrep -a -f "^[^ ]*aardvark-dns --config $P/" || true
}

on_host()
{
	timeout -k 5 30 nsenter "--net=/run/netns/$PODMAN_NETNS" "$@"
}

# nbox NETWORK NAME [OPTION...]: a container that sleeps
nbox()
{
	local network=$1 name=$2
	shift 2
	pm run -d --name "$name" --network "$network" --cap-add NET_RAW "$@" $image sleep 1000 >/dev/null
}

# server NETWORK NAME TEXT [OPTION...]: a container that gives out the text by HTTP
server()
{
	local network=$1 name=$2 text=$3
	shift 3
	pm run -d --name "$name" ${network:+--network "$network"} --cap-add NET_RAW "$@" $image sh -c \
		"mkdir -p /tmp/w; echo $text >/tmp/w/index.html; exec httpd -f -p 80 -h /tmp/w" >/dev/null
}

inside()
{
	pm exec "$c" "$@"
}

# address NAME [NETWORK]
address()
{
	inspected "$1" "(index .NetworkSettings.Networks \"${2:-one}\").IPAddress"
}

# serves CONTAINER ADDRESS TEXT [PORT]: seen from the container
serves()
{
	timeout 30 "$P/podman" exec "$1" sh -c \
		"printf 'GET / HTTP/1.0\r\n\r\n' | nc -w 5 $2 ${4:-80}" 2>&1 3>&- | grep -qx "$3"
}

host_serves()
{
	[ "$(on_host curl -s -m 5 "$1")" = "$2" ]
}

v4()
{
	pm exec "$1" ip -o -4 addr | awk '$2 != "lo" { print $2, $4 }'
}

is_v4()
{
	[ "$(v4 "$1")" = "$2" ]
}

resolves()
{
	timeout 30 "$P/podman" exec "$1" nslookup "$2" 2>&1 3>&- | grep -q "Address.*$3"
}

@test "a bridge: address, route, gateway, MAC, names in both directions" {
	nbox one "$c" --ip 10.206.0.77 --mac-address 02:11:22:33:44:55
	equal "$(v4 "$c")" "eth0 10.206.0.77/24"
	has "$(inside ip link show eth0)" "link/ether 02:11:22:33:44:55"
	has "$(inside ip route)" "default via 10.206.0.1"
	has "$(inside cat /etc/resolv.conf)" "nameserver 10.206.0.1"
	inside ping -c 1 -W 10 10.206.0.1
	PODMAN_RUNTIME=runc server one "$c-2" from-runc --network-alias peer
	eventually 20 resolves "$c" "$c-2" "$(address "$c-2")"
	eventually 20 resolves "$c" peer "$(address "$c-2")"
	eventually 20 serves "$c" "$(address "$c-2")" from-runc
	eventually 20 resolves "$c-2" "$c" 10.206.0.77
	pm exec "$c-2" ping -c 1 -W 10 10.206.0.77
	run ! inside nslookup no-such-name
}

@test "two networks, published ports, IPv4 and IPv6" {
	server one,two "$c" published -p 8080:80
	equal "$(v4 "$c" | awk '{ print $1 }' | sort)" $'eth0\neth1'
	equal "$(v4 "$c" | awk '{ print $2 }' | sort)" "$(address "$c")/24"$'\n'"$(address "$c" two)/24"
	has "$(inside ip -o -6 addr)" fd07:207:
	inside ping -c 1 -W 10 10.206.0.1
	inside ping -c 1 -W 10 10.207.0.1
	inside ping -c 1 -W 10 fd07:207::1
	eventually 20 host_serves "http://10.206.0.1:8080" published
	eventually 20 host_serves "http://10.207.0.1:8080" published
	eventually 20 host_serves "http://[$(inspected "$c" \
		'(index .NetworkSettings.Networks "two").GlobalIPv6Address')]" published
}

@test "a pod: two containers in one virtual machine, one network, a published port" {
	pm pod create --name "$c" --network one --network-alias the-pod -p 8081:80 >/dev/null
	server '' "$c-one" from-the-pod --pod "$c"
	pm run -d --pod "$c" --name "$c-two" $image sleep 1000 >/dev/null
	equal "$(pm exec "$c-one" cat /proc/sys/kernel/random/boot_id)" \
		"$(pm exec "$c-two" cat /proc/sys/kernel/random/boot_id)"
	equal "$(v4 "$c-one")" "$(v4 "$c-two")"
	eventually 20 host_serves "http://10.206.0.1:8081" from-the-pod
	serves "$c-two" 127.0.0.1 from-the-pod
	# the name of the pod, from outside of it
	nbox one "$c-3"
	eventually 20 resolves "$c-3" the-pod "$(v4 "$c-one" | sed 's/.* //; s|/.*||')"
	pm pod stop -t 0 "$c" >/dev/null
	pm pod start "$c" >/dev/null
	eventually 20 host_serves "http://10.206.0.1:8081" from-the-pod
}

@test "network connect and disconnect while it runs" {
	local first
	nbox one "$c"
	first=$(v4 "$c")
	equal "$first" "eth0 $(address "$c")/24"
	pm network connect two "$c"
	eventually 20 is_v4 "$c" "$first"$'\n'"eth1 $(address "$c" two)/24"
	eventually 20 inside ping -c 1 -W 2 10.207.0.1
	server two "$c-2" on-two
	eventually 20 serves "$c" "$(address "$c-2" two)" on-two
	pm network disconnect two "$c"
	eventually 20 is_v4 "$c" "$first"
	has_not "$(inside ip route)" 10.207.0.0
	inside ping -c 1 -W 10 10.206.0.1
}

@test "an internal network has no way out" {
	nbox inner "$c"
	inside ping -c 1 -W 10 10.208.0.1
	equal "$(inside ip route | grep default || true)" ""
	run ! inside ping -c 1 -W 2 10.206.0.1
}

@test "--network none: loopback alone; --network host is refused" {
	run -0 pm run --rm --network none $image ls /sys/class/net
	equal "$output" lo
	run ! pm run --rm --network host $image true
	has "$output" "the host's network"
}

@test "--network container:X is in its virtual machine, runc's container is not joined" {
	server one "$c" shared
	eventually 20 host_serves "http://$(address "$c")" shared
	pm run -d --name "$c-2" --network "container:$c" $image sleep 1000 >/dev/null
	eventually 20 serves "$c-2" 127.0.0.1 shared
	equal "$(v4 "$c-2")" "$(v4 "$c")"
	pm rm -f -t 0 "$c-2" >/dev/null
	PODMAN_RUNTIME=runc nbox one "$c-3"
	run ! pm run --rm --network "container:$c-3" $image true
	has "$output" "is in use by process"
}

#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# docker-net: docker's networks in VMs. The daemon's host is a network namespace of the test's own,
# which has its bridges and firewall rules. As docker-net-sid.bats, a link to this file, with the
# current docker, which plugs interfaces in between create and start; Debian's does in a hook.
#
# Containers' programs name each other by address and talk by nc: busybox is linked statically, and its
# wget crashes in glibc's name service.

load helpers
load engines

setup_file()
{
	DOCKER_NETNS=kata-docker-$$
	export DOCKER_NETNS
	ip netns add "$DOCKER_NETNS"
	ip -n "$DOCKER_NETNS" link set lo up
	docker_setup
	timeout 20 docker network create --subnet 10.202.0.0/24 one >/dev/null
	timeout 20 docker network create --subnet 10.203.0.0/24 --ipv6 --subnet fd07:203::/64 two >/dev/null
	timeout 20 docker network create --subnet 10.204.0.0/24 --internal inner >/dev/null
	docker_has >"$D/had"
}

teardown_file()
{
	docker_teardown
	ip netns del "$DOCKER_NETNS"
}

setup()
{
	e2e_setup
	net=one
}

teardown()
{
	docker_clean
	links >"$T.links"
	equal "$(cat "$T.links")" ""
	rm "$T.links"
}

# links: of containers that are still on the daemon's host
links()
{
	ip -n "$DOCKER_NETNS" -o link | grep -E 'veth|kata[0-9]' || true
}

on_host()
{
	timeout -k 5 30 nsenter "--net=/run/netns/$DOCKER_NETNS" "$@"
}

# address NAME [NETWORK]
address()
{
	timeout 20 docker inspect -f "{{(index .NetworkSettings.Networks \"${2:-one}\").IPAddress}}" "$1"
}

# server NAME TEXT [OPTION...]: a container that gives out the text by HTTP
server()
{
	local name=$1 text=$2
	shift 2
	dup --name "$name" "$@" e2e-busybox sh -c \
		"mkdir -p /tmp/w; echo $text >/tmp/w/index.html; exec httpd -f -p 80 -h /tmp/w" >/dev/null
}

# serves CONTAINER ADDRESS TEXT: seen from the container
serves()
{
	timeout 20 docker exec "$1" sh -c \
		"printf 'GET / HTTP/1.0\r\n\r\n' | nc -w 5 $2 80" 2>&1 | grep -qx "$3"
}

host_serves()
{
	[ "$(on_host curl -s -m 5 "$1")" = "$2" ]
}

# v4: addresses in container $1
v4()
{
	d exec "$1" ip -o -4 addr | awk '$2 != "lo" { print $2, $4 }'
}

is_v4()
{
	[ "$(v4 "$1")" = "$2" ]
}

has_v4()
{
	v4 "$1" | grep -q " $2\$"
}

resolves()
{
	timeout 20 docker exec "$1" nslookup "$2" 2>&1 | grep -q "Address.*$3"
}

@test "the default bridge: address, route, gateway, a container of runc beside it" {
	net=bridge
	box
	equal "$(v4 "$c")" "eth0 $(address "$c" bridge)/24"
	has "$(inside ip route)" "default via 10.201.0.1"
	has "$(inside ip -o -6 addr)" fd07:201:
	inside ping -c 1 -W 10 10.201.0.1
	KATA_ENGINE_RUNTIME=runc server "$c-2" from-runc
	eventually 20 serves "$c" "$(address "$c-2" bridge)" from-runc
}

@test "names are resolved in both directions, by UDP and TCP" {
	server "$c" from-the-vm
	KATA_ENGINE_RUNTIME=runc server "$c-2" from-runc --network-alias peer
	eventually 20 resolves "$c" "$c-2" "$(address "$c-2")"
	eventually 20 resolves "$c-2" "$c" "$(address "$c")"
	eventually 20 serves "$c" "$(address "$c-2")" from-runc
	eventually 20 serves "$c-2" "$(address "$c")" from-the-vm
	# by TCP: the length, a query for peer, type A, class IN
	run -0 inside sh -c '{ printf "\0\026\0\1\1\0\0\1\0\0\0\0\0\0\004peer\0\0\1\0\1"; sleep 2; } |
		nc 127.0.0.11 53 | wc -c'
	[ "$output" -gt 12 ]
	run ! inside nslookup no-such-name
}

@test "published ports, IPv4 and IPv6" {
	net=two server "$c" published -p 8080:80
	eventually 20 host_serves http://127.0.0.1:8080 published
	eventually 20 host_serves 'http://[::1]:8080' published
	eventually 20 host_serves "http://$(address "$c" two)" published
}

@test "--ip, --mac-address, --dns, --add-host, --hostname" {
	run -0 drun --ip 10.202.0.77 --mac-address 02:11:22:33:44:55 --dns-search example.org \
		--add-host other:1.2.3.4 --hostname its-name e2e-busybox sh -c \
		'ip addr show eth0; cat /etc/resolv.conf /etc/hosts; hostname'
	has "$output" "inet 10.202.0.77/24"
	has "$output" "link/ether 02:11:22:33:44:55"
	has "$output" "search example.org"
	has "$output" $'1.2.3.4\tother'
	has "$output" "its-name"
	net=bridge run -0 drun --dns 10.9.9.9 e2e-busybox cat /etc/resolv.conf
	has "$output" "nameserver 10.9.9.9"
}

@test "--dns of a user-defined network: docker's resolver asks it from within the namespace" {
	python3 "$e2e_dir/resolver.py" "/run/netns/$DOCKER_NETNS" 10.202.0.1 asked.example=10.99.0.1 >"$T/dns" 3>&- &
	eventually 10 grep -q ready "$T/dns"
	box --dns 10.202.0.1
	eventually 20 resolves "$c" asked.example 10.99.0.1
	kill $!
}

@test "an internal network has no way out" {
	net=inner box
	inside ping -c 1 -W 10 10.204.0.1
	server "$c-2" outside
	run ! inside ping -c 1 -W 2 "$(address "$c-2")"
}

@test "two networks from the beginning" {
	d create --runtime "$KATA_ENGINE_RUNTIME" --name "$c" --network one e2e-busybox sleep 1000 >/dev/null
	d network connect two "$c"
	d start "$c"
	# which is the first is docker's to say
	equal "$(v4 "$c" | awk '{ print $1 }' | sort)" $'eth0\neth1'
	equal "$(v4 "$c" | awk '{ print $2 }' | sort)" "$(address "$c")/24"$'\n'"$(address "$c" two)/24"
	has "$(inside ip -o -6 addr)" fd07:203:
	inside ping -c 1 -W 10 10.202.0.1
	inside ping -c 1 -W 10 10.203.0.1
}

@test "a macvlan network: a container of runc beside it, names" {
	ip -n "$DOCKER_NETNS" link add parent0 type veth peer name parent1
	ip -n "$DOCKER_NETNS" link set parent0 up
	ip -n "$DOCKER_NETNS" link set parent1 up
	d network create -d macvlan --subnet 10.205.0.0/24 -o parent=parent0 flat >/dev/null
	net=flat box
	KATA_ENGINE_RUNTIME=runc net=flat server "$c-2" from-runc
	equal "$(v4 "$c")" "eth0 $(address "$c" flat)/24"
	eventually 20 serves "$c" "$(address "$c-2" flat)" from-runc
	eventually 20 resolves "$c" "$c-2" "$(address "$c-2" flat)"
	d rm -f "$c" "$c-2"
	d network rm flat
	ip -n "$DOCKER_NETNS" link del parent0
}

@test "network connect and disconnect while it runs" {
	local first
	box
	first="eth0 $(address "$c")/24"
	equal "$(v4 "$c")" "$first"
	d network connect two "$c"
	eventually 20 is_v4 "$c" "$first"$'\n'"eth1 $(address "$c" two)/24"
	eventually 20 inside ping -c 1 -W 2 10.203.0.1
	d network disconnect two "$c"
	eventually 20 is_v4 "$c" "$first"
	d network disconnect one "$c"
	eventually 20 is_v4 "$c" ""
	d network connect one "$c"
	eventually 20 has_v4 "$c" "$(address "$c")/24"
	eventually 20 inside ping -c 1 -W 2 10.202.0.1
}

@test "--network none: loopback alone" {
	net=none run -0 drun e2e-busybox ls /sys/class/net
	equal "$output" lo
}

@test "--network container:X: one VM, and runc's container in it is refused" {
	server "$c" shared
	eventually 20 host_serves "http://$(address "$c")" shared
	net=container:$c run -0 drun e2e-busybox sh -c 'printf "GET / HTTP/1.0\r\n\r\n" | nc -w 5 127.0.0.1 80'
	has "$output" shared
	KATA_ENGINE_RUNTIME=runc box2
	net=container:$c-2 run -125 drun e2e-busybox true
	has "$output" "is in use by process"
}

box2()
{
	dup --name "$c-2" e2e-busybox sleep 1000 >/dev/null
}

@test "--network host is refused" {
	net=host run -125 drun e2e-busybox true
	has "$output" "the host's network"
}

@test "restart, stop and start keep the network" {
	server "$c" again
	eventually 20 host_serves "http://$(address "$c")" again
	d restart -t 0 "$c"
	eventually 20 host_serves "http://$(address "$c")" again
	d stop -t 0 "$c"
	d start "$c"
	eventually 20 host_serves "http://$(address "$c")" again
}
